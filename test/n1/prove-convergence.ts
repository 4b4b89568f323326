import type { Decision } from '../../src/core/decision.js';
import { makePlan } from '../../src/core/plan.js';
import type { Item, State } from './state.js';
import { randomOf, stateOf } from './state.js';
import { withRenames } from './with-renames.js';
import { BrokenInvariant, World } from './world.js';

/** Rounds after which nothing may be left to do. */
export const MAX_ROUNDS = 3;

/** What a proof found. */
export interface Proof {
  readonly states: number;
  /** How many states took so many rounds: index 0 needed none. */
  readonly rounds: readonly number[];
  /** How often each rule and action came up, as `R07 delete-remote`. */
  readonly seen: ReadonlyMap<string, number>;
}

/** A state that broke a promise. */
export class Counterexample extends Error {
  constructor(seed: number, state: State, reason: string) {
    super(`seed ${seed}: ${reason}\n${JSON.stringify(state, undefined, 1)}`);
    this.name = 'Counterexample';
  }
}

/**
 * Checks `count` random three-tree states, beginning with `seed`: each converges in at most {@link MAX_ROUNDS} rounds, keeps every version
 * and breaks no invariant. The same arguments give the same run.
 *
 * @throws Counterexample with the seed and the smallest state found that still fails.
 */
export async function proveConvergence(seed: number, count: number): Promise<Proof> {
  const rounds = Array.from({ length: MAX_ROUNDS + 1 }, () => 0);
  const seen = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const own = Math.floor(randomOf(seed + i)() * 2 ** 32);
    const state = stateOf(own);
    try {
      const needed = await converge(state, seen);
      rounds[needed] = (rounds[needed] ?? 0) + 1;
    } catch (error) {
      if (!(error instanceof BrokenInvariant)) throw error;
      const small = await shrink(state);
      throw new Counterexample(seed + i, small, (await failureOf(small)) ?? error.message);
    }
  }
  return { states: count, rounds, seen };
}

async function converge(state: State, seen: Map<string, number>): Promise<number> {
  const world = new World(state);
  const before = new World(state);
  for (let round = 0; ; round++) {
    const decisions: Decision[] = [];
    for await (const page of makePlan(world.streams(), state)) decisions.push(...page.decisions);
    const paths = new Set(decisions.map((decision) => decision.path));
    check(paths.size === decisions.length, 'a path was decided twice');
    const plan = state.renames ? await withRenames(world, decisions) : decisions;
    for (const { rule, action } of plan) seen.set(`${rule} ${action}`, (seen.get(`${rule} ${action}`) ?? 0) + 1);
    if (!world.carryOut(plan)) {
      checkAtRest(world, decisions);
      checkNothingLost(before, world);
      checkNothingTouched(before, world);
      return round;
    }
    check(round < MAX_ROUNDS, `after ${MAX_ROUNDS} rounds there is still something to do`);
  }
}

function checkAtRest(world: World, decisions: readonly Decision[]): void {
  const decided = new Map(decisions.map((decision) => [decision.path, decision]));
  for (const side of ['local', 'remote'] as const) {
    for (const [path, { content }] of world.files[side]) {
      const decision = decided.get(path);
      check(decision !== undefined, `${path} was never decided`);
      if (decision.action === 'hold' || decision.action === 'compare') continue;
      const other = world.files[side === 'local' ? 'remote' : 'local'].get(path)?.content;
      const ignored = decision.rule === 'R17';
      check(ignored || other === content, `${path} is at rest with two contents`);
      check(ignored || world.rows.get(path)?.content === content, `${path} is at rest and not recorded`);
    }
  }
}

/** Every version is current somewhere or in the trash, unless it was agreed on and then changed by somebody who had it. */
function checkNothingLost(before: World, world: World): void {
  const kept = new Set(world.trash);
  for (const side of [world.files.local, world.files.remote])
    for (const { content } of side.values()) kept.add(content);
  for (const side of ['local', 'remote'] as const) {
    const other = before.files[side === 'local' ? 'remote' : 'local'];
    for (const [path, { content }] of before.files[side]) {
      const superseded = before.rows.get(path)?.content === content && other.get(path)?.content !== content;
      check(kept.has(content) || superseded, `the ${side} version ${content} of ${path} is lost`);
    }
  }
}

/** Where one side could not or was not to be looked at, the other side's files are as they were. */
function checkNothingTouched(before: World, world: World): void {
  for (const [side, other] of [
    ['local', 'remote'],
    ['remote', 'local'],
  ] as const) {
    for (const entry of before.others[side].values()) {
      const whole = side === 'local' || ('subtree' in entry && entry.subtree);
      for (const [path, { content }] of before.files[other]) {
        const hidden = path === entry.path || (whole && path.startsWith(`${entry.path}/`));
        if (!hidden || before.files[side].has(path)) continue;
        check(
          world.files[other].get(path)?.content === content,
          `${other} ${path} was touched, though ${side} ${entry.path} is ${entry.kind}`,
        );
      }
    }
  }
}

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new BrokenInvariant(message);
}

async function failureOf(state: State): Promise<string | undefined> {
  try {
    await converge(state, new Map());
    return undefined;
  } catch (error) {
    if (error instanceof BrokenInvariant) return error.message;
    throw error;
  }
}

/** Takes away paths, then single facts, as long as the state still fails. */
async function shrink(state: State): Promise<State> {
  const simpler = (item: Item): (Item | undefined)[] => [
    undefined,
    { ...item, racyRow: false },
    { ...item, racyEntry: false },
    { ...item, replacing: false },
    { ...item, base: null },
    { ...item, local: null },
    { ...item, remote: null },
  ];
  let smallest = state;
  for (let i = 0; i < smallest.items.length;) {
    const item = smallest.items[i];
    if (item === undefined) break;
    let found: State | undefined;
    for (const candidate of simpler(item)) {
      if (candidate !== undefined && JSON.stringify(candidate) === JSON.stringify(item)) continue;
      const items = smallest.items.toSpliced(i, 1, ...(candidate === undefined ? [] : [candidate]));
      if ((await failureOf({ ...smallest, items })) === undefined) continue;
      found = { ...smallest, items };
      break;
    }
    if (found === undefined) i++;
    else smallest = found;
  }
  return smallest;
}
