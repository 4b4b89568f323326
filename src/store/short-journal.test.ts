import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareByteOrder } from '../core/byte-order.js';
import type { Decision } from '../core/decision.js';
import { SimulatedDatabaseHome } from '../testing/database/simulated-database.js';
import { openStateStore } from './open-state-store.js';
import type { Journal, Phase } from './state-store.js';

type Act =
  | { readonly type: 'append'; readonly phase: Phase; readonly decisions: readonly Decision[] }
  | { readonly type: 'remove'; readonly phase: Phase; readonly paths: readonly string[] }
  | { readonly type: 'begin' | 'clear' };

const phase = fc.constantFrom<Phase>('room', 'move', 'transfer', 'delete');
const path = fc.constantFrom('a', 'a/b', 'a.b', 'b', 'ß', 'ｱ', '\u{1f600}', 'z');
const decision = fc
  .record({ path, action: fc.constantFrom<Decision['action']>('upload', 'download', 'delete-local') })
  .map(({ path: at, action }): Decision => ({
    path: at,
    rule: 'R12',
    action,
    local: null,
    remote: null,
    baseline: undefined,
  }));
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('append' as const), phase, decisions: fc.array(decision) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('remove' as const), phase, paths: fc.array(path) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('begin' as const, 'clear' as const) }) },
);

async function journalWith(mostHeldDecisions: number): Promise<Journal> {
  return (await openStateStore(new SimulatedDatabaseHome(), { pairId: 'pair', mostHeldDecisions })).journal;
}

async function carryOut(journal: Journal, each: Act): Promise<void> {
  if (each.type === 'append') await journal.append(each.phase, each.decisions);
  else if (each.type === 'remove') await journal.remove(each.phase, each.paths);
  else await journal[each.type]();
}

async function read(journal: Journal, of: Phase): Promise<Decision[]> {
  const found: Decision[] = [];
  for await (const page of journal.read(of)) found.push(...page);
  return found;
}

describe('ShortJournal', () => {
  it('answers what a journal on disk answers, whether a plan stays in memory or not', () =>
    fc.assert(
      fc.asyncProperty(fc.array(act), fc.constantFrom(1, 3, 8, 1000), async (acts, mostHeld) => {
        const [short, onDisk] = [await journalWith(mostHeld), await journalWith(0)];
        for (const each of acts) {
          await carryOut(short, each);
          await carryOut(onDisk, each);
          for (const of of ['room', 'move', 'transfer', 'delete'] as const)
            expect(await read(short, of)).toEqual(await read(onDisk, of));
        }
      }),
      { numRuns: 300 },
    ));

  it('gives pages of at most a thousand, in byte order, as they were when they were first asked for', async () => {
    const journal = await journalWith(20_000);
    const paths = Array.from({ length: 2500 }, (_, i) => `f${String((i * 7919) % 2500).padStart(5, '0')}`);
    const [one] = fc.sample(decision, 1);
    if (one === undefined) throw new Error('no sample');
    await journal.append(
      'transfer',
      paths.map((each) => ({ ...one, path: each })),
    );
    const lengths: number[] = [];
    const found: string[] = [];
    for await (const page of journal.read('transfer')) {
      if (lengths.length === 0) await journal.remove('transfer', paths);
      lengths.push(page.length);
      found.push(...page.map((each) => each.path));
    }
    expect(lengths).toEqual([1000, 1000, 500]);
    expect(found).toEqual(paths.toSorted(compareByteOrder));
    expect(await read(journal, 'transfer')).toEqual([]);
  });

  it('writes a plan down that becomes long, and keeps no more of it', async () => {
    const home = new SimulatedDatabaseHome();
    const { journal } = await openStateStore(home, { pairId: 'pair', mostHeldDecisions: 2 });
    const rowsOnDisk = (): string[] => {
      const keys: string[] = [];
      home.tamper((rows, mark) => {
        keys.push(...rows.keys());
        return mark;
      });
      return keys.filter((key) => key.startsWith('j!')).sort();
    };
    const [one] = fc.sample(decision, 1);
    if (one === undefined) throw new Error('no sample');
    await journal.append('transfer', [{ ...one, path: 'b' }]);
    await journal.append('delete', [{ ...one, path: 'c' }]);
    expect(rowsOnDisk()).toEqual([]);
    await journal.append('transfer', [{ ...one, path: 'a' }]);
    expect(rowsOnDisk()).toEqual(['j!delete!c', 'j!transfer!a', 'j!transfer!b']);
    await journal.remove('transfer', ['a']);
    expect(rowsOnDisk()).toEqual(['j!delete!c', 'j!transfer!b']);
  });
});
