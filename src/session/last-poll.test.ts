import { describe, expect, it } from 'vitest';
import type { ScanMark } from '../replica/replica.js';
import { LastPoll, type PollBasis } from './last-poll.js';
import { Tally } from './tally.js';

const everything = { includesFile: () => true, mayContain: () => true };
const basis = { generation: 'one', filter: everything };
const findings = { tally: new Tally(), agreedPath: 'a' };
const mark = (...answers: boolean[]) => ({ holds: async () => answers.shift() ?? false });

/** What is known before the next poll. */
const knownBy = async (last: LastPoll, by: PollBasis = basis) => (await last.courseOfNext(by, undefined)).known;

/** Runs a poll that finds nothing to do. */
async function quietPoll(last: LastPoll, made: ScanMark): Promise<void> {
  (await last.courseOfNext(basis, undefined)).onQuiet?.(findings, made);
}

describe('LastPoll', () => {
  it('knows nothing before a poll', async () => {
    expect(await knownBy(new LastPoll())).toBeUndefined();
  });

  it('knows what the last one found for as long as its mark holds, and no longer', async () => {
    const last = new LastPoll();
    await quietPoll(last, mark(true, true, false, true));
    expect(await knownBy(last)).toBe(findings);
    expect(await knownBy(last)).toBe(findings);
    expect(await knownBy(last)).toBeUndefined();
    expect(await knownBy(last)).toBeUndefined();
  });

  it.each([
    ['another memory', { ...basis, generation: 'two' }],
    ['another filter', { ...basis, filter: { ...everything } }],
  ])('does not know what is found with %s, and asks for nothing', async (_what, other) => {
    const last = new LastPoll();
    await quietPoll(last, { holds: () => Promise.reject(new Error('asked')) });
    expect(await knownBy(last, other)).toBeUndefined();
  });

  it('passes on why the mark could not be compared, and keeps it', async () => {
    const last = new LastPoll();
    const answers = [Promise.reject(new Error('no network')), Promise.resolve(true)];
    await quietPoll(last, { holds: async () => (await answers.shift()) ?? false });
    await expect(knownBy(last)).rejects.toThrow('no network');
    expect(await knownBy(last)).toBe(findings);
  });

  it('wants no more marks where three in a row did not hold though nothing was to be done', async () => {
    const last = new LastPoll();
    for (let round = 0; round <= 3; round++) {
      const course = await last.courseOfNext(basis, undefined);
      expect(course.onQuiet).toBeDefined();
      course.onQuiet?.(findings, mark());
    }
    expect(await last.courseOfNext(basis, undefined)).toEqual({});
  });

  it('wants marks where one held in between', async () => {
    const last = new LastPoll();
    for (let round = 0; round < 12; round++) {
      const course = await last.courseOfNext(basis, undefined);
      expect(course).not.toEqual({});
      course.onQuiet?.(findings, mark(round % 3 === 0));
    }
  });

  it('wants marks where something was to be done in between', async () => {
    const last = new LastPoll();
    for (let round = 0; round < 6; round++) {
      await quietPoll(last, mark());
      await last.courseOfNext(basis, undefined);
    }
    expect((await last.courseOfNext(basis, undefined)).onQuiet).toBeDefined();
  });
});
