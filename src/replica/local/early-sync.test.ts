import { describe, expect, it } from 'vitest';
import { simulatedWorld } from '../../../test/local/local-world.js';
import { withChange } from '../../../test/with-change.js';
import { EarlySync } from './early-sync.js';

/** A file whose syncs end when they are told to. */
async function bench() {
  const world = simulatedWorld();
  const directory = await world.fileSystem.openRoot(world.root);
  const file = await directory.createFile('stage');
  const syncs: ((error?: Error) => void)[] = [];
  const slow = withChange(file, {
    sync: () =>
      new Promise<void>((resolve, reject) => {
        syncs.push((error) => (error === undefined ? resolve() : reject(error)));
      }),
  });
  return { early: new EarlySync(slow, 10), syncs };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('EarlySync', () => {
  it('syncs after so many bytes, one at a time, and counts on meanwhile', async () => {
    const { early, syncs } = await bench();
    early.wrote(9);
    expect(syncs).toHaveLength(0);
    early.wrote(1);
    expect(syncs).toHaveLength(1);
    early.wrote(30);
    expect(syncs).toHaveLength(1);
    syncs[0]?.();
    await turn();
    early.wrote(1);
    expect(syncs).toHaveLength(2);
    syncs[1]?.();
    await early.end();
    early.wrote(9);
    expect(syncs).toHaveLength(2);
  });

  it('has ended only when the sync has that is under way', async () => {
    const { early, syncs } = await bench();
    early.wrote(10);
    let hasEnded = false;
    const ended = early.end().then(() => (hasEnded = true));
    await turn();
    expect(hasEnded).toBe(false);
    syncs[0]?.();
    await ended;
  });

  it('syncs no more after a failure, and says each time what it was', async () => {
    const { early, syncs } = await bench();
    early.wrote(10);
    syncs[0]?.(new Error('the disk is worn out'));
    await expect(early.end()).rejects.toThrow('worn out');
    early.wrote(100);
    expect(syncs).toHaveLength(1);
    await expect(early.end()).rejects.toThrow('worn out');
  });
});
