import { describe, expect, it } from 'vitest';
import { randomOf, stateOf, type State } from '../../test/n1/state.js';
import { World } from '../../test/n1/world.js';
import type { Decision } from './decision.js';
import { countAgreed, countDecision, emptyCounts, type PlanCounts } from './guard.js';
import type { PassOver } from './merge-join.js';
import { makePlan } from './plan.js';
import type { Problem } from './problem.js';
import { isAgreed, isUncertain, reconcile } from './reconcile.js';

/** `FCS_SEED=…` to begin elsewhere. */
const seed = Number(process.env['FCS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const STATES = 4000;

interface Whole {
  readonly asking: readonly Decision[];
  readonly problems: readonly Problem[];
  readonly counts: PlanCounts;
}

async function planOf(state: State, passOver?: (counts: PlanCounts) => PassOver): Promise<Whole> {
  const counts = emptyCounts();
  const asking: Decision[] = [];
  const problems: Problem[] = [];
  const options = { ...state, pageSize: 3, ...(passOver && { passOver: passOver(counts) }) };
  for await (const page of makePlan(new World(state).streams(), options)) {
    for (const decision of page.decisions) {
      countDecision(counts, decision);
      if (decision.action !== 'nothing') asking.push(decision);
    }
    problems.push(...page.problems);
  }
  const byPath = (a: { readonly path: string }, b: { readonly path: string }): number => (a.path < b.path ? -1 : 1);
  return { asking: asking.sort(byPath), problems: problems.sort(byPath), counts };
}

describe('passing over what is agreed', () => {
  it(`changes nothing in the plans of ${STATES} random states (seed ${seed})`, async () => {
    let passed = 0;
    let besideOthers = 0;
    for (let i = 0; i < STATES; i++) {
      const own = Math.floor(randomOf(seed + i)() * 2 ** 32);
      const state = stateOf(own);
      const before = passed;
      const whole = await planOf(state);
      const short = await planOf(state, (counts) => (local, remote, row) => {
        if (!isAgreed(local, remote, row)) return false;
        passed++;
        countAgreed(counts);
        return true;
      });
      expect(short, `seed ${own}`).toEqual(whole);
      if (passed > before && whole.asking.length > 0) besideOthers++;
    }
    // A generator that no longer comes upon such paths proves nothing.
    expect(passed).toBeGreaterThan(STATES / 10);
    expect(besideOthers).toBeGreaterThan(STATES / 20);
  });
});

describe('isAgreed', () => {
  it('says of a path what reconcile says of it', async () => {
    let agreed = 0;
    for (let i = 0; i < STATES; i++) {
      const state = stateOf(Math.floor(randomOf(seed + i)() * 2 ** 32));
      const streams = new World(state).streams();
      const [local, remote, rows] = await Promise.all([all(streams.local), all(streams.remote), all(streams.baseline)]);
      for (const row of rows) {
        const [here, there] = [local, remote].map((entries) => entries.find(({ path }) => path === row.path));
        if (here === undefined || there === undefined) continue;
        const decision = reconcile({ path: row.path, local: here, remote: there, baseline: row }, state);
        const isNothing = decision.rule === 'R01' && decision.action === 'nothing' && !isUncertain(decision);
        expect(isAgreed(here, there, row), `seed ${seed + i}, ${row.path}`).toBe(isNothing);
        if (isNothing) agreed++;
      }
    }
    expect(agreed).toBeGreaterThan(STATES / 10);
  });
});

async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}
