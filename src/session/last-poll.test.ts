import { describe, expect, it } from 'vitest';
import { LastPoll } from './last-poll.js';
import { Tally } from './tally.js';

const everything = { includesFile: () => true, mayContain: () => true };
const basis = { generation: 'one', filter: everything };
const findings = { tally: new Tally(), agreedPath: 'a' };
const mark = (...answers: boolean[]) => ({ holds: async () => answers.shift() ?? false });

describe('LastPoll', () => {
  it('knows nothing before a poll', async () => {
    expect(await new LastPoll().recall(basis, undefined)).toBeUndefined();
  });

  it('knows what the last one found for as long as its mark holds, and no longer', async () => {
    const last = new LastPoll();
    last.found(findings, mark(true, true, false, true), basis);
    expect(await last.recall(basis, undefined)).toBe(findings);
    expect(await last.recall(basis, undefined)).toBe(findings);
    expect(await last.recall(basis, undefined)).toBeUndefined();
    expect(await last.recall(basis, undefined)).toBeUndefined();
  });

  it.each([
    ['another memory', { ...basis, generation: 'two' }],
    ['another filter', { ...basis, filter: { ...everything } }],
  ])('does not know what is found with %s, and asks for nothing', async (_what, other) => {
    const last = new LastPoll();
    last.found(findings, { holds: () => Promise.reject(new Error('asked')) }, basis);
    expect(await last.recall(other, undefined)).toBeUndefined();
  });

  it('passes on why the mark could not be compared, and keeps it', async () => {
    const last = new LastPoll();
    const answers = [Promise.reject(new Error('no network')), Promise.resolve(true)];
    last.found(findings, { holds: async () => (await answers.shift()) ?? false }, basis);
    await expect(last.recall(basis, undefined)).rejects.toThrow('no network');
    expect(await last.recall(basis, undefined)).toBe(findings);
  });

  it('wants no more marks where three in a row did not hold though nothing was to be done', async () => {
    const last = new LastPoll();
    const inVain = async (): Promise<void> => {
      await last.recall(basis, undefined);
      last.found(findings, mark(), basis);
    };
    await inVain();
    for (const wanted of [true, true, false]) {
      await inVain();
      expect(last.wantsMark).toBe(wanted);
    }
  });

  it('wants marks where one held in between, or something was to be done', async () => {
    const last = new LastPoll();
    for (let round = 0; round < 9; round++) {
      last.found(findings, mark(round % 3 === 0), basis);
      await last.recall(basis, undefined);
      if (round % 3 === 1) await last.recall(basis, undefined);
    }
    expect(last.wantsMark).toBe(true);
  });
});
