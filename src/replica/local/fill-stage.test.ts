import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { simulatedWorld, sourceOf } from '../../../test/local/local-world.js';
import { withChange } from '../../../test/with-change.js';
import type { DigestScheme } from '../../core/digest.js';
import type { FileParts, Hasher } from '../../core/hasher.js';
import type { PartHints, Source } from '../replica.js';
import { plainHasher } from '../wrap/plain-hasher.js';
import { planRanges, StageFilling, type FillingOptions } from './fill-stage.js';
import type { DirectoryHandle, FileHandle } from './file-system.js';
import { fileEntryOf } from './fingerprint.js';
import { LocalSource } from './local-source.js';
import { StageRecord } from './stage-record.js';

const MIB = 1024 * 1024;
const RANGE = 10;
const TEXT = 'aaaaaaaaaabbbbbbbbbbccccc';
const WHOLE: DigestScheme = { partSizeBytes: undefined };
const PARTS: DigestScheme = { partSizeBytes: RANGE };
const md5 = (data: string | Uint8Array): Buffer => createHash('md5').update(data).digest();
const hex = (data: string | Uint8Array): string => md5(data).toString('hex');
const partsOf = (text: string): string[] => text.match(/.{1,10}/gs) ?? [];
const digestOfParts = (text: string): string =>
  `md5-${RANGE}:${hex(Buffer.concat(partsOf(text).map((part) => md5(part))))}-${partsOf(text).length}`;
const IDENTITY = { path: 'f', fingerprint: 'etag', sizeBytes: TEXT.length, rangeBytes: RANGE };
const TEXT_RANGES = [
  [0, 10],
  [10, 20],
  [20, 25],
] as const;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('planRanges', () => {
  it.each<[string, number, DigestScheme | undefined, number, ReturnType<typeof planRanges>]>([
    [
      'ranges of the usual size, hashed for a digest of ours',
      25,
      undefined,
      10,
      { rangeBytes: 10, count: 3, hashed: PARTS },
    ],
    ['several ranges, though the whole has one digest', 25, WHOLE, 10, { rangeBytes: 10, count: 3, hashed: undefined }],
    ['one range, hashed as a whole', 10, WHOLE, 10, { rangeBytes: 10, count: 1, hashed: WHOLE }],
    ['one range, hashed though nothing is known of it', 9, undefined, 10, { rangeBytes: 10, count: 1, hashed: WHOLE }],
    ['nothing', 0, undefined, 10, { rangeBytes: 10, count: 0, hashed: WHOLE }],
    ['the parts of its digest', 25, PARTS, 5, { rangeBytes: 10, count: 3, hashed: PARTS }],
    ['parts of the usual size', 25, PARTS, 10, { rangeBytes: 10, count: 3, hashed: PARTS }],
    ['the usual ranges, where the parts are smaller', 25, PARTS, 11, { rangeBytes: 11, count: 3, hashed: undefined }],
    ['one range of several small parts, not hashed', 25, PARTS, 30, { rangeBytes: 30, count: 1, hashed: undefined }],
  ])('divides into %s', (_, sizeBytes, known, usualBytes, plan) => {
    expect(planRanges(sizeBytes, known, usualBytes)).toEqual(plan);
  });

  it.each([
    [MIB, true],
    [MIB - 1, false],
    [64 * MIB, true],
    [64 * MIB + 1, false],
  ])('takes parts of %i bytes, beside ranges of 8 MiB: %s', (partSizeBytes, isTaken) => {
    const { rangeBytes } = planRanges(100 * MIB, { partSizeBytes }, 8 * MIB);
    expect(rangeBytes).toBe(isTaken ? partSizeBytes : 8 * MIB);
  });
});

describe('StageFilling', () => {
  /** A staged file on a simulated disk, and what fills it. */
  async function stage(
    change: Partial<FillingOptions> & {
      /** What is in the staged file already, and what is noted of it: range, length, and what it was when it came. */
      readonly there?: string;
      readonly noted?: readonly (readonly [range: number, length: number, content: string])[];
      readonly rangeBytes?: number;
      readonly wrap?: (file: FileHandle) => FileHandle;
    } = {},
  ) {
    const { there = '', noted, rangeBytes = RANGE, wrap, ...options } = change;
    const world = simulatedWorld();
    const directory = await world.fileSystem.openRoot(world.root);
    const file = await directory.createFile('stage');
    await file.write(Buffer.from(there), 0);
    const record = noted && (await recordOf(directory, noted));
    const source = options.source ?? sourceOf(TEXT);
    const told: number[] = [];
    const known = 'known' in options ? options.known : PARTS;
    const filling = new StageFilling({
      path: 'f',
      source,
      plan: planRanges(source.entry.sizeBytes, known, rangeBytes),
      known,
      file: wrap?.(file) ?? file,
      hasher: undefined,
      syncEveryBytes: Infinity,
      record,
      base: undefined,
      concurrency: 1,
      signal: undefined,
      onBytes: (count) => told.push(count),
      ...options,
    });
    return { world, filling, told, text: () => world.read('stage') };
  }

  /** A record as an earlier run has left it. */
  async function recordOf(
    directory: DirectoryHandle,
    noted: readonly (readonly [range: number, length: number, content: string])[],
  ): Promise<StageRecord | undefined> {
    const record = await StageRecord.create(directory, 'record', IDENTITY);
    for (const [range, length, content] of noted) await record.note(range, length, crc32(content));
    await record.close();
    return await StageRecord.open(directory, 'record', IDENTITY);
  }

  /** Lines of the record on the disk, without its head. */
  const linesOf = ({ world }: Awaited<ReturnType<typeof stage>>): string[] =>
    (world.read('record') ?? '')
      .split('\n')
      .slice(1)
      .filter((line) => line !== '');
  const line = (range: number, content: string): string =>
    `${range} ${content.length} ${crc32(content).toString(16).padStart(8, '0')}`;

  /** Content that tells what it was asked for. */
  function watched(text = TEXT, change: Partial<Source> = {}): Source & { readonly asked: [number, number][] } {
    const asked: [number, number][] = [];
    const inner = sourceOf(text);
    return {
      ...inner,
      asked,
      async *read(start, end) {
        asked.push([start, end]);
        yield* inner.read(start, end);
      },
      ...change,
    };
  }

  /** Content of which each range does what it is told to. */
  function acting(act: (range: number, signal: AbortSignal | undefined) => Promise<string | undefined>): Source {
    const inner = sourceOf(TEXT);
    return {
      ...inner,
      async *read(start, end, signal) {
        yield Buffer.from((await act(start / RANGE, signal)) ?? TEXT.slice(start, end));
      },
    };
  }

  const DESCRIPTOR = 7;
  const described = (file: FileHandle): FileHandle => withChange(file, { descriptor: DESCRIPTOR });

  /** Threads that know the content by what was written of it. */
  function threads(text: () => string | undefined, can: (start: number) => boolean, partsAtOnce: number) {
    const asked: FileParts[] = [];
    const hasher: Hasher = {
      ...plainHasher,
      files: {
        partsAtOnce,
        async hash(algorithm, file) {
          asked.push(file);
          await turn();
          return file.parts.map(({ start, end }) => {
            const content = Buffer.from(text() ?? '').subarray(start, end);
            return can(start) ? createHash(algorithm).update(content).digest() : undefined;
          });
        },
      },
    };
    return { asked, hasher };
  }

  it('brings in all ranges, and hashes each while it passes', async () => {
    const { filling, told, text } = await stage();
    expect(filling.isAllFetched).toBe(false);
    expect(await filling.fill(true)).toBe(digestOfParts(TEXT));
    expect(text()).toBe(TEXT);
    expect(filling.md5s).toEqual(partsOf(TEXT).map((part) => hex(part)));
    expect(told).toEqual([10, 10, 5]);
    expect(filling.isAllFetched).toBe(true);
  });

  it('writes all that came, however long the disk takes to read the memory that it was given', async () => {
    const text = Array.from({ length: 300_000 }, (_, i) => `${i} `)
      .join('')
      .slice(0, 1.9 * MIB);
    const slow = (file: FileHandle): FileHandle =>
      withChange(file, {
        async write(bytes, position) {
          for (let i = 0; i < 3; i++) await turn();
          await file.write(bytes, position);
        },
      });
    const rangeBytes = 1.5 * MIB;
    const source = sourceOf(text, { chunk: 100_000 });
    const bench = await stage({ source, known: undefined, rangeBytes, concurrency: 2, wrap: slow, noted: [] });
    await bench.filling.fill(true);
    expect(bench.text() === text).toBe(true);
  });

  it('hashes the whole when all is there, where the ranges do not give its digest', async () => {
    const { filling } = await stage({ known: WHOLE });
    expect(await filling.fill(true)).toBe(`md5:${hex(TEXT)}`);
    expect(filling.md5s).toBeUndefined();
  });

  it('makes a digest of ours where the source has none', async () => {
    const { filling } = await stage({ known: undefined });
    expect(await filling.fill(true)).toBe(await (await stage()).filling.fill(true));
  });

  it('hashes one range as the whole, and no range as nothing', async () => {
    const one = await stage({ source: sourceOf('short'), known: undefined });
    expect(await one.filling.fill(true)).toBe(`md5:${hex('short')}`);
    const none = await stage({ source: sourceOf(''), known: undefined });
    expect(await none.filling.fill(true)).toBe(`md5:${hex('')}`);
    expect([none.told, none.filling.isAllFetched]).toEqual([[], true]);
  });

  it('works on so many ranges at once, each once', async () => {
    let now = 0;
    let most = 0;
    const asked: number[] = [];
    const source = acting(async (range) => {
      asked.push(range);
      most = Math.max(most, ++now);
      await turn();
      now--;
      return undefined;
    });
    const { filling, text } = await stage({ source, concurrency: 2 });
    await filling.fill(true);
    expect([asked, most, text()]).toEqual([[0, 1, 2], 2, TEXT]);
  });

  it('stops all at the first failure, and waits for them: none writes into a file that was given up', async () => {
    let ended = false;
    const asked: number[] = [];
    const source = acting(async (range, signal) => {
      asked.push(range);
      if (range === 1) throw new Error('the second is refused');
      while (signal?.aborted !== true) await turn();
      await turn();
      ended = true;
      return undefined;
    });
    const { filling, text } = await stage({ source, concurrency: 2 });
    await expect(filling.fill(true)).rejects.toThrow('the second is refused');
    expect([ended, asked, text()]).toEqual([true, [0, 1], '']);
  });

  it.each([1, 2])('says that the caller stopped, whatever failed for that: %i at once', async (concurrency) => {
    const stop = new AbortController();
    const source = acting(async () => {
      stop.abort(new Error('enough'));
      throw new Error('the line was cut');
    });
    const { filling } = await stage({ source, concurrency, signal: stop.signal });
    await expect(filling.fill(true)).rejects.toThrow('enough');
  });

  it.each([
    ['several', TEXT],
    ['one', 'short'],
  ])('writes nothing that comes after the caller has stopped: %s ranges', async (_, content) => {
    const stop = new AbortController();
    const inner = sourceOf(content);
    const source: Source = {
      ...inner,
      async *read(start, end) {
        stop.abort();
        yield* inner.read(start, end);
      },
    };
    const { filling, text, told } = await stage({ source, signal: stop.signal });
    await expect(filling.fill(true)).rejects.toMatchObject({ name: 'AbortError' });
    expect([text(), told]).toEqual(['', []]);
  });

  it('is not done when the caller stops with the last bytes', async () => {
    const stop = new AbortController();
    const { filling } = await stage({ source: sourceOf('short'), signal: stop.signal, onBytes: () => stop.abort() });
    await expect(filling.fill(true)).rejects.toMatchObject({ name: 'AbortError' });
  });

  it.each([
    ['longer', 'bbbbbbbbbbXX', 12],
    ['shorter', 'bbbbbbb', 7],
  ])('does not take a range that is %s than was asked for', async (_, content, found) => {
    const source = acting(async (range) => (range === 1 ? content : undefined));
    const { filling, text } = await stage({ source });
    await expect(filling.fill(true)).rejects.toMatchObject({
      code: 'ERR_DOWNLOAD_INCOMPLETE',
      message: `The content of "f" came with the wrong length: 10 bytes were asked for, ${found} or more came. It was not put into place; the next run tries again.`,
      retryable: true,
      data: { path: 'f', expected: 10, found },
    });
    expect(text()).not.toContain('X');
  });

  describe('with other threads that hash the file', () => {
    /** A stage whose file is hashed so. */
    async function hashed(
      options: Parameters<typeof stage>[0] = {},
      can: (start: number) => boolean = () => true,
      partsAtOnce = 1,
    ) {
      let text = (): string | undefined => undefined;
      const { asked, hasher } = threads(() => text(), can, partsAtOnce);
      const bench = await stage({ hasher, wrap: described, ...options });
      ({ text } = bench);
      let reads = 0;
      bench.world.disk.step = (operation) => void (reads += operation.startsWith('read ') ? 1 : 0);
      return { ...bench, asked, readsHere: () => reads };
    }

    it('has them hash each range when it is written', async () => {
      const { filling, asked, text, readsHere } = await hashed();
      expect(await filling.fill(true)).toBe(digestOfParts(TEXT));
      expect(asked).toEqual([
        { descriptor: DESCRIPTOR, parts: [{ start: 0, end: 10 }], totalBytes: 25 },
        { descriptor: DESCRIPTOR, parts: [{ start: 10, end: 20 }], totalBytes: 25 },
        { descriptor: DESCRIPTOR, parts: [{ start: 20, end: 25 }], totalBytes: 25 },
      ]);
      expect([text(), readsHere()]).toEqual([TEXT, 0]);
      expect(filling.md5s).toEqual(partsOf(TEXT).map((part) => hex(part)));
    });

    it.each([
      [2, [[0, 10], [20]]],
      [3, [[0, 10, 20]]],
      [8, [[0, 10, 20]]],
    ])('has %i hashed together, and the last ones when all are there', async (partsAtOnce, together) => {
      for (const can of [() => true, (start: number) => start !== 10]) {
        const { filling, asked, readsHere } = await hashed({}, can, partsAtOnce);
        expect(await filling.fill(true)).toBe(digestOfParts(TEXT));
        expect(asked.map(({ parts }) => parts.map(({ start }) => start))).toEqual(together);
        expect(readsHere()).toBe(can(10) ? 0 : 1);
        expect(filling.md5s).toEqual(partsOf(TEXT).map((part) => hex(part)));
      }
    });

    it('hashes nothing that waits when a range fails, and all of it when it is filled again', async () => {
      let fails = true;
      const source = acting(async (range) => {
        if (range === 2 && fails) throw new Error('the line broke');
        return undefined;
      });
      const { filling, asked } = await hashed({ source }, () => true, 8);
      await expect(filling.fill(true)).rejects.toThrow('the line broke');
      expect(asked).toEqual([]);
      fails = false;
      expect(await filling.fill(false)).toBe(digestOfParts(TEXT));
    });

    it('brings in other ranges meanwhile, and has ended with all before it is done, or has failed', async () => {
      for (const fails of [false, true]) {
        let open = (): void => {};
        const gate = new Promise<void>((resolve) => {
          open = resolve;
        });
        let asked = 0;
        let ended = 0;
        const hasher: Hasher = {
          ...plainHasher,
          files: {
            partsAtOnce: 1,
            async hash() {
              if (++asked === 2) open();
              await gate;
              for (let i = 0; i < 10; i++) await turn();
              ended++;
              return [];
            },
          },
        };
        const source = acting(async (range) => {
          if (fails && range === 2) throw new Error('the line broke');
          return undefined;
        });
        const { filling } = await stage({ source, hasher, wrap: described });
        const filled = filling.fill(true);
        if (fails) await expect(filled).rejects.toThrow('the line broke');
        else expect(await filled).toBe(digestOfParts(TEXT));
        expect([asked, ended]).toEqual(fails ? [2, 2] : [3, 3]);
      }
    });

    it('fails when it cannot be read here either', async () => {
      const bench = await hashed({}, () => false);
      bench.world.disk.fault = (operation) => (operation.startsWith('read ') ? 'EIO' : undefined);
      await expect(bench.filling.fill(true)).rejects.toMatchObject({ code: 'EIO' });
    });

    it('hashes here what they cannot, in the file as well', async () => {
      const { filling, asked, readsHere } = await hashed({}, (start) => start !== 10);
      expect(await filling.fill(true)).toBe(digestOfParts(TEXT));
      expect([asked.length, readsHere()]).toEqual([3, 1]);
    });

    it('takes what is in the file, and not what came', async () => {
      const damage = (file: FileHandle): FileHandle =>
        withChange(described(file), {
          write: (bytes, position) => file.write(position === 10 ? Buffer.from('bbbbXbbbbb') : bytes, position),
        });
      for (const can of [() => true, () => false]) {
        const { filling } = await hashed({ wrap: damage }, can);
        expect(await filling.fill(true)).toBe(digestOfParts('aaaaaaaaaabbbbXbbbbbccccc'));
      }
    });

    it('makes another digest of a file that somebody has cut short', async () => {
      const cut = (file: FileHandle): FileHandle =>
        withChange(described(file), {
          write: (bytes, position) => (position === 20 ? Promise.resolve() : file.write(bytes, position)),
        });
      const { filling } = await hashed({ wrap: cut }, () => false);
      const found = await filling.fill(true);
      expect(found).toMatch(/-3$/);
      expect(found).not.toBe(digestOfParts(TEXT));
    });

    it('has them hash all of a range that an earlier run has begun, or ended', async () => {
      const { filling, asked } = await hashed({
        there: 'aaaaaaaaaabbbb',
        noted: [
          [0, 10, 'aaaaaaaaaa'],
          [1, 4, 'bbbb'],
        ],
      });
      expect(await filling.fill(true)).toBe(digestOfParts(TEXT));
      expect(asked.flatMap(({ parts }) => parts.map(({ start }) => start))).toEqual([0, 10, 20]);
    });

    it.each<[string, Parameters<typeof stage>[0], number]>([
      ['a file of one range, which is hashed on its way', { source: sourceOf('short'), known: undefined }, 0],
      ['what is not hashed in ranges', { known: WHOLE }, 1],
      ['a file that they cannot know', { wrap: (file) => file }, 0],
      ['anything, where there are none', { hasher: plainHasher }, 0],
    ])('does not ask them for %s', async (_, options, reads) => {
      const { filling, asked, readsHere } = await hashed(options);
      expect(await filling.fill(true)).toBeDefined();
      expect([asked, readsHere()]).toEqual([[], reads]);
    });
  });

  describe('makes the file durable while more arrives', () => {
    /** What was done with the disk, with those bytes between two syncs. */
    async function synced(syncEveryBytes: number, options: Parameters<typeof stage>[0] = {}) {
      const bench = await stage({ ...options, syncEveryBytes });
      const done: string[] = [];
      bench.world.disk.step = (operation) => void done.push(operation.split(' ')[0] ?? '');
      return { ...bench, done };
    }

    it.each([
      [10, 2],
      [20, 1],
      [25, 1],
      [26, 0],
    ])('after each %s bytes', async (everyBytes, count) => {
      const { filling, done } = await synced(everyBytes);
      expect(await filling.fill(true)).toBe(digestOfParts(TEXT));
      expect(done.filter((operation) => operation === 'sync')).toHaveLength(count);
    });

    it('fails when that fails, whatever else does, and however well it goes the next time', async () => {
      const inner = sourceOf(TEXT);
      const source: Source = {
        ...inner,
        async *read(start, end) {
          if (start > 0) throw new Error('the line broke');
          yield* inner.read(start, end);
        },
      };
      const { filling, world } = await synced(10, { source });
      let faults = 0;
      world.disk.fault = (operation) => (operation.startsWith('sync') && faults++ === 0 ? 'EIO' : undefined);
      await expect(filling.fill(true)).rejects.toMatchObject({ code: 'EIO' });
      await expect(filling.fill(true)).rejects.toMatchObject({ code: 'EIO' });
      expect(faults).toBe(1);
    });

    it('has ended with that before it is done, or has failed', async () => {
      for (const fails of [false, true]) {
        const inner = sourceOf(TEXT);
        const source: Source = {
          ...inner,
          async *read(start, end) {
            if (fails && start === 10) throw new Error('the line broke');
            yield* inner.read(start, end);
          },
        };
        let under = 0;
        const slow = (file: FileHandle): FileHandle =>
          withChange(file, {
            async sync() {
              under++;
              for (let i = 0; i < 100; i++) await turn();
              under--;
            },
          });
        const { filling } = await synced(10, { source, wrap: slow });
        const filled = filling.fill(true);
        if (fails) await expect(filled).rejects.toThrow('the line broke');
        else expect(await filled).toBe(digestOfParts(TEXT));
        expect(under).toBe(0);
      }
    });
  });

  describe('with what an earlier run has noted', () => {
    it('goes on behind it, tells all of it, and hashes all of it', async () => {
      const source = watched();
      const { filling, told, text } = await stage({
        source,
        there: 'aaaaaaaaaabbbb',
        noted: [
          [0, 10, 'aaaaaaaaaa'],
          [1, 4, 'bbbb'],
        ],
      });
      expect(await filling.fill(true)).toBe(digestOfParts(TEXT));
      expect(source.asked).toEqual([
        [14, 20],
        [20, 25],
      ]);
      expect([told, text(), filling.isAllFetched]).toEqual([[10, 4, 6, 5], TEXT, false]);
    });

    it.each<[string, string, readonly [number, number, string]]>([
      ['is other bytes than came', 'aaaaaaaaaabbbXbbbbbb', [1, 10, 'bbbbbbbbbb']],
      ['is not on the disk to its end', 'aaaaaaaaaabbbbb', [1, 10, 'bbbbbbbbbb']],
      ['is longer than the range', 'aaaaaaaaaabbbbbbbbbbc', [1, 11, 'bbbbbbbbbbc']],
      ['is nothing', 'aaaaaaaaaabbbbbbbbbb', [1, 0, '']],
    ])('fetches the whole range when it %s', async (_, there, noted) => {
      const source = watched();
      const { filling, told, text } = await stage({ source, there, noted: [noted] });
      expect(await filling.fill(true)).toBe(digestOfParts(TEXT));
      expect(source.asked).toEqual([
        [0, 10],
        [10, 20],
        [20, 25],
      ]);
      expect([told, text(), filling.isAllFetched]).toEqual([[10, 10, 5], TEXT, true]);
    });

    it('fetches it again when it is not to be believed, only it, and tells it once', async () => {
      const source = watched();
      const { filling, told, text } = await stage({ source, there: TEXT, noted: [[1, 10, 'bbbbbbbbbb']] });
      expect(await filling.fill(true)).toBe(digestOfParts(TEXT));
      source.asked.length = 0;
      expect(await filling.fill(false)).toBe(digestOfParts(TEXT));
      expect(source.asked).toEqual([[10, 20]]);
      expect([told, text(), filling.isAllFetched]).toEqual([[10, 10, 5], TEXT, true]);
    });

    it('reads a long one block by block', async () => {
      const text = 'The quick brown fox. '.repeat(150_000).slice(0, 2.5 * MIB);
      const length = 2.25 * MIB;
      const source = watched(text);
      const { filling, told } = await stage({
        source,
        known: WHOLE,
        rangeBytes: 4 * MIB,
        there: text.slice(0, length),
        noted: [[0, length, text.slice(0, length)]],
      });
      expect(await filling.fill(true)).toBe(`md5:${hex(text)}`);
      expect(source.asked).toEqual([[length, text.length]]);
      expect(told).toEqual([length, 65_536, 65_536, 65_536, 65_536]);
    });

    it.each([1, 2])('reads none of it once the caller has stopped: %i at once', async (concurrency) => {
      const source = watched();
      const { filling, told } = await stage({
        source,
        there: TEXT,
        noted: [
          [0, 10, 'aaaaaaaaaa'],
          [1, 10, 'bbbbbbbbbb'],
        ],
        concurrency,
        signal: AbortSignal.abort(),
      });
      await expect(filling.fill(true)).rejects.toMatchObject({ name: 'AbortError' });
      expect([source.asked, told]).toEqual([[], []]);
    });
  });

  describe('notes for a later run', () => {
    it('each range, when all of it is there', async () => {
      const bench = await stage({ noted: [], there: '' });
      await bench.filling.fill(true);
      expect(linesOf(bench)).toEqual([line(0, 'aaaaaaaaaa'), line(1, 'bbbbbbbbbb'), line(2, 'ccccc')]);
    });

    it('only what is new of a range that was begun', async () => {
      const bench = await stage({ noted: [[1, 4, 'bbbb']], there: 'aaaaaaaaaabbbb' });
      await bench.filling.fill(true);
      expect(linesOf(bench)).toEqual([line(1, 'bbbb'), line(0, 'aaaaaaaaaa'), line(1, 'bbbbbbbbbb'), line(2, 'ccccc')]);
    });

    it('each MiB of a long range, as it comes, and its end once', async () => {
      const text = 'The quick brown fox. '.repeat(150_000).slice(0, 2.5 * MIB);
      for (const length of [2.5 * MIB, 2 * MIB]) {
        const source = sourceOf(text.slice(0, length), { chunk: MIB / 2 });
        const bench = await stage({ source, known: undefined, noted: [], rangeBytes: 4 * MIB });
        await bench.filling.fill(true);
        const ends = [...new Set([MIB, 2 * MIB, length])];
        expect(linesOf(bench)).toEqual(ends.map((end) => line(0, text.slice(0, end))));
      }
    });

    it('what came before a failure, for each MiB of a range', async () => {
      const text = `${'x'.repeat(2 * MIB)}${'y'.repeat(2 * MIB)}`;
      const inner = sourceOf(text, { chunk: MIB });
      const source: Source = {
        ...inner,
        async *read(start, end) {
          yield* inner.read(start, start === 0 ? end : start + MIB);
          if (start > 0) throw new Error('the line broke');
        },
      };
      const bench = await stage({ source, known: undefined, noted: [], rangeBytes: 2 * MIB });
      await expect(bench.filling.fill(true)).rejects.toThrow('the line broke');
      expect(linesOf(bench)).toEqual([
        line(0, text.slice(0, MIB)),
        line(0, text.slice(0, 2 * MIB)),
        line(1, text.slice(2 * MIB, 3 * MIB)),
      ]);
    });

    it('no range as whole that did not end where it should', async () => {
      const source: Source = {
        ...sourceOf('x'.repeat(MIB)),
        async *read() {
          yield Buffer.alloc(MIB, 'x');
          yield Buffer.from('more');
        },
      };
      const bench = await stage({ source, known: undefined, noted: [], rangeBytes: MIB });
      await expect(bench.filling.fill(true)).rejects.toMatchObject({ code: 'ERR_DOWNLOAD_INCOMPLETE' });
      expect(linesOf(bench)).toEqual([]);
    });

    it('nothing where no later run goes on', async () => {
      const bench = await stage({ source: sourceOf('x'.repeat(2.5 * MIB)), known: undefined, rangeBytes: 4 * MIB });
      await bench.filling.fill(true);
      expect(bench.world.read('record')).toBeUndefined();
    });
  });

  describe('with the version that stands in the place of the file', () => {
    const OLD = 'aaaaaaaaaaBBBBBBBBBBccccc';

    /** The old version, open, and hints that are right unless they are told otherwise. */
    async function over(old = OLD, hints: Partial<PartHints> = {}, options: Parameters<typeof stage>[0] = {}) {
      const other = simulatedWorld();
      other.write('f', old);
      const directory = await other.fileSystem.openRoot(other.root);
      const file = await directory.openFile('f');
      const base = new LocalSource(file, fileEntryOf('f', await file.stat(), 0), {
        fingerprintAtPath: async () => undefined,
      });
      const source = watched(TEXT, {
        parts: {
          partSizeBytes: RANGE,
          digest: digestOfParts(TEXT),
          mayBe: (part, sum) => md5(partsOf(TEXT)[part] ?? '').equals(sum),
          ...hints,
        },
      });
      return { other, file, source, ...(await stage({ source, base, noted: [], ...options })) };
    }

    it('takes what is the same from there, tells it, notes it, and hashes it', async () => {
      const bench = await over();
      expect(await bench.filling.fill(true)).toBe(digestOfParts(TEXT));
      expect(bench.source.asked).toEqual([[10, 20]]);
      expect([bench.told, bench.text(), bench.filling.isAllFetched]).toEqual([[10, 10, 5], TEXT, false]);
      expect(bench.filling.md5s).toEqual(partsOf(TEXT).map((part) => hex(part)));
      expect(linesOf(bench)).toEqual([line(0, 'aaaaaaaaaa'), line(1, 'bbbbbbbbbb'), line(2, 'ccccc')]);
    });

    it('fetches it after all when it is not to be believed, and tells it once', async () => {
      const bench = await over(OLD, { mayBe: () => true });
      expect(await bench.filling.fill(true)).toBe(digestOfParts(OLD));
      expect(bench.source.asked).toEqual([]);
      expect(await bench.filling.fill(false)).toBe(digestOfParts(TEXT));
      expect(bench.source.asked).toHaveLength(3);
      expect([bench.told, bench.text()]).toEqual([[10, 10, 5], TEXT]);
    });

    it.each<[string, string, Partial<PartHints>, number]>([
      ['that it does not reach to the end of', OLD.slice(0, 24), {}, 2],
      ['of another size than the parts that are known', OLD, { partSizeBytes: 5 }, 3],
      ['that are not the same', 'x'.repeat(25), {}, 3],
    ])('fetches parts %s', async (_, old, hints, count) => {
      const bench = await over(old, hints);
      expect(await bench.filling.fill(true)).toBe(digestOfParts(TEXT));
      expect(bench.source.asked).toHaveLength(count);
      expect(bench.text()).toBe(TEXT);
    });

    it('reads nothing from it beyond its end, and its own end once', async () => {
      const bench = await over('aaaaaaaaaaB');
      let reads = 0;
      bench.other.disk.step = () => void reads++;
      await bench.filling.fill(true);
      expect(reads).toBe(2);
      expect(bench.source.asked).toHaveLength(2);
    });

    it.each<[string, string, readonly (readonly [number, number])[]]>([
      ['put in', 'aaaaaaaabbbbbbbbbbccccc', [[0, 10]]],
      ['put in, a whole part of them', 'aaaaaaaaaaccccc', [[10, 20]]],
      ['taken out', 'xyzaaaaaaaaaabbbbbbbbbbccccc', []],
      ['taken out between others that stay', 'aaaaaaaaaabbbxxxbbbbbbbccccc', [[10, 20]]],
      ['exchanged for fewer', 'aaaaaaaaaaxxxxxxxxxxxxxbbbccccc', [[10, 20]]],
      ['put in behind and before, and the end is another', 'aaaaaaaabbbbbbbbbbcccc', TEXT_RANGES],
    ])('takes what was moved from where it was, when bytes were %s', async (_, old, asked) => {
      const bench = await over(old);
      expect(await bench.filling.fill(true)).toBe(digestOfParts(TEXT));
      expect(bench.source.asked).toEqual(asked);
      expect([bench.told, bench.text()]).toEqual([expect.arrayContaining([10, 10, 5]), TEXT]);
      expect(bench.filling.md5s).toEqual(partsOf(TEXT).map((part) => hex(part)));
    });

    describe('and other threads that hash the file', () => {
      /** As `over`, with such threads. */
      async function overWithThreads(
        partsAtOnce: number,
        {
          old = OLD,
          can = () => true,
          ...options
        }: { old?: string; can?: (start: number) => boolean } & Parameters<typeof stage>[0] = {},
      ) {
        let text = (): string | undefined => undefined;
        const { asked, hasher } = threads(() => text(), can, partsAtOnce);
        const bench = await over(old, {}, { hasher, wrap: described, ...options });
        ({ text } = bench);
        return { ...bench, asked };
      }

      it.each<[number, number[][]]>([
        [2, [[0, 10], [20], [10]]],
        [8, [[0, 10, 20], [10]]],
      ])('has %i copies hashed together, in the staged file', async (partsAtOnce, together) => {
        const bench = await overWithThreads(partsAtOnce);
        expect(await bench.filling.fill(true)).toBe(digestOfParts(TEXT));
        expect(bench.asked.map(({ parts }) => parts.map(({ start }) => start))).toEqual(together);
        expect(bench.asked[0]).toMatchObject({ descriptor: DESCRIPTOR, totalBytes: 25 });
        expect([bench.source.asked, bench.text()]).toEqual([[[10, 20]], TEXT]);
        expect(bench.told.toSorted((a, b) => a - b)).toEqual([5, 10, 10]);
        expect(linesOf(bench).toSorted()).toEqual([line(0, 'aaaaaaaaaa'), line(1, 'bbbbbbbbbb'), line(2, 'ccccc')]);
      });

      it('hashes here what they cannot', async () => {
        const bench = await overWithThreads(8, { can: (start) => start !== 20 });
        expect(await bench.filling.fill(true)).toBe(digestOfParts(TEXT));
        expect(bench.source.asked).toEqual([[10, 20]]);
      });

      it('fetches what is not in the staged file as it was in the version before', async () => {
        let damages = 1;
        const damaging = (file: FileHandle): FileHandle =>
          withChange(described(file), {
            write: (bytes, position) =>
              file.write(position === 20 && damages-- > 0 ? Buffer.from('ccXcc') : bytes, position),
          });
        const bench = await overWithThreads(8, { wrap: damaging });
        expect(await bench.filling.fill(true)).toBe(digestOfParts(TEXT));
        expect(bench.source.asked).toEqual([
          [10, 20],
          [20, 25],
        ]);
        expect(linesOf(bench)).toContain(line(20 / RANGE, 'ccccc'));
      });

      it.each<[string, string, readonly (readonly [number, number])[]]>([
        ['put in', 'aaaaaaaabbbbbbbbbbccccc', [[0, 10]]],
        ['taken out', 'xyzaaaaaaaaaabbbbbbbbbbccccc', []],
        ['put in behind and before, and the end is another', 'aaaaaaaabbbbbbbbbbcccc', TEXT_RANGES],
      ])('takes what was moved from where it was, when bytes were %s', async (_, old, asked) => {
        for (const partsAtOnce of [1, 2, 8]) {
          const bench = await overWithThreads(partsAtOnce, { old });
          expect(await bench.filling.fill(true)).toBe(digestOfParts(TEXT));
          expect(bench.source.asked.toSorted(([a], [b]) => a - b)).toEqual(asked);
          expect(bench.text()).toBe(TEXT);
        }
      });

      it('has ended with all hashing before it has failed', async () => {
        let running = 0;
        const hasher: Hasher = {
          ...plainHasher,
          files: {
            partsAtOnce: 1,
            async hash() {
              running++;
              for (let i = 0; i < 10; i++) await turn();
              running--;
              return [];
            },
          },
        };
        const stopper = new AbortController();
        const bench = await over(OLD, {}, { hasher, wrap: described, signal: stopper.signal, concurrency: 2 });
        const filled = bench.filling.fill(true);
        while (running === 0) await turn();
        stopper.abort();
        await expect(filled).rejects.toMatchObject({ name: 'AbortError' });
        expect(running).toBe(0);
      });
    });

    it('copies no more once a range cannot be fetched', async () => {
      const text = 'abcdefghij'.repeat(100);
      const source = watched(text, {
        parts: { partSizeBytes: RANGE, digest: '', mayBe: (part) => part > 0 },
        async *read() {
          yield await Promise.reject<Uint8Array>(new Error('the line broke'));
        },
      });
      const bench = await over(text, {}, { source, concurrency: 2, noted: undefined });
      let reads = 0;
      bench.other.disk.step = () => void reads++;
      await expect(bench.filling.fill(true)).rejects.toThrow('the line broke');
      expect(reads).toBeGreaterThan(1);
      expect(reads).toBeLessThan(50);
    });

    it('makes what it copies durable while it copies more', async () => {
      const bench = await over(TEXT, {}, { syncEveryBytes: 15 });
      const done: string[] = [];
      bench.world.disk.step = (operation) => void done.push(operation.split(' ')[0] ?? '');
      await bench.filling.fill(true);
      expect(done.filter((operation) => operation === 'sync')).toHaveLength(1);
      expect(done.indexOf('sync')).toBeGreaterThan(0);
      expect(bench.source.asked).toEqual([]);
    });

    it('looks first where the part before was found', async () => {
      const bench = await over(`x${TEXT}`);
      const reads: string[] = [];
      bench.other.disk.step = (operation) => void reads.push(operation);
      await bench.filling.fill(true);
      // The first range is looked for in its place, then the end, then where it was moved from; the others come from there.
      expect(reads).toHaveLength(5);
    });

    it('takes long parts, which come piece by piece, and needs no record for that', async () => {
      const size = 9 * MIB;
      const text = 'x'.repeat(size);
      const source = watched(text, { parts: { partSizeBytes: size, digest: '', mayBe: () => true } });
      const options = { source, noted: undefined, known: { partSizeBytes: size } };
      const bench = await over(text, {}, options);
      expect(await bench.filling.fill(true)).toBe(`md5-${size}:${hex(md5(text))}-1`);
      expect([source.asked, bench.told]).toEqual([[], [size]]);
      expect(bench.text() === text).toBe(true);
    });

    it('asks it for nothing of a range that was begun', async () => {
      const bench = await over(OLD, {}, { there: 'aaaa', noted: [[0, 4, 'aaaa']] });
      await bench.filling.fill(true);
      expect(bench.source.asked).toEqual([
        [4, 10],
        [10, 20],
      ]);
    });

    it('fetches all when it cannot be read any more', async () => {
      const bench = await over();
      bench.other.write('f', 'cut');
      expect(await bench.filling.fill(true)).toBe(digestOfParts(TEXT));
      expect(bench.source.asked).toHaveLength(3);
    });

    it('fails when the staged file cannot be written', async () => {
      const bench = await over();
      bench.world.disk.fault = (operation) => (operation.startsWith('write ') ? 'EIO' : undefined);
      await expect(bench.filling.fill(true)).rejects.toMatchObject({ code: 'EIO' });
      expect(bench.source.asked).toEqual([]);
    });

    it('stops when it is told to, and fetches nothing then', async () => {
      const bench = await over(OLD, {}, { signal: AbortSignal.abort() });
      await expect(bench.filling.fill(true)).rejects.toMatchObject({ name: 'AbortError' });
      expect(bench.source.asked).toEqual([]);
    });
  });
});
