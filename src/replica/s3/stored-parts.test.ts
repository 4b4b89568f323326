import { describe, expect, it } from 'vitest';
import { md5Of, s3World, sourceOf, type Incident, type S3World } from '../../../test/replica-s3/s3-world.js';
import type { PartDigests } from '../../core/part-digests.js';
import { S3ConnectionError, StaleError } from '../../errors.js';
import { DIALECTS } from '../../testing/s3/dialects.js';
import type { Source } from '../replica.js';
import type { LentMemory } from '../wrap/body-memory.js';
import type { Dialect } from './dialect.js';
import { compareStoredParts, copyStoredPart, type StoredParts } from './stored-parts.js';
import { writeParts } from './write-parts.js';

/** A store that takes parts of any size, so that a test needs no large files. */
const SMALL = { ...DIALECTS['aws'], leastPartBytes: 1 };
const PART_BYTES = 4;
const CONTENT = 'aaaabbbbcc';
const MD5S = ['aaaa', 'bbbb', 'cc'].map((part) => md5Of(part));
const COPY = 'PUT big?partNumber';
const LOOK = 'HEAD big';

type Seen = Awaited<ReturnType<S3World['seen']>>;

/** A world with an object that was sent in parts, and what is known of it. */
async function standing(
  dialect: Partial<Dialect> = {},
  content = CONTENT,
): Promise<{ world: S3World; seen: Seen; known: PartDigests }> {
  const world = s3World({ etagIsMd5: true, ...dialect }, { store: SMALL, partSizeBytes: PART_BYTES });
  const first = await writeParts(world.context, 'big', sourceOf(content), null, {});
  if (first.outcome !== 'done' || first.parts === undefined) throw new Error('the object is written');
  return { world, seen: await world.seen('big'), known: first.parts };
}

/** Content that tells in which order it is read. */
function watchedSource(content: string): Source & { readonly reads: number[] } {
  const reads: number[] = [];
  const inner = sourceOf(content);
  return {
    ...inner,
    reads,
    read(start, end, signal) {
      reads.push(start);
      return inner.read(start, end, signal);
    },
  };
}

describe('compareStoredParts', () => {
  const compare = (
    world: S3World,
    precondition: Seen | null,
    stored: PartDigests | undefined,
    source: Source = sourceOf(CONTENT),
    signal?: AbortSignal,
  ) => compareStoredParts(world.context, source, precondition, stored, PART_BYTES, signal);

  it('reads each part once, and asks the store for nothing', async () => {
    const { world, seen, known } = await standing();
    const source = watchedSource('aaaaBBBBcc');
    expect(await compare(world, seen, known, source)).toEqual({
      now: { partSizeBytes: PART_BYTES, md5s: ['aaaa', 'BBBB', 'cc'].map((part) => md5Of(part)) },
      stored: known,
      precondition: seen,
      found: { different: 0, same: 0 },
      moved: undefined,
    });
    expect(source.reads).toEqual([0, 4, 8]);
    expect(world.asked).toEqual([]);
  });

  it('reads nothing of a source that knows a cheaper way to the MD5s', async () => {
    const { world, seen, known } = await standing();
    const asked: unknown[] = [];
    const source = {
      ...watchedSource('aaaaBBBBcc'),
      partMd5s: async (...given: unknown[]) => {
        asked.push(given);
        return ['aaaa', 'BBBB', 'cc'].map((part) => md5Of(part));
      },
    };
    const { signal } = new AbortController();
    expect(await compare(world, seen, known, source, signal)).toMatchObject({
      now: { md5s: ['aaaa', 'BBBB', 'cc'].map((part) => md5Of(part)) },
    });
    expect([asked, source.reads]).toEqual([[[PART_BYTES, signal]], []]);
    await expect(
      compare(world, seen, known, { ...source, partMd5s: () => Promise.reject(new StaleError('other')) }),
    ).rejects.toThrow(StaleError);
  });

  it('looks for what bytes that were put in have moved, where the parts of the object are known', async () => {
    const { world, seen, known } = await standing();
    const source = watchedSource('aaaaXbbbbcc');
    expect(await compare(world, seen, known, source)).toMatchObject({ moved: { start: 5, by: 1 } });
    expect(source.reads).toEqual([0, 4, 8, 9, 5]);
    const again = watchedSource('aaaaXbbbbcc');
    expect(await compare(world, seen, undefined, again)).toMatchObject({ moved: undefined });
    expect(again.reads).toEqual([0, 4, 8]);
  });

  it('has nothing to compare a new file with, and reads none of it', async () => {
    const { world } = await standing();
    const source = watchedSource(CONTENT);
    expect(await compare(world, null, undefined, source)).toBeUndefined();
    expect(source.reads).toEqual([]);
  });

  it('leaves a file of two parts alone: one of them differs', async () => {
    const { world, seen } = await standing();
    const source = watchedSource('aaaaBBBB');
    expect(await compare(world, seen, undefined, source)).toBeUndefined();
    expect(source.reads).toEqual([]);
  });

  it.each<[string, (known: PartDigests) => PartDigests | undefined]>([
    ['nothing', () => undefined],
    ['parts of another size', ({ md5s }) => ({ partSizeBytes: 5, md5s })],
    ['the parts in another order', ({ md5s, ...rest }) => ({ ...rest, md5s: md5s.toReversed() })],
    ['fewer parts', ({ md5s, ...rest }) => ({ ...rest, md5s: md5s.slice(1) })],
  ])('does not believe %s about the object: the store is to be asked part by part', async (_, change) => {
    const { world, seen, known } = await standing();
    const parts = await compare(world, seen, change(known));
    expect(parts).toMatchObject({ now: { md5s: MD5S } });
    expect(parts?.stored).toBeUndefined();
  });

  it.each<[string, Partial<Dialect>]>([
    ['does not make ETags of the parts', { partsMakeEtag: false }],
    ['has no digests for ETags', { etagIsMd5: false }],
    ['may have no digests for ETags', { etagIsMd5: undefined }],
  ])('gains nothing on a store that %s, unless the object itself shows that it does', async (_, dialect) => {
    const { world, seen, known } = await standing();
    Object.assign(world.context, { dialect: { ...world.context.dialect, ...dialect } });
    const source = watchedSource(CONTENT);
    expect(await compare(world, seen, undefined, source)).toBeUndefined();
    expect(source.reads).toEqual([]);
    expect(await compare(world, seen, known)).toMatchObject({ stored: known });
  });

  it('gives the memory of each part back, however it ends', async () => {
    const { world, seen, known } = await standing();
    let taken = 0;
    const amounts: number[] = [];
    const take = async (sizeBytes: number): Promise<LentMemory> => {
      amounts.push(sizeBytes);
      taken += sizeBytes;
      return { bytes: new Uint8Array(sizeBytes), release: () => (taken -= sizeBytes) };
    };
    Object.assign(world.context, { memory: { take } });
    await compare(world, seen, known);
    expect(amounts).toEqual([4, 4, 2]);
    expect(taken).toBe(0);
    const failing = sourceOf(CONTENT, {
      read: () => {
        throw new Error('the disk fails');
      },
    });
    await expect(compare(world, seen, known, failing)).rejects.toThrow('the disk fails');
    expect(taken).toBe(0);
  });

  it('stops when it is told to', async () => {
    const { world, seen, known } = await standing();
    const source = watchedSource(CONTENT);
    await expect(compare(world, seen, known, source, AbortSignal.abort())).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(source.reads).toEqual([]);
  });
});

describe('copyStoredPart', () => {
  /** An upload over an object, with what was found out about its parts. */
  async function uploading(
    change: Partial<StoredParts> & { readonly dialect?: Partial<Dialect>; readonly content?: string } = {},
  ) {
    const { dialect, content, ...rest } = change;
    const { world, seen, known } = await standing(dialect, content);
    const created = await world.context.api.createUpload('big', {});
    if (!created.ok) throw new Error('the upload is begun');
    world.asked.length = 0;
    world.requests.length = 0;
    const parts: StoredParts = {
      now: { partSizeBytes: PART_BYTES, md5s: MD5S },
      stored: known,
      precondition: seen,
      found: { different: 0, same: 0 },
      moved: undefined,
      ...rest,
    };
    const copy = (number = 1, [start, end]: readonly [number, number] = [4 * number - 4, Math.min(10, 4 * number)]) => {
      const target = { key: 'big', uploadId: created.value, number };
      return copyStoredPart(world.context, 'big', parts, target, [start, end], new AbortController().signal);
    };
    return { world, parts, copy };
  }

  it('makes a part of the object that is replaced, of that very version', async () => {
    const { world, parts, copy } = await uploading();
    expect(await copy(2)).toEqual({ number: 2, etag: md5Of('bbbb'), sizeBytes: 4 });
    expect(await copy(3)).toEqual({ number: 3, etag: md5Of('cc'), sizeBytes: 2 });
    expect(world.asked).toEqual([COPY, COPY]);
    expect(world.requests[0]?.headers).toMatchObject({
      'x-amz-copy-source': '/bucket/big',
      'x-amz-copy-source-range': 'bytes=4-7',
      'x-amz-copy-source-if-match': `"${parts.precondition.fingerprint.split(':')[0]}"`,
    });
    expect(parts.found).toEqual({ different: 0, same: 2 });
  });

  it.each<[string, Parameters<typeof uploading>[0], number, (readonly [number, number])?]>([
    ['that differs, as is known', { now: { partSizeBytes: PART_BYTES, md5s: ['x', 'y', 'z'] } }, 1],
    ['that was not compared', {}, 4, [0, 4]],
    ['that reaches beyond the object', { stored: undefined, content: 'aaaabbbbc' }, 3],
    ['on a store that does not copy parts', { dialect: { copyPart: false } }, 1],
  ])('asks for none %s', async (_, change, number, range) => {
    const { world, parts, copy } = await uploading(change);
    expect(await copy(number, range)).toBeUndefined();
    expect(world.asked).toEqual([]);
    expect(parts.found).toEqual({ different: 0, same: 0 });
  });

  describe('where nothing is known of the parts of the object', () => {
    it('takes what the store says is the same, and sends what is not, without a doubt in the store', async () => {
      const { world, parts, copy } = await uploading({ stored: undefined, content: 'aaaaBBBBcc' });
      expect(await copy(1)).toMatchObject({ etag: md5Of('aaaa') });
      expect(await copy(2)).toBeUndefined();
      expect(parts.found).toEqual({ different: 1, same: 1 });
      expect(world.asked).toEqual([COPY, COPY]);
      expect(world.context.dialect.copyPart).toBe(true);
    });

    it.each([
      [15, 0, true],
      [16, 0, false],
      [16, 1, true],
    ])('goes on asking after %i that differ and %i that were the same: %s', async (different, same, goesOn) => {
      const { world, copy } = await uploading({ stored: undefined, found: { different, same } });
      expect((await copy()) !== undefined).toBe(goesOn);
      expect(world.asked).toEqual(goesOn ? [COPY] : []);
    });

    it('still asks for a part that is known to be the same, however many differ', async () => {
      const { copy } = await uploading({ found: { different: 16, same: 0 } });
      expect(await copy()).toBeDefined();
    });
  });

  it('copies none from a store any more that made another part than the object had', async () => {
    const { world, parts, copy } = await uploading({
      stored: { partSizeBytes: PART_BYTES, md5s: MD5S },
      content: 'aaaaBBBBcc',
    });
    expect(await copy(2)).toBeUndefined();
    expect(parts.found).toEqual({ different: 1, same: 0 });
    expect(world.asked).toEqual([COPY]);
    expect(world.context.dialect).toMatchObject({ copyPart: false, partsMakeEtag: true });
  });

  describe('that was moved', () => {
    /** The object is aaaabbbbcc, the file Xaaaabbbbcc; or as it is told. */
    const moved = (content = 'Xaaaabbbbcc') =>
      uploading({
        now: { partSizeBytes: PART_BYTES, md5s: (content.match(/.{1,4}/g) ?? []).map((part) => md5Of(part)) },
        moved: { start: 1, by: 1 },
      });

    it('comes from where it was', async () => {
      const { world, parts, copy } = await moved();
      expect(await copy(2, [4, 8])).toEqual({ number: 2, etag: md5Of('abbb'), sizeBytes: 4 });
      expect(await copy(3, [8, 11])).toEqual({ number: 3, etag: md5Of('bcc'), sizeBytes: 3 });
      const from = world.requests.map(({ headers }) => ({ ...headers })['x-amz-copy-source-range']);
      expect(from).toEqual(['bytes=3-6', 'bytes=7-9']);
      expect(parts.found).toEqual({ different: 0, same: 2 });
    });

    it('is asked for, in case that it begins earlier than is known, and is sent if it does not', async () => {
      const content = 'aaaabbXbbcc';
      const { world, parts, copy } = await uploading({
        now: { partSizeBytes: PART_BYTES, md5s: (content.match(/.{1,4}/g) ?? []).map((part) => md5Of(part)) },
        moved: { start: 9, by: 1 },
      });
      expect(await copy(2, [4, 8])).toBeUndefined();
      expect(world.asked).toEqual([]);
      expect(await copy(3, [8, 11])).toMatchObject({ etag: md5Of('bcc') });
      parts.moved = { start: 7, by: 1 };
      expect(await copy(2, [4, 8])).toBeUndefined();
      expect(world.asked).toEqual([COPY, COPY]);
      expect(parts.moved).toBeDefined();
    });

    it('is sent where the object has nothing before its beginning', async () => {
      const { world, copy } = await moved();
      expect(await copy(1, [0, 4])).toBeUndefined();
      expect(world.asked).toEqual([]);
    });

    it('comes from the same place, if it is there as well', async () => {
      const { world, copy } = await uploading({ moved: { start: 1, by: 1 } });
      expect(await copy(2)).toBeDefined();
      expect({ ...world.requests[0]?.headers }).toMatchObject({ 'x-amz-copy-source-range': 'bytes=4-7' });
    });

    it.each<[string, Incident | undefined]>([
      ['makes another part of it', undefined],
      ['refuses it', { status: 400, code: 'InvalidRange' }],
    ])('is asked for no more of a store that %s, which still copies what stayed', async (_, incident) => {
      const { world, parts, copy } = await moved('aaaabbbbccXX');
      if (incident !== undefined) world.on(COPY, incident);
      expect(await copy(3, [8, 12])).toBeUndefined();
      expect(parts.moved).toBeUndefined();
      expect(await copy(3, [8, 12])).toBeUndefined();
      expect(world.asked.filter((asked) => asked === COPY)).toHaveLength(1);
      expect(await copy(1)).toMatchObject({ etag: md5Of('aaaa') });
      expect(world.context.dialect.copyPart).toBe(true);
    });
  });

  it.each([true, false])('copies none any more when the answer is none: parts known: %s', async (isKnown) => {
    const { world, copy } = await uploading(isKnown ? {} : { stored: undefined });
    world.on(COPY, { status: 200 });
    expect(await copy()).toBeUndefined();
    expect(world.context.dialect.copyPart).toBe(false);
  });

  it.each<[string, Incident]>([
    ['the upload is gone', { status: 404, code: 'NoSuchUpload' }],
    ['the store is busy', { status: 503, code: 'SlowDown' }],
  ])('leaves it to the sending of the part to find that %s', async (_, incident) => {
    const { world, parts, copy } = await uploading();
    world.on(COPY, incident);
    expect(await copy()).toBeUndefined();
    expect(world.asked).toEqual([COPY]);
    expect(parts.found).toEqual({ different: 1, same: 0 });
    expect(world.context.dialect.copyPart).toBe(true);
  });

  it.each([true, false])('copies none any more when the store refuses to: parts known: %s', async (isKnown) => {
    const { world, copy } = await uploading(isKnown ? {} : { stored: undefined });
    world.on(COPY, { status: 501, code: 'NotImplemented' });
    expect(await copy()).toBeUndefined();
    expect(world.asked).toEqual([COPY, LOOK]);
    expect(world.context.dialect.copyPart).toBe(false);
  });

  it.each([
    ['another object', 'theirs'],
    ['nothing', undefined],
  ])('is stale when it was refused and %s stands there by now', async (_, content) => {
    const { world, copy } = await uploading();
    const act = () => (content === undefined ? world.place.remove('big') : world.place.put('big', content));
    world.on(COPY, { before: act });
    await expect(copy()).rejects.toThrow(new StaleError('"big" was changed in the bucket while it was uploaded.'));
    expect(world.context.dialect.copyPart).toBe(true);
  });

  it.each([
    ['broke off', 'the connection broke', { lost: 'before' } as const],
    [
      'cannot be reached',
      'no way there',
      {
        before: () => {
          throw new S3ConnectionError('ERR_S3_UNREACHABLE', 'no way there');
        },
      },
    ],
  ])('fails when the store %s: nothing is known of it then', async (_, message, incident) => {
    const { world, parts, copy } = await uploading();
    world.on(COPY, incident);
    await expect(copy()).rejects.toThrow(message);
    expect(world.context.dialect.copyPart).toBe(true);
    expect(parts.found).toEqual({ different: 0, same: 0 });
  });
});
