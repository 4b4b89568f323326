import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { expecting, observeFile, sourceOf } from '../../../test/local/local-world.js';
import { tracedWorld, type TracedWorld } from '../../../test/local/traced-world.js';
import { S3ConnectionError, StaleError } from '../../errors.js';
import type { PartHints, Source } from '../replica.js';

const RANGE = 10;
const TEXT = 'aaaaaaaaaabbbbbbbbbbccccc';
const OPTIONS = { keepsStages: true, stageRangeBytes: RANGE, rangeConcurrency: 1 };
const md5 = (data: string | Uint8Array): Buffer => createHash('md5').update(data).digest();
const md5s = (text: string): Buffer[] => (text.match(/.{1,10}/g) ?? []).map((part) => md5(part));
const digestOf = (text: string): string => `md5:${md5(text).toString('hex')}`;
const digestOfParts = (text: string): string =>
  `md5-${RANGE}:${md5(Buffer.concat(md5s(text))).toString('hex')}-${md5s(text).length}`;

/** Hints of the parts of a content. */
const hintsOf = (text: string, change: Partial<PartHints> = {}): PartHints => ({
  partSizeBytes: RANGE,
  digest: digestOfParts(text),
  mayBe: (part, sum) => md5s(text)[part]?.equals(sum) === true,
  ...change,
});

/** Writes `a/f` where nothing stands, or in the place of what stands there. */
async function write(traced: TracedWorld, source: Source, options = {}) {
  const entry = traced.world.read('a/f') === undefined ? null : await observeFile(traced.replica, 'a/f');
  traced.trace.length = 0;
  return await traced.replica.write('a/f', source, entry === null ? null : expecting(entry), options);
}

/** Content that counts the ranges that are read. */
function watched(text: string, change: Partial<Source> = {}): Source & { readonly asked: number[] } {
  const inner = sourceOf(text);
  const asked: number[] = [];
  return {
    ...inner,
    asked,
    async *read(start, end) {
      asked.push(start / RANGE);
      yield* inner.read(start, end);
    },
    ...change,
  };
}

describe('stageFile, step by step', () => {
  it('ends the record of a stage durably before the file takes its place', async () => {
    const traced = await tracedWorld(OPTIONS);
    await write(traced, sourceOf(TEXT));
    const plain = traced.changes().map((operation) => operation.replace(/lasting-[0-9a-f-]+/, 'STAGE'));
    expect([...new Set(plain)]).toEqual([
      'createFile tmp/STAGE',
      'createFile tmp/STAGE.ranges',
      'write tmp/STAGE.ranges',
      'write tmp/STAGE',
      'setModified tmp/STAGE',
      'sync tmp/STAGE',
      'unlink tmp/STAGE.ranges',
      'sync tmp',
      'makeDirectory a',
      'sync ',
      'link tmp/STAGE',
      'sync a',
      'unlink tmp/STAGE',
    ]);
    expect(plain.filter((operation) => operation.startsWith('unlink '))).toHaveLength(2);
    expect(traced.world.openHandles()).toBe(0);
  });

  it('gives the file the rights of the version before', async () => {
    const traced = await tracedWorld();
    traced.world.write('a/f', 'old');
    const inode = traced.world.disk.user.find('a/f');
    if (inode === undefined) throw new Error('the file is there');
    inode.mode = 0o640;
    await write(traced, sourceOf('new'));
    expect(traced.world.disk.user.modeOf('a/f')).toBe(0o640);
  });

  it.each<[string, () => Error, number]>([
    ['the source was stopped', () => new DOMException('stopped', 'AbortError'), 2],
    ['the source failed for a while', () => new S3ConnectionError('ERR_X', 'later', { retryable: true }), 2],
    ['the source failed for good', () => new S3ConnectionError('ERR_X', 'never'), 0],
    ['the version is gone', () => new StaleError('gone', { retryable: true }), 0],
    ['something else went wrong', () => Object.assign(new Error('a bug'), { retryable: true }), 0],
  ])('keeps what has come for a later run, unless that is of no use: %s', async (_, failure, left) => {
    const traced = await tracedWorld(OPTIONS);
    const source = watched(TEXT, {
      async *read(start, end) {
        if (start > 0) throw failure();
        yield Buffer.from(TEXT).subarray(start, end);
      },
    });
    await expect(write(traced, source)).rejects.toThrow();
    expect([traced.world.staged().length, traced.world.openHandles()]).toEqual([left, 0]);
  });

  it('keeps what has come when the caller stops, whatever he gives as the reason', async () => {
    const traced = await tracedWorld(OPTIONS);
    const stop = new AbortController();
    const onBytes = (): void => stop.abort(new Error('enough'));
    await expect(write(traced, sourceOf(TEXT), { signal: stop.signal, onBytes })).rejects.toThrow('enough');
    expect([traced.world.staged().length, traced.world.openHandles()]).toEqual([2, 0]);
  });

  it('keeps nothing of a file that came whole and was not to take its place', async () => {
    const traced = await tracedWorld(OPTIONS);
    const verify = async (): Promise<void> => {
      throw new S3ConnectionError('ERR_S3_UNREACHABLE', 'The line broke.', { retryable: true });
    };
    await expect(write(traced, { ...sourceOf(TEXT), verify })).rejects.toThrow('The line broke.');
    expect([traced.world.staged(), traced.world.openHandles()]).toEqual([[], 0]);
  });

  it('says which path could not be written', async () => {
    const traced = await tracedWorld();
    traced.before('sync tmp/STAGED', 'EIO');
    await expect(write(traced, sourceOf(TEXT))).rejects.toMatchObject({
      code: 'ERR_DISK_IO',
      message: expect.stringMatching(/^Could not write "a\/f": /),
    });
    expect([traced.world.staged(), traced.world.openHandles()]).toEqual([[], 0]);
  });

  describe('sets the time of the source', () => {
    const LAST_MS = 15_032_385_535_999;

    it.each([0, -LAST_MS, LAST_MS, 1_600_000_000_123])('%i', async (modifiedMs) => {
      const traced = await tracedWorld();
      expect(await write(traced, sourceOf('new', { modifiedMs }))).toMatchObject({ entry: { modifiedMs } });
    });

    it.each([undefined, Number.NaN, Infinity, LAST_MS + 1, -LAST_MS - 1])(
      'unless no disk holds it: %s',
      async (modifiedMs) => {
        const traced = await tracedWorld();
        expect(await write(traced, sourceOf('new', { modifiedMs }))).toMatchObject({ outcome: 'done' });
        expect(traced.trace).not.toContain('setModified tmp/STAGED');
      },
    );
  });

  describe('where the folder of staged files is taken away', () => {
    it('fails when nobody else had it open: it was there a moment ago', async () => {
      const traced = await tracedWorld();
      for (const nth of [1, 2]) traced.before('createFile tmp/STAGED', 'ENOENT', nth);
      await expect(write(traced, sourceOf('new'))).rejects.toMatchObject({ data: { errno: 'ENOENT' } });
      expect(traced.trace.filter((operation) => operation === 'createFile tmp/STAGED')).toHaveLength(1);
      expect(traced.world.openHandles()).toBe(0);
    });

    /** Writes `a/f` and another file, and does something before the other is staged. */
    async function writeTwo(traced: TracedWorld, act: string | (() => void)) {
      traced.before('createFile tmp/STAGED', act, 2);
      const inner = sourceOf('first');
      const other: { outcome?: ReturnType<typeof write> } = {};
      const source: Source = {
        ...inner,
        async *read(start, end) {
          other.outcome = traced.replica.write('g', sourceOf('second'), null);
          await other.outcome.catch(() => {});
          yield* inner.read(start, end);
        },
      };
      const first = traced.replica.write('a/f', source, null);
      await first.catch(() => {});
      return { first, second: other.outcome };
    }

    it('makes it again where others had it open', async () => {
      const traced = await tracedWorld();
      const { second } = await writeTwo(traced, () => traced.world.remove('.filecloudsync/tmp'));
      expect(await second).toMatchObject({ outcome: 'done' });
      expect(traced.world.read('g')).toBe('second');
      expect(traced.trace.filter((operation) => operation === 'createFile tmp/STAGED')).toHaveLength(3);
      expect(traced.world.openHandles()).toBe(0);
    });

    it('does not try again after another error', async () => {
      const traced = await tracedWorld();
      const { second } = await writeTwo(traced, 'ENOSPC');
      await expect(second).rejects.toMatchObject({ code: 'ERR_DISK_FULL' });
      expect(traced.trace.filter((operation) => operation === 'createFile tmp/STAGED')).toHaveLength(2);
      expect(traced.world.openHandles()).toBe(0);
    });
  });

  describe('answers the digests of the parts', () => {
    it('when those of the source prove them', async () => {
      const traced = await tracedWorld(OPTIONS);
      const parts = { partSizeBytes: RANGE, md5s: md5s(TEXT).map((sum) => sum.toString('hex')) };
      for (const source of [
        sourceOf(TEXT, { digest: digestOfParts(TEXT) }),
        { ...sourceOf(TEXT), parts: hintsOf(TEXT) },
      ]) {
        traced.world.remove('a');
        expect(await write(traced, source)).toMatchObject({ digest: digestOfParts(TEXT), parts });
      }
    });

    it.each<[string, Source]>([
      ['nothing proves them', sourceOf(TEXT)],
      ['it has one digest for the whole', sourceOf(TEXT, { digest: digestOf(TEXT) })],
      ['it is hashed as a whole', sourceOf('short', { digest: digestOf('short') })],
      ['it only has hints, which say something else', { ...sourceOf(TEXT), parts: hintsOf('other') }],
    ])('but not when %s', async (_, source) => {
      const traced = await tracedWorld(OPTIONS);
      const result = await write(traced, source);
      expect(result).toMatchObject({ outcome: 'done' });
      expect(result).toHaveProperty('parts', undefined);
    });
  });

  describe('compares what came with the digest', () => {
    it.each([digestOf('other'), digestOfParts('other')])(
      'of the source, and does not take another: %s',
      async (digest) => {
        const traced = await tracedWorld(OPTIONS);
        const source = watched(TEXT);
        Object.assign(source, { entry: { ...source.entry, digest } });
        const found = digest.startsWith('md5-') ? digestOfParts(TEXT) : digestOf(TEXT);
        await expect(write(traced, source)).rejects.toMatchObject({
          code: 'ERR_CONTENT_MISMATCH',
          message: `The content of "a/f" was damaged on its way: its digest is ${found}, expected was ${digest}. It was not put into place; the next run tries again.`,
          retryable: true,
          data: { path: 'a/f', expected: digest, found },
        });
        expect(source.asked).toEqual([0, 1, 2]);
        expect([traced.world.tree(), traced.world.staged(), traced.world.openHandles()]).toEqual([{}, [], 0]);
      },
    );

    it('of hints, which are no proof: what came is the content', async () => {
      const traced = await tracedWorld(OPTIONS);
      const source = watched(TEXT, { parts: hintsOf('other') });
      expect(await write(traced, source)).toMatchObject({ outcome: 'done', digest: digestOfParts(TEXT) });
      expect(source.asked).toEqual([0, 1, 2]);
    });

    it('unless it is of no scheme that is known', async () => {
      const traced = await tracedWorld(OPTIONS);
      const source = watched(TEXT);
      Object.assign(source, { entry: { ...source.entry, digest: 'sha9:0' } });
      expect(await write(traced, source)).toMatchObject({
        outcome: 'done',
        digest: expect.stringMatching(/^md5-10:/),
        parts: undefined,
      });
      expect(source.asked).toEqual([0, 1, 2]);
      traced.world.remove('a');
      const short = sourceOf('short', { digest: 'sha9:0' });
      expect(await write(traced, short)).toMatchObject({ outcome: 'done', digest: digestOf('short') });
    });
  });

  describe('over a version whose parts may be the same', () => {
    const OLD = 'aaaaaaaaaaBBBBBBBBBBccccc';
    const over = async (): Promise<TracedWorld> => {
      const traced = await tracedWorld(OPTIONS);
      traced.world.write('a/f', OLD);
      return traced;
    };

    it('takes those from there, and reads the others', async () => {
      const traced = await over();
      const source = watched(TEXT, { parts: hintsOf(TEXT) });
      expect(await write(traced, source)).toMatchObject({ outcome: 'done', digest: digestOfParts(TEXT) });
      expect(source.asked).toEqual([1]);
      expect([traced.world.read('a/f'), traced.world.openHandles()]).toEqual([TEXT, 0]);
    });

    it('does not open it where nothing is known of the parts', async () => {
      const traced = await over();
      const source = watched(TEXT);
      expect(await write(traced, source)).toMatchObject({ outcome: 'done' });
      expect(traced.trace).not.toContain('openFile a/f');
      expect(source.asked).toEqual([0, 1, 2]);
    });

    it('reads all again when what was put together is not the content', async () => {
      const traced = await over();
      const source = watched(TEXT, { parts: hintsOf(TEXT, { mayBe: () => true }) });
      expect(await write(traced, source)).toMatchObject({ outcome: 'done', digest: digestOfParts(TEXT) });
      expect(source.asked).toEqual([0, 1, 2]);
      expect(traced.world.read('a/f')).toBe(TEXT);
    });

    it.each<[string, string | ((traced: TracedWorld) => void)]>([
      ['was edited', (traced) => traced.world.write('a/f', 'edited')],
      ['cannot be looked at', 'EIO'],
    ])('does without it when it %s', async (_, act) => {
      const traced = await over();
      traced.before('lstatByPath a/f', typeof act === 'string' ? act : () => act(traced));
      // What fails once may have passed by the time of the looks after it. Before them come that of the test, and the one that says
      // whether it may be replaced.
      if (typeof act === 'string') for (const nth of [3, 4]) traced.before('lstat a/f', act, nth);
      const source = watched(TEXT, { parts: hintsOf(TEXT) });
      const result = await write(traced, source);
      expect(source.asked).toEqual([0, 1, 2]);
      expect(result.outcome).toBe(typeof act === 'string' ? 'done' : 'stale');
      expect(traced.world.openHandles()).toBe(0);
    });
  });
});
