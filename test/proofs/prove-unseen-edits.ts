import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { ProofMachine, ProofService } from './proof-world.js';

const FILES = 12;
const YEAR_MS = 365 * 86_400_000;

/**
 * Edits that hide: as long as what they replace, within one tick of the disk's clock, with the old time kept or set back, on clocks
 * that are years off; then one more cycle, in which each has to be seen. Throws the first that was missed.
 */
export async function proveUnseenEdits(
  first: number,
  count: number,
  stride: number,
): Promise<{ readonly edits: number }> {
  let edits = 0;
  for (let run = 0; run < count; run++) {
    const seed = first + run * stride;
    const random = new SeededRandom(seed);
    const service = new ProofService({ seed });
    const timeGranularityMs = random.pick([1, 10, 1000, 2000]);
    const machine = new ProofMachine('m', service, {}, { timeGranularityMs });
    machine.skewMs = random.pick([0, 0, 10 * YEAR_MS, -10 * YEAR_MS, 3_600_000]);
    for (let i = 0; i < FILES; i++) machine.disk.user.writeFile(`f${i}`, `${i}`.padEnd(20, '.'));
    await machine.sync();
    for (let round = 0; round < 6; round++) {
      const expected = new Map<string, string>();
      for (let i = 0; i < 4; i++) {
        const path = `f${random.below(FILES)}`;
        const content = `${seed} ${round} ${i}`.padEnd(20, '.');
        const kept = machine.disk.user.modifiedMsOf(path) ?? 0;
        const options = random.pick([{}, { modifiedMs: kept }, { modifiedMs: kept - random.below(100_000) }]);
        // A time that is put back in the very tick in which a cycle looked shows nowhere: only the next tick changes the ctime.
        if ('modifiedMs' in options) service.clock.pass(timeGranularityMs + 20);
        if (random.chance(0.5)) machine.disk.user.writeFile(path, content, options);
        else machine.disk.user.replaceFile(path, content, options);
        expected.set(path, content);
        edits++;
        // Some edits come just after a cycle has looked, in the same tick.
        if (random.chance(0.4)) await machine.sync();
        if (random.chance(0.2)) service.clock.pass(random.below(5000));
      }
      await machine.sync();
      const objects = await service.objects();
      for (const [path, content] of expected) {
        if (objects.get(path) !== content)
          throw new Error(
            `seed ${seed}: the edit of ${path} to ${content} was missed (times of ${timeGranularityMs} ms, clock off by ${machine.skewMs} ms)`,
          );
      }
    }
  }
  return { edits };
}
