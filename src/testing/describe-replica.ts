import { compareByteOrder } from '../core/byte-order.js';
import type { Entry, FileEntry } from '../core/entry.js';
import { md5Digest } from '../replica/memory/md5.js';
import { memorySource, readWhole } from '../replica/memory/memory-source.js';
import type { Capabilities, PathFilter, Replica, Source } from '../replica/replica.js';
import type { Trash } from '../replica/trash.js';
import { StaleError } from '../errors.js';

/** One replica under test, alone in an empty place of its own, and a second hand that reaches past it. */
export interface ReplicaHarness {
  /** Not yet prepared: the suite does that. */
  readonly replica: Replica;
  /** The trash of a local replica. */
  readonly trash?: Trash;
  /** Names that this place can hold, in addition to those every place must. Default: what Linux and S3 take. */
  readonly names?: readonly string[];
  /** The store keeps each object as a file of that name: `x` and `x/y` cannot both stand. Default `false`. */
  readonly keysAreFiles?: boolean;
  /** A conditional removal of what is gone already is answered with success. Default `false`: it is stale. */
  readonly removesNothing?: boolean;
  /** Bytes of the big file; should cross several parts of an upload. Default 12 MiB and 3. */
  readonly bigFileBytes?: number;
  /** Files of the big scan; should cross several pages. Default 1203. */
  readonly manyFiles?: number;
  /** Puts files there, not through the replica. */
  seed(files: Readonly<Record<string, string | Uint8Array>>): Promise<void>;
  /** Somebody else writes one file. */
  put(path: string, content: string | Uint8Array): Promise<void>;
  /** Somebody else deletes one file. */
  remove(path: string): Promise<void>;
  /** What stands at a path, `undefined` when nothing does; not through the replica. */
  content(path: string): Promise<Uint8Array | undefined>;
  /** Removes the place. */
  dispose(): Promise<void>;
}

/** The matchers that the suite uses, as vitest and jest have them. */
export interface SuiteMatchers {
  /** The same value. */
  toBe(expected: unknown): void;
  /** The same in all parts. */
  toEqual(expected: unknown): void;
  /** The same in the parts that `expected` has. */
  toMatchObject(expected: object): void;
}

/** The test functions, handed in so that the published package needs no test runner. */
export interface SuiteTools {
  /** Gathers tests under a name. */
  readonly describe: (name: string, define: () => void) => void;
  /** Defines one test. */
  readonly it: (name: string, run: () => Promise<void>) => void;
  /** Begins an assertion. */
  readonly expect: (value: unknown, message?: string) => SuiteMatchers;
}

const EVERYTHING: PathFilter = { includesFile: () => true, mayContain: () => true };
const LINUX_NAMES: readonly string[] = [
  'a b',
  ' lead',
  'trail ',
  '.hidden',
  '...',
  '..a',
  'a..',
  '-rf',
  '~',
  '$HOME',
  '`id`',
  "it's",
  '"q"',
  '<x>',
  'a&amp;b',
  'a:b',
  '*',
  '?q=1',
  '#frag',
  '%41',
  '%2F',
  'a+b',
  'a=b;c',
  'back\\slash',
  'tab\there',
  'new\nline',
  'bell\u0007',
  'del\u007F',
  'nbsp\u00A0',
  'rtl\u202Egpj',
  'zero\u200Bwidth',
  'caf\u00E9',
  'cafe\u0301',
  '\u{1F600}',
  '\uFF61',
  '日本語',
  'con',
  'nul.txt',
  'dir.with.dots/x',
  'x'.repeat(255),
  '\u{1F600}'.repeat(63),
];
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const TIME = Date.UTC(2020, 1, 29, 12, 34, 56, 789);

/**
 * The conformance suite: what every replica has to do, whatever it stands on.
 *
 * `makeReplica` is called for each test and gives a replica in an empty place; `dispose` is called whatever happens.
 *
 * @example
 * ```ts
 * import { describe, expect, it } from 'vitest';
 * import { describeReplica, MemoryReplica, systemRuntime, type ReplicaHarness } from 'filecloudsync/testing';
 *
 * async function makeHarness(): Promise<ReplicaHarness> {
 *   const replica = new MemoryReplica({ side: 'remote', clock: systemRuntime().clock });
 *   return {
 *     replica,
 *     seed: async (files) => Object.entries(files).forEach(([path, content]) => replica.put(path, content)),
 *     put: async (path, content) => replica.put(path, content),
 *     remove: async (path) => void replica.delete(path),
 *     content: async (path) => replica.content(path),
 *     dispose: async () => {},
 *   };
 * }
 * describeReplica('MemoryReplica', makeHarness, { describe, it, expect });
 * ```
 */
export function describeReplica(name: string, makeReplica: () => Promise<ReplicaHarness>, tools: SuiteTools): void {
  const { describe, expect } = tools;

  interface World extends ReplicaHarness {
    readonly capabilities: Capabilities;
  }

  const it = (title: string, run: (world: World) => Promise<void>): void => {
    tools.it(title, async () => {
      const harness = await makeReplica();
      try {
        const capabilities = await harness.replica.prepare({ readonly: false });
        // Methods are called on the harness itself, which may be a class.
        await run({
          capabilities,
          replica: harness.replica,
          trash: harness.trash,
          names: harness.names,
          keysAreFiles: harness.keysAreFiles,
          removesNothing: harness.removesNothing,
          bigFileBytes: harness.bigFileBytes,
          manyFiles: harness.manyFiles,
          seed: (files) => harness.seed(files),
          put: (path, content) => harness.put(path, content),
          remove: (path) => harness.remove(path),
          content: (path) => harness.content(path),
          dispose: () => harness.dispose(),
        });
      } finally {
        await harness.replica.close();
        await harness.dispose();
      }
    });
  };

  /** Asserts what stands at a path; compares lengths first, so that a failure of a big file is readable. */
  const expectContent = async (
    world: World,
    path: string,
    expected: Uint8Array | string | undefined,
  ): Promise<void> => {
    const found = await world.content(path);
    const wanted = typeof expected === 'string' ? encode(expected) : expected;
    expect(found?.length, `length of ${path}`).toBe(wanted?.length);
    if (found !== undefined && wanted !== undefined)
      expect(Buffer.compare(found, wanted), `content of ${path}`).toBe(0);
  };

  const scanAll = async (
    replica: Replica,
    filter = EVERYTHING,
  ): Promise<{ entries: Entry[]; problemPaths: string[] }> => {
    const entries: Entry[] = [];
    const problemPaths: string[] = [];
    for await (const page of replica.scan({ filter })) {
      entries.push(...page.entries);
      problemPaths.push(...page.problems.map((problem) => problem.path));
    }
    return { entries, problemPaths };
  };

  const fileAt = async (replica: Replica, path: string): Promise<FileEntry> => {
    const entry = await replica.observe(path);
    if (entry?.kind !== 'file') throw new Error(`expected a file at ${path}, found ${entry?.kind ?? 'nothing'}`);
    return entry;
  };

  const preconditionAt = async (replica: Replica, path: string): Promise<{ fingerprint: string; entry: FileEntry }> => {
    const entry = await fileAt(replica, path);
    return { fingerprint: entry.fingerprint, entry };
  };

  const sourceOf = (path: string, content: Uint8Array | string, modifiedMs = TIME): Source => {
    const bytes = typeof content === 'string' ? encode(content) : content;
    return memorySource(
      { kind: 'file', path, sizeBytes: bytes.length, fingerprint: 'source', modifiedMs, modifiedSource: 'mtime' },
      bytes,
    );
  };

  const readAt = async (replica: Replica, entry: FileEntry): Promise<Uint8Array> => {
    const source = await replica.open(entry);
    try {
      const content = await readWhole(source);
      await source.verify();
      return content;
    } finally {
      await source.close();
    }
  };

  const failureOf = async (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => undefined,
      (error: unknown) => error ?? new Error('rejected with nothing'),
    );

  const same = (entry: FileEntry) => ({
    kind: 'file',
    path: entry.path,
    sizeBytes: entry.sizeBytes,
    fingerprint: entry.fingerprint,
  });

  describe(`${name} is a replica`, () => {
    describe('scan', () => {
      it('gives nothing for an empty place', async ({ replica }) => {
        expect((await scanAll(replica)).entries).toEqual([]);
      });

      it('gives every file once, in the byte order of UTF-8, and no directory', async (world) => {
        const paths = [
          'a',
          'a!',
          'a-b',
          'b/c',
          'b!',
          'b-',
          'b0',
          'b.txt',
          'b/c.d/e',
          'b/c!',
          'dir/sub/deep/file',
          'dir/sub.txt',
          'dir/sub-x/y',
          'z',
          'e\u0301',
          '\uFF61',
          '\u{1F600}',
          '\uFF61/x',
          '\u{1F600}x/y',
          '\uE000',
          '\uD7FF',
        ].filter((path) => (world.replica.side === 'remote' && world.keysAreFiles !== true) || path !== '\uFF61');
        await world.seed(Object.fromEntries(paths.map((path) => [path, path])));
        const { entries } = await scanAll(world.replica);
        const sorted = paths.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(entries.map((entry) => entry.path)).toEqual(sorted);
        expect(entries.every((entry) => entry.kind === 'file')).toBe(true);
        expect(entries.map((entry) => (entry.kind === 'file' ? entry.sizeBytes : -1))).toEqual(
          sorted.map((path) => encode(path).length),
        );
      });

      it('sees all of many files, in pages that go on where the last one ended', async (world) => {
        const paths = Array.from({ length: world.manyFiles ?? 1203 }, (_, i) => `d${i % 7}/f${i}`);
        await world.seed(Object.fromEntries(paths.map((path) => [path, 'x'])));
        const { entries } = await scanAll(world.replica);
        expect(entries.map((entry) => entry.path)).toEqual(paths.toSorted(compareByteOrder));
      });

      it('gives no excluded file as a file, and leaves out no included one', async (world) => {
        await world.seed({
          'keep.txt': '1',
          'skip.tmp': '2',
          'cache/a': '3',
          'cache/b/c': '4',
          'src/keep.ts': '5',
          'src/x.tmp': '6',
        });
        const filter: PathFilter = {
          includesFile: (path) => !path.endsWith('.tmp') && !path.startsWith('cache/'),
          mayContain: (path) => path !== 'cache',
        };
        const { entries } = await scanAll(world.replica, filter);
        expect(entries.filter((entry) => entry.kind === 'file').map((entry) => entry.path)).toEqual([
          'keep.txt',
          'src/keep.ts',
        ]);
        const others = new Set(entries.filter((entry) => entry.kind !== 'file').map((entry) => entry.kind));
        others.delete('untracked');
        expect([...others]).toEqual([]);
      });

      it('gives the same fingerprint as long as nothing changes, and another one when the content does', async (world) => {
        await world.seed({ a: 'one', b: 'two' });
        const first = (await scanAll(world.replica)).entries;
        const second = (await scanAll(world.replica)).entries;
        expect(second.map((entry) => (entry.kind === 'file' ? entry.fingerprint : ''))).toEqual(
          first.map((entry) => (entry.kind === 'file' ? entry.fingerprint : '')),
        );
        await world.put('a', 'ONE and more');
        const [a, b] = (await scanAll(world.replica)).entries;
        const [oldA, oldB] = first;
        if (a?.kind !== 'file' || b?.kind !== 'file' || oldA?.kind !== 'file' || oldB?.kind !== 'file')
          throw new Error('four files were expected');
        expect(a.fingerprint === oldA.fingerprint).toBe(false);
        expect(b.fingerprint).toBe(oldB.fingerprint);
      });

      it('stops when it is told to', async (world) => {
        await world.seed({ a: '1' });
        const run = async (): Promise<void> => {
          for await (const _ of world.replica.scan({ filter: EVERYTHING, signal: AbortSignal.abort() })) void _;
        };
        expect((await failureOf(run())) instanceof Error).toBe(true);
      });
    });

    describe('names', () => {
      it('writes, scans, observes, reads and removes files whatever they are called', async (world) => {
        const { replica, capabilities } = world;
        const folded = (path: string): string => {
          const form = capabilities.normalizationSensitive ? path : path.normalize('NFC');
          return capabilities.caseSensitive ? form : form.toLowerCase();
        };
        const seen = new Map((world.names ?? LINUX_NAMES).map((path) => [folded(path), path]));
        const paths = [...seen.values()].sort(compareByteOrder);
        for (const path of paths) {
          const written = await replica.write(path, sourceOf(path, `content of ${path}`), null);
          expect(written.outcome, JSON.stringify(path)).toBe('done');
        }
        const { entries, problemPaths } = await scanAll(replica);
        expect(entries.map((entry) => entry.path)).toEqual(paths);
        expect(problemPaths).toEqual([]);
        for (const path of paths) {
          await expectContent(world, path, `content of ${path}`);
          const entry = await fileAt(replica, path);
          expect(Buffer.from(await readAt(replica, entry)).toString()).toBe(`content of ${path}`);
          expect(await replica.remove(path, { fingerprint: entry.fingerprint, entry })).toMatchObject({
            outcome: 'done',
          });
        }
        expect((await scanAll(replica)).entries).toEqual([]);
      });

      it('refuses paths that lead out, or that no key can have', async ({ replica }) => {
        for (const path of [
          '',
          '/etc/x',
          '../x',
          'a/../../x',
          'a/./b',
          'a//b',
          'a/',
          'nul\0',
          '.filecloudsync/x',
          'half\uD800',
        ]) {
          const failure = await failureOf(replica.write(path, sourceOf('x', 'x'), null));
          expect(failure instanceof Error, JSON.stringify(path)).toBe(true);
        }
        expect((await scanAll(replica)).entries).toEqual([]);
      });
    });

    describe('observe', () => {
      it('answers what stands there, or null', async (world) => {
        await world.seed({ 'dir/a': 'hello' });
        expect(await world.replica.observe('dir/a')).toMatchObject({ kind: 'file', path: 'dir/a', sizeBytes: 5 });
        expect(await world.replica.observe('dir/b')).toBe(null);
        expect(await world.replica.observe('no/such/dir')).toBe(null);
      });

      it('agrees with the scan', async (world) => {
        await world.seed({ a: '1', 'b/c': '22' });
        for (const entry of (await scanAll(world.replica)).entries) {
          if (entry.kind !== 'file') throw new Error('files were expected');
          expect(await world.replica.observe(entry.path)).toMatchObject(same(entry));
        }
      });
    });

    describe('hasBelow', () => {
      it('tells whether any file stands below a path', async (world) => {
        await world.seed({ 'dir/in/a': '1', 'dir.txt': '2', other: '3' });
        const found: boolean[] = [];
        for (const path of ['dir', 'dir/in', 'dir/in/a', 'di', 'dir/i', 'other', 'no/such'])
          found.push(await world.replica.hasBelow(path));
        expect(found).toEqual([true, true, false, false, false, false, false]);
      });
    });

    describe('open', () => {
      it('reads any range, in any order and at the same time', async (world) => {
        const content = noise(300_000);
        await world.seed({ a: content });
        const source = await world.replica.open(await fileAt(world.replica, 'a'));
        const range = async (start: number, end: number): Promise<void> => {
          const chunks: Uint8Array[] = [];
          for await (const chunk of source.read(start, end)) chunks.push(Uint8Array.from(chunk));
          expect(Buffer.compare(Buffer.concat(chunks), content.subarray(start, end)), `${start} to ${end}`).toBe(0);
        };
        expect(source.entry.sizeBytes).toBe(content.length);
        await range(299_990, 300_000);
        await range(0, 10);
        await range(5, 5);
        await Promise.all([range(0, 300_000), range(1, 299_999), range(65_535, 65_537), range(100_000, 200_000)]);
        await source.verify();
        await source.close();
      });

      it('has at hand what reading gives, if it has anything at hand', async (world) => {
        await world.seed({ small: 'a few bytes', large: noise(300_000) });
        for (const [path, content] of [
          ['small', Buffer.from('a few bytes')],
          ['large', noise(300_000)],
        ] as const) {
          const source = await world.replica.open(await fileAt(world.replica, path));
          const held = source.content?.();
          if (held !== undefined) expect(Buffer.compare(held, content), path).toBe(0);
          await source.verify();
          await source.close();
          expect(source.content?.(), path).toBe(undefined);
        }
      });

      it('gives no byte of another version than the one observed', async (world) => {
        await world.seed({ a: 'first version', b: 'other', c: 'gone soon' });
        const [a, c] = [await fileAt(world.replica, 'a'), await fileAt(world.replica, 'c')];
        await world.put('a', 'SECOND version');
        await world.remove('c');
        expect(await failureOf(readAt(world.replica, a))).toMatchObject({ code: 'ERR_STALE' });
        expect(await failureOf(readAt(world.replica, c))).toMatchObject({ code: 'ERR_STALE' });
      });

      it('notices a change between opening and verifying', async (world) => {
        await world.seed({ a: 'first version' });
        const source = await world.replica.open(await fileAt(world.replica, 'a'));
        await world.put('a', 'second, a longer version');
        const use = async (): Promise<void> => {
          await readWhole(source);
          await source.verify();
        };
        expect(await failureOf(use())).toMatchObject({ code: 'ERR_STALE' });
        await source.close();
      });
    });

    describe('digest', () => {
      it('is the digest of the content, where it can be had at all', async (world) => {
        const content = noise(100_000);
        await world.seed({ a: content });
        const entry = await fileAt(world.replica, 'a');
        for (const scheme of [
          { partSizeBytes: undefined },
          { partSizeBytes: 65_536 },
          world.replica.schemeFor(content.length),
        ]) {
          const digest = await world.replica.digest(entry, scheme);
          if (digest !== undefined) expect(digest).toBe(md5Digest(content, scheme));
        }
      });
    });

    describe('write', () => {
      it('creates a file where nothing stands, with its directories', async (world) => {
        const written = await world.replica.write('new/dir/a', sourceOf('x', 'hello'), null);
        if (written.outcome !== 'done') throw new Error(written.message);
        await expectContent(world, 'new/dir/a', 'hello');
        expect(await world.replica.observe('new/dir/a')).toMatchObject(same(written.entry));
        const { entries } = await scanAll(world.replica);
        expect(entries.length).toBe(1);
        expect(entries[0]).toMatchObject(same(written.entry));
        if (written.digest !== undefined)
          expect(written.digest).toBe(md5Digest(encode('hello'), world.replica.schemeFor(5)));
      });

      it('replaces the version that was named, and gives it another fingerprint', async (world) => {
        await world.seed({ a: 'old' });
        const before = await preconditionAt(world.replica, 'a');
        const written = await world.replica.write('a', sourceOf('a', 'brand new'), before);
        if (written.outcome !== 'done') throw new Error(written.message);
        await expectContent(world, 'a', 'brand new');
        expect(written.entry.fingerprint === before.fingerprint).toBe(false);
        expect(await world.replica.observe('a')).toMatchObject(same(written.entry));
      });

      it('can replace what it wrote itself, again and again', async (world) => {
        let precondition: { fingerprint: string; entry: FileEntry } | null = null;
        for (const content of ['one', 'two!', 'three', '']) {
          const written: Awaited<ReturnType<Replica['write']>> = await world.replica.write(
            'a',
            sourceOf('a', content),
            precondition,
          );
          if (written.outcome !== 'done') throw new Error(written.message);
          precondition = { fingerprint: written.entry.fingerprint, entry: written.entry };
          await expectContent(world, 'a', content);
        }
      });

      it('is stale, and changes nothing, where something stands that was not expected', async (world) => {
        await world.seed({ a: 'theirs' });
        expect(await world.replica.write('a', sourceOf('a', 'ours'), null)).toMatchObject({ outcome: 'stale' });
        await expectContent(world, 'a', 'theirs');
      });

      it('is stale, and changes nothing, where another version stands', async (world) => {
        await world.seed({ a: 'version one' });
        const seen = await preconditionAt(world.replica, 'a');
        await world.put('a', 'version two, theirs');
        expect(await world.replica.write('a', sourceOf('a', 'ours'), seen)).toMatchObject({ outcome: 'stale' });
        await expectContent(world, 'a', 'version two, theirs');
      });

      it('is stale where the version that was named is gone', async (world) => {
        await world.seed({ a: 'version one' });
        const seen = await preconditionAt(world.replica, 'a');
        await world.remove('a');
        expect(await world.replica.write('a', sourceOf('a', 'ours'), seen)).toMatchObject({ outcome: 'stale' });
        await expectContent(world, 'a', undefined);
      });

      it('does not overwrite what appears while the content is on its way', async (world) => {
        const slow = sourceOf('a', noise(200_000));
        const source: Source = {
          ...slow,
          async *read(start, end, signal) {
            if (start === 0) await world.put('a', 'theirs, meanwhile');
            yield* slow.read(start, end, signal);
          },
        };
        const failure = await notDone(world.replica.write('a', source, null));
        if (world.capabilities.conditionalWrite !== 'none') expect(failure).toBe(true);
        if (failure) await expectContent(world, 'a', 'theirs, meanwhile');
      });

      it('writes an empty file', async (world) => {
        expect(await world.replica.write('empty', sourceOf('empty', ''), null)).toMatchObject({ outcome: 'done' });
        await expectContent(world, 'empty', '');
        expect((await readAt(world.replica, await fileAt(world.replica, 'empty'))).length).toBe(0);
      });

      it('writes a file of many parts whole, and counts its bytes', async (world) => {
        const content = noise(world.bigFileBytes ?? 12 * 1024 * 1024 + 3);
        let counted = 0;
        const written = await world.replica.write('big', sourceOf('big', content), null, {
          onBytes: (count) => (counted += count),
        });
        if (written.outcome !== 'done') throw new Error(written.message);
        expect(written.entry.sizeBytes).toBe(content.length);
        expect(counted).toBe(content.length);
        if (written.digest !== undefined)
          expect(written.digest).toBe(md5Digest(content, world.replica.schemeFor(content.length)));
        await expectContent(world, 'big', content);
        expect(Buffer.compare(await readAt(world.replica, await fileAt(world.replica, 'big')), content)).toBe(0);
      });

      it('keeps the time of the content', async (world) => {
        for (const [path, time] of [
          ['a', TIME],
          ['b', TIME + 0.5],
          ['old', Date.UTC(1999, 0, 1)],
        ] as const) {
          expect(await world.replica.write(path, sourceOf(path, 'x', time), null)).toMatchObject({ outcome: 'done' });
          const source = await world.replica.open(await fileAt(world.replica, path));
          const { modifiedMs } = source.entry;
          await source.close();
          expect(
            modifiedMs !== undefined && Math.abs(modifiedMs - time) < 2,
            `${path}: ${modifiedMs} for ${time}`,
          ).toBe(true);
        }
      });

      it('takes many files at the same time', async (world) => {
        const paths = Array.from({ length: 24 }, (_, i) => `dir${i % 3}/f${i}`);
        const outcomes = await Promise.all(
          paths.map((path) => world.replica.write(path, sourceOf(path, `of ${path}`), null)),
        );
        expect(outcomes.map(({ outcome }) => outcome)).toEqual(paths.map(() => 'done'));
        for (const path of paths) await expectContent(world, path, `of ${path}`);
        expect((await scanAll(world.replica)).entries.length).toBe(24);
      });

      it('stops when it is told to, and leaves nothing behind', async (world) => {
        await world.seed({ old: 'as it was' });
        const seen = await preconditionAt(world.replica, 'old');
        for (const [path, precondition] of [
          ['new', null],
          ['old', seen],
        ] as const) {
          const controller = new AbortController();
          const whole = sourceOf(path, noise(400_000));
          const source: Source = {
            ...whole,
            // Does not listen itself: the writer has to.
            verify: () => whole.verify(),
            async *read(start, end) {
              let given = 0;
              for await (const chunk of whole.read(start, end)) {
                yield chunk;
                given += chunk.length;
                if (given > 100_000) controller.abort();
              }
            },
          };
          const failure = await failureOf(
            world.replica.write(path, source, precondition, { signal: controller.signal }),
          );
          expect(failure instanceof Error, path).toBe(true);
        }
        const aborted = world.replica.write('new', sourceOf('new', 'x'), null, { signal: AbortSignal.abort() });
        expect((await failureOf(aborted)) instanceof Error).toBe(true);
        await expectContent(world, 'old', 'as it was');
        await expectContent(world, 'new', undefined);
        expect((await scanAll(world.replica)).entries.map((entry) => entry.path)).toEqual(['old']);
      });
    });

    describe('write from a source that cannot be trusted', () => {
      const sizes: readonly (readonly [string, number])[] = [
        ['small', 1000],
        ['big', -1],
      ];
      for (const [title, spoil] of Object.entries(faults)) {
        it(`writes nothing when the source ${title}`, async (world) => {
          for (const [what, size] of sizes) {
            const content = noise(size === -1 ? (world.bigFileBytes ?? 12 * 1024 * 1024 + 3) : size);
            await world.put(`old-${what}`, 'as it was');
            const seen = await preconditionAt(world.replica, `old-${what}`);
            const source = (): Source => spoil(sourceOf('x', content));
            expect(await notDone(world.replica.write(`new-${what}`, source(), null)), `new, ${what}`).toBe(true);
            expect(await notDone(world.replica.write(`old-${what}`, source(), seen)), `old, ${what}`).toBe(true);
            await expectContent(world, `new-${what}`, undefined);
            await expectContent(world, `old-${what}`, 'as it was');
            expect((await fileAt(world.replica, `old-${what}`)).fingerprint).toBe(seen.fingerprint);
          }
          expect((await scanAll(world.replica)).entries.map((entry) => entry.path)).toEqual(['old-big', 'old-small']);
        });
      }
    });

    describe('remove', () => {
      it('removes the version that was named', async (world) => {
        await world.seed({ 'dir/a': 'x', 'dir/b': 'y' });
        expect(await world.replica.remove('dir/a', await preconditionAt(world.replica, 'dir/a'))).toMatchObject({
          outcome: 'done',
        });
        expect(await world.replica.observe('dir/a')).toBe(null);
        await expectContent(world, 'dir/a', undefined);
        await expectContent(world, 'dir/b', 'y');
      });

      it('is stale, and removes nothing, where another version stands', async (world) => {
        await world.seed({ a: 'version one' });
        const seen = await preconditionAt(world.replica, 'a');
        await world.put('a', 'version two, theirs');
        expect(await world.replica.remove('a', seen)).toMatchObject({ outcome: 'stale' });
        await expectContent(world, 'a', 'version two, theirs');
      });

      it('is stale where nothing stands any more', async (world) => {
        await world.seed({ a: 'x' });
        const seen = await preconditionAt(world.replica, 'a');
        await world.remove('a');
        const outcome = world.removesNothing === true ? 'done' : 'stale';
        expect(await world.replica.remove('a', seen)).toMatchObject({ outcome });
      });
    });

    describe('move', () => {
      it('gives a file another path, and says how it stands there', async (world) => {
        await world.seed({ a: 'content' });
        const moved = await world.replica.move('a', 'new/b', await preconditionAt(world.replica, 'a'));
        if (moved.outcome !== 'done') throw new Error(moved.message);
        expect(moved.entry.path).toBe('new/b');
        expect(await world.replica.observe('new/b')).toMatchObject(same(moved.entry));
        await expectContent(world, 'a', undefined);
        await expectContent(world, 'new/b', 'content');
      });

      it('never overwrites', async (world) => {
        await world.seed({ a: 'one', b: 'two' });
        expect(await world.replica.move('a', 'b', await preconditionAt(world.replica, 'a'))).toMatchObject({
          outcome: 'stale',
        });
        await expectContent(world, 'a', 'one');
        await expectContent(world, 'b', 'two');
      });

      it('takes a copy that is wanted in any case for nobody else’s', async (world) => {
        await world.seed({ a: 'the same', b: 'the same' });
        const a = await preconditionAt(world.replica, 'a');
        expect(await world.replica.move('a', 'b', a, { keepsCopy: true })).toMatchObject({ outcome: 'stale' });
        await expectContent(world, 'a', 'the same');
        await expectContent(world, 'b', 'the same');
      });

      it('is stale where another version stands, or none', async (world) => {
        await world.seed({ a: 'one', gone: 'x' });
        const [a, gone] = [await preconditionAt(world.replica, 'a'), await preconditionAt(world.replica, 'gone')];
        await world.put('a', 'version two');
        await world.remove('gone');
        expect(await world.replica.move('a', 'b', a)).toMatchObject({ outcome: 'stale' });
        expect(await world.replica.move('gone', 'c', gone)).toMatchObject({ outcome: 'stale' });
        await expectContent(world, 'a', 'version two');
        expect((await scanAll(world.replica)).entries.map((entry) => entry.path)).toEqual(['a']);
      });
    });

    describe('identityOf', () => {
      it('is the same for a file and for what it was before its move, and another for another file', async (world) => {
        await world.seed({ a: 'content', b: 'another' });
        const [before, other] = [await preconditionAt(world.replica, 'a'), await preconditionAt(world.replica, 'b')];
        const moved = await world.replica.move('a', 'new/a', before, { keepsCopy: true });
        if (moved.outcome !== 'done') throw new Error(moved.message);
        const identity = world.replica.identityOf(before.fingerprint);
        // A store whose ETags say nothing about content cannot tell.
        if (identity === undefined) return;
        expect(world.replica.identityOf(moved.entry.fingerprint)).toBe(identity);
        expect(world.replica.identityOf(other.fingerprint) === identity).toBe(false);
      });
    });

    describe('cleanUp', () => {
      it('touches no file', async (world) => {
        await world.seed({ a: '1', 'b/c': '2' });
        await world.replica.cleanUp();
        await expectContent(world, 'a', '1');
        await expectContent(world, 'b/c', '2');
      });
    });

    describe('on a disk', () => {
      it('destroys neither where a file and a directory would have one name', async (world) => {
        if (world.replica.side === 'remote') return;
        await world.seed({ x: 'a file', 'y/z': 'in a directory' });
        expect(await notDone(world.replica.write('x/below', sourceOf('x', 'new'), null))).toBe(true);
        expect(await notDone(world.replica.write('y', sourceOf('y', 'new'), null))).toBe(true);
        await expectContent(world, 'x', 'a file');
        await expectContent(world, 'y/z', 'in a directory');
      });

      it('keeps in its trash what is replaced or removed', async (world) => {
        const { replica, trash } = world;
        if (trash === undefined) return;
        await world.seed({ a: 'replaced', b: 'removed', c: 'lost' });
        const [a, b, c] = [
          await preconditionAt(replica, 'a'),
          await preconditionAt(replica, 'b'),
          await preconditionAt(replica, 'c'),
        ];
        await replica.write('a', sourceOf('a', 'new'), a);
        await replica.remove('b', b);
        await replica.remove('c', c, { reason: 'lost-conflict' });
        const kept = await trash.keep('r', sourceOf('r', 'from there'), { reason: 'unexpected' });
        const found: string[] = [];
        for (const item of await trash.list()) {
          const source = await trash.open(item.id);
          found.push(`${item.path} ${item.reason} ${item.origin} ${Buffer.from(await readWhole(source)).toString()}`);
          await source.close();
        }
        expect(found.toSorted()).toEqual([
          'a replaced local replaced',
          'b deleted local removed',
          'c lost-conflict local lost',
          'r unexpected remote from there',
        ]);
        expect(await trash.purge((item) => item.id === kept.id)).toBe(1);
        expect((await trash.list()).length).toBe(3);
        expect(await failureOf(trash.open(kept.id))).toMatchObject({ code: 'ERR_TRASH_ITEM_NOT_FOUND' });
        expect((await scanAll(replica)).entries.map((entry) => entry.path)).toEqual(['a']);
      });
    });
  });
}

/** Whether a change did not happen: it was stale, or it threw. */
async function notDone(change: Promise<{ readonly outcome: string }>): Promise<boolean> {
  return change.then(
    ({ outcome }) => outcome === 'stale',
    () => true,
  );
}

/** Ways in which a source breaks its promise, by what it does. */
const faults: Readonly<Record<string, (source: Source) => Source>> = {
  'fails at once': (source) => ({
    ...source,
    // oxlint-disable-next-line require-yield
    async *read() {
      throw new Error('the disk failed');
    },
  }),
  'fails near its end': (source) => ({
    ...source,
    async *read(start, end, signal) {
      const last = source.entry.sizeBytes - 1;
      yield* source.read(start, Math.min(end, last), signal);
      if (end > last) throw new Error('the disk failed');
    },
  }),
  'stops short': (source) => ({
    ...source,
    async *read(start, end, signal) {
      yield* source.read(start, Math.min(end, source.entry.sizeBytes - 1), signal);
    },
  }),
  'gives nothing at all': (source) => ({ ...source, async *read() {} }),
  'is longer than it says': (source) => ({
    ...source,
    async *read(start, end, signal) {
      yield* source.read(start, end, signal);
      if (end >= source.entry.sizeBytes) yield new Uint8Array([1, 2, 3]);
    },
  }),
  'changed meanwhile': (source) => ({
    ...source,
    async verify() {
      throw new StaleError('the file changed while it was read');
    },
  }),
};

/** Bytes that compress badly and repeat nowhere near a part size; the same for the same length. */
function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = length + 0x9e3779b9;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
