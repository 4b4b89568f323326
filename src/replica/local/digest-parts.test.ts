import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { simulatedWorld } from '../../../test/local/local-world.js';
import { withChange } from '../../../test/with-change.js';
import type { FileParts, Hasher } from '../../core/hasher.js';
import { StaleError } from '../../errors.js';
import { plainHasher } from '../wrap/plain-hasher.js';
import { digestParts, partsTogether } from './digest-parts.js';
import type { FileHandle } from './file-system.js';

const TEXT = 'aaaabbbbccccddddee';
const PARTS = ['aaaa', 'bbbb', 'cccc', 'dddd', 'ee'];
const DESCRIPTOR = 7;
const md5s = (parts: readonly string[]): string[] => parts.map((part) => createHash('md5').update(part).digest('hex'));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An open file, threads that know its content, and what was done with both, in its order. */
async function bench({
  text = TEXT,
  partsAtOnce = 2,
  can = () => true,
  wrap = (file: FileHandle) => withChange(file, { descriptor: DESCRIPTOR }),
}: {
  readonly text?: string;
  readonly partsAtOnce?: number;
  readonly can?: (start: number) => boolean;
  readonly wrap?: (file: FileHandle) => FileHandle;
} = {}) {
  const world = simulatedWorld();
  world.write('f', text);
  const directory = await world.fileSystem.openRoot(world.root);
  const done: string[] = [];
  const inner = await directory.openFile('f');
  const file = wrap(
    withChange(inner, {
      read(buffer, position) {
        done.push(`read ${position}-${position + buffer.length}`);
        return inner.read(buffer, position);
      },
    }),
  );
  const asked: FileParts[] = [];
  const hasher: Hasher = {
    ...plainHasher,
    files: {
      partsAtOnce,
      async hash(algorithm, question) {
        asked.push(question);
        const names = question.parts.map(({ start }) => start).join();
        done.push(`hash ${names}`);
        for (let i = 0; i < 5; i++) await turn();
        done.push(`hashed ${names}`);
        return question.parts.map(({ start, end }) =>
          can(start) ? createHash(algorithm).update(text.slice(start, end)).digest() : undefined,
        );
      },
    },
  };
  const digest = async (options: Partial<Parameters<typeof digestParts>[1]> = {}): Promise<string[]> =>
    (await digestParts({ file, sizeBytes: TEXT.length, partSizeBytes: 4 }, { hasher, ...options })).map((md5) =>
      Buffer.from(md5).toString('hex'),
    );
  return { digest, done, asked, world };
}

describe('digestParts', () => {
  it('has parts hashed together that were read before, in order, and reads the next ones meanwhile', async () => {
    const { digest, done, asked } = await bench();
    expect(await digest()).toEqual(md5s(PARTS));
    expect(done).toEqual([
      'read 0-4',
      'read 4-8',
      'hash 0,4',
      'read 8-12',
      'read 12-16',
      'hashed 0,4',
      'hash 8,12',
      'read 16-18',
      'hashed 8,12',
      'hash 16',
      'hashed 16',
    ]);
    expect(asked[0]).toEqual({
      descriptor: DESCRIPTOR,
      parts: [
        { start: 0, end: 4 },
        { start: 4, end: 8 },
      ],
      totalBytes: TEXT.length,
    });
  });

  it('reads and hashes those parts alone that are wanted', async () => {
    for (const can of [() => true, () => false]) {
      const { digest, asked } = await bench({ can });
      expect(await digest({ parts: [0, 2, 4] })).toEqual(md5s(['aaaa', 'cccc', 'ee']));
      expect(asked.map(({ parts }) => parts.map(({ start }) => start))).toEqual([[0, 8], [16]]);
    }
    const { digest, done } = await bench();
    expect(await digest({ parts: [0, 2, 4] })).toEqual(md5s(['aaaa', 'cccc', 'ee']));
    expect(done.filter((step) => step.startsWith('read'))).toEqual(['read 0-4', 'read 8-12', 'read 16-18']);
    const here = await bench();
    expect(await here.digest({ parts: [3], hasher: undefined })).toEqual(md5s(['dddd']));
    expect(await here.digest({ parts: [] })).toEqual([]);
  });

  it('hashes here what they cannot', async () => {
    const { digest } = await bench({ can: (start) => start !== 4 && start !== 16 });
    expect(await digest()).toEqual(md5s(PARTS));
    const none = await bench({ can: () => false });
    expect(await none.digest()).toEqual(md5s(PARTS));
  });

  it.each<[string, Parameters<typeof bench>[0], Partial<Parameters<typeof digestParts>[1]>]>([
    ['where there are none', {}, { hasher: undefined }],
    ['where there are never any', {}, { hasher: plainHasher }],
    ['of a file that they cannot know', { wrap: (file) => file }, {}],
  ])('asks no other thread %s, and reads once', async (_, how, options) => {
    const { digest, done, asked } = await bench(how);
    expect(await digest(options)).toEqual(md5s(PARTS));
    expect(asked).toEqual([]);
    expect(done).toHaveLength(PARTS.length);
  });

  it('makes one of a file of one part, and of an empty one, here', async () => {
    for (const text of ['abc', '']) {
      const { world } = await bench({ text });
      const file = await (await world.fileSystem.openRoot(world.root)).openFile('f');
      const found = await digestParts({ file, sizeBytes: text.length, partSizeBytes: 4 });
      expect(found.map((md5) => Buffer.from(md5).toString('hex'))).toEqual(md5s([text]));
    }
  });

  it('says so when the file is shorter by now, and when it cannot be read, once nobody reads it any more', async () => {
    const short = await bench({ text: TEXT.slice(0, 13) });
    await expect(short.digest()).rejects.toThrow(StaleError);
    expect(short.done.at(-1)).toBe('hashed 0,4');
    await expect((await bench({ text: 'aaaabb' })).digest({ hasher: undefined })).rejects.toThrow(StaleError);
    const broken = await bench();
    broken.world.disk.fault = (operation) => (operation.startsWith('read ') ? 'EIO' : undefined);
    await expect(broken.digest()).rejects.toMatchObject({ code: 'EIO' });
  });

  it('stops when it is told to, once nobody reads the file any more', async () => {
    const stopper = new AbortController();
    const { digest, done } = await bench();
    const digesting = digest({ signal: stopper.signal });
    while (!done.includes('hash 0,4')) await turn();
    stopper.abort();
    await expect(digesting).rejects.toThrow('aborted');
    expect(done.at(-1)).toBe('hashed 0,4');
    expect(done).not.toContain('hash 8,12');
  });
});

describe('partsTogether', () => {
  it.each([
    [8, 8],
    [16, 8],
    [17, 7],
    [64, 2],
    [128, 1],
    [5000, 1],
  ])('of %i MiB are %i, so that they are in memory still', (mib, count) => {
    expect(partsTogether({ partsAtOnce: 8, hash: async () => [] }, mib * 1024 * 1024)).toBe(count);
  });
});
