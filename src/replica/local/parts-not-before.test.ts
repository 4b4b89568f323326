import { describe, expect, it } from 'vitest';
import { simulatedWorld } from '../../../test/local/local-world.js';
import { fileEntryOf } from './fingerprint.js';
import { LocalSource } from './local-source.js';
import { partsNotBefore, type PartCopying } from './parts-not-before.js';
import { VersionBefore, type PartPlace } from './version-before.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A version before of so many bytes, and a new one of parts of one byte. */
async function versionBefore(sizeBytes: number, count: number): Promise<VersionBefore> {
  const world = simulatedWorld();
  world.write('f', 'x'.repeat(sizeBytes));
  const directory = await world.fileSystem.openRoot(world.root);
  const file = await directory.openFile('f');
  const base = new LocalSource(file, fileEntryOf('f', await file.stat(), 0), {
    fingerprintAtPath: async () => undefined,
  });
  const parts = { partSizeBytes: 1, digest: '', mayBe: () => true };
  return new VersionBefore(base, { parts, sizeBytes: count, count });
}

const named = ({ part, by }: PartPlace): string => (by === 0 ? `${part}` : `${part}@${by}`);

/** Copies that tell what is done with them, and are right where it is said. */
function copying(isRight: (place: PartPlace) => boolean, change: Partial<PartCopying<PartPlace>> = {}) {
  const log: string[] = [];
  const work: PartCopying<PartPlace> = {
    together: 1,
    async copy(place) {
      log.push(`copy ${named(place)}`);
      await turn();
      return place;
    },
    async keepRight(copies) {
      const names = copies.map(named).join(' ');
      log.push(`judge ${names}`);
      for (let i = 0; i < 3; i++) await turn();
      log.push(`judged ${names}`);
      return copies.map(isRight);
    },
    md5Of: async () => new Uint8Array(16),
    ...change,
  };
  return { work, log };
}

async function all(parts: AsyncIterable<number>): Promise<number[]> {
  const found: number[] = [];
  for await (const part of parts) found.push(part);
  return found;
}

describe('partsNotBefore', () => {
  it('gives what is not right, and what is not there', async () => {
    const before = await versionBefore(5, 5);
    const { work } = copying(({ part }) => part !== 1);
    const copy: (typeof work)['copy'] = async (place) => (place.part === 3 ? undefined : place);
    for (const together of [1, 2, 8])
      expect(await all(partsNotBefore(before, [0, 1, 2, 3, 4], { ...work, copy, together }))).toEqual([1, 3]);
  });

  it('gives nothing of nothing', async () => {
    const { work, log } = copying(() => false);
    expect(await all(partsNotBefore(await versionBefore(1, 1), [], work))).toEqual([]);
    expect(log).toEqual([]);
  });

  it('judges each before the next is copied', async () => {
    const { work, log } = copying(() => true);
    expect(await all(partsNotBefore(await versionBefore(2, 2), [0, 1], work))).toEqual([]);
    expect(log).toEqual(['copy 0', 'judge 0', 'judged 0', 'copy 1', 'judge 1', 'judged 1']);
  });

  it('judges those together that are copied together, while the next are copied', async () => {
    const { work, log } = copying(() => true, { together: 2 });
    await all(partsNotBefore(await versionBefore(5, 5), [0, 1, 2, 3, 4], work));
    expect(log).toEqual([
      'copy 0',
      'copy 1',
      'judge 0 1',
      'copy 2',
      'copy 3',
      'judged 0 1',
      'judge 2 3',
      'copy 4',
      'judged 2 3',
      'judge 4',
      'judged 4',
    ]);
  });

  it('tries those again first that were not found, where they may have been moved to', async () => {
    // One byte was put in before part 2.
    const isRight = ({ part, by }: PartPlace): boolean => (part < 2 ? by === 0 : part > 2 && by === 1);
    const { work, log } = copying(isRight, { together: 2 });
    const before = await versionBefore(8, 9);
    expect(await all(partsNotBefore(before, [0, 1, 2, 3, 4, 5, 6, 7, 8], work))).toEqual([2]);
    expect(log.filter((step) => step.startsWith('copy '))).toEqual([
      'copy 0',
      'copy 1',
      'copy 2',
      'copy 3',
      'copy 4',
      'copy 5',
      // What was copied meanwhile was tried in vain; what comes after is where they were found.
      'copy 2@1',
      'copy 3@1',
      'copy 4@1',
      'copy 5@1',
      'copy 6@1',
      'copy 7@1',
      'copy 8@1',
    ]);
  });

  it('gives what has to be fetched while others are copied', async () => {
    const { work, log } = copying(({ part }) => part !== 0);
    const parts = partsNotBefore(await versionBefore(3, 3), [0, 1, 2], work);
    expect(await parts.next()).toEqual({ done: false, value: 0 });
    expect(log).not.toContain('copy 1');
    expect(await all(parts)).toEqual([]);
    expect(log).toContain('copy 2');
  });

  it('fails when a copy or the judging fails, and has ended with that', async () => {
    const broken = new Error('broken');
    for (const fails of ['copy', 'keepRight'] as const) {
      const { work, log } = copying(() => true, { together: 1 });
      let calls = 0;
      const failing = {
        ...work,
        together: fails === 'copy' ? 2 : 1,
        [fails]: async (given: never) => {
          if (++calls === 3) throw broken;
          return await (work[fails] as (given: never) => Promise<never>)(given);
        },
      };
      const parts = partsNotBefore(await versionBefore(4, 4), [0, 1, 2, 3], failing);
      await expect(all(parts)).rejects.toBe(broken);
      expect(log.filter((step) => step.startsWith('judge '))).toHaveLength(
        log.filter((step) => step.startsWith('judged ')).length,
      );
    }
  });

  it('has ended with the judging when nobody wants more', async () => {
    const { work, log } = copying(({ part }) => part !== 0, { together: 2 });
    const parts = partsNotBefore(await versionBefore(6, 6), [0, 1, 2, 3, 4, 5], work);
    expect((await parts.next()).value).toBe(0);
    expect(log.at(-1)).toBe('judge 2 3');
    await parts.return();
    expect(log.at(-1)).toBe('judged 2 3');
  });
});
