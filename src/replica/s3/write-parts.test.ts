import { describe, expect, it } from 'vitest';
import type { LentMemory } from '../wrap/body-memory.js';
import { md5Of, s3World, sourceOf, type Incident, type S3World } from '../../../test/replica-s3/s3-world.js';
import { PathError, StaleError } from '../../errors.js';
import { DIALECTS } from '../../testing/s3/dialects.js';
import { combinedEtag } from './combined-etag.js';
import { HINTS_HEADER } from './part-hints.js';
import { writeParts } from './write-parts.js';

/** A store that takes parts of any size, so that a test needs no large files. */
const SMALL = { ...DIALECTS['aws'], leastPartBytes: 1 };
const CONTENT = 'aaaabbbbcc';
const PARTS = ['aaaa', 'bbbb', 'cc'];
const COMBINED = `${md5Of(Buffer.concat(PARTS.map((part) => Buffer.from(md5Of(part), 'hex'))))}-3`;

/** Each part goes with its MD5: what it goes with instead is the business of `send-part.ts`. */
const worldOf = (dialect: Parameters<typeof s3World>[0] = { etagIsMd5: true }): S3World =>
  s3World({ checksSha256: false, ...dialect }, { store: SMALL, partSizeBytes: 4 });
const write = (
  world: S3World,
  source = sourceOf(CONTENT),
  precondition: Parameters<typeof writeParts>[3] = null,
  options = {},
) => writeParts(world.context, 'big', source, precondition, options);
const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');
const CREATE = 'POST big?uploads';
const PART = 'PUT big?partNumber';
const COMPLETE = 'POST big?uploadId';
const ABORT = 'DELETE big?uploadId';
const LIST = 'GET big?uploadId';

/** Leaves an upload of two parts of three behind. */
async function cutOff(world: S3World, source = sourceOf(CONTENT)): Promise<void> {
  world.on(PART, { lost: 'before' }, 3);
  await expect(write(world, source)).rejects.toThrow('the connection broke');
  expect(world.uploads.records.size).toBe(1);
  world.asked.length = 0;
  world.requests.length = 0;
}

describe('combinedEtag', () => {
  it('is the MD5 of the MD5s, and how many they are', () => {
    expect(combinedEtag(PARTS.map((part) => Buffer.from(md5Of(part), 'hex')))).toBe(COMBINED);
  });
});

describe('writeParts', () => {
  it.each<[string, (world: S3World) => unknown, object]>([
    [
      'knows its own by what the ETag has to be',
      () => undefined,
      { outcome: 'done', entry: { fingerprint: `${COMBINED}:10` } },
    ],
    ['takes no other version for it', (world) => world.place.put('big', 'x'.repeat(10)), { outcome: 'stale' }],
    ['takes nothing for it', (world) => world.place.remove('big'), { outcome: 'stale' }],
  ])('%s, where the last answer has no ETag', async (_, after, expected) => {
    const world = s3World(
      { etagIsMd5: true, checksSha256: false },
      { store: { ...SMALL, completeEtag: 'empty' }, partSizeBytes: 4 },
    );
    world.on(COMPLETE, { after: () => after(world) });
    expect(await write(world)).toMatchObject(expected);
    expect(world.asked.slice(5, 6)).toEqual(['HEAD big']);
  });

  it('sends the parts with their digests, then puts them together under the condition', async () => {
    const world = worldOf();
    const counts: number[] = [];
    expect(await write(world, sourceOf(CONTENT), null, { onBytes: (count: number) => counts.push(count) })).toEqual({
      outcome: 'done',
      entry: {
        kind: 'file',
        path: 'big',
        sizeBytes: 10,
        fingerprint: `${COMBINED}:10`,
        modifiedMs: 1_600_000_000_123,
        modifiedSource: 'mtime',
        digest: `md5-4:${COMBINED}`,
      },
      digest: `md5-4:${COMBINED}`,
      parts: { partSizeBytes: 4, md5s: PARTS.map((part) => md5Of(part)) },
    });
    expect(world.asked).toEqual([CREATE, PART, PART, PART, COMPLETE]);
    expect(world.requests[0]?.headers).toMatchObject({ 'x-amz-meta-mtime': '1600000000.123' });
    expect(world.requests[0]?.headers).not.toHaveProperty(HINTS_HEADER);
    expect(world.requests.slice(1, 4).map(({ headers }) => headers['content-md5'])).toEqual(
      PARTS.map((part) => base64(md5Of(part))),
    );
    expect(world.requests[4]?.headers).toMatchObject({ 'if-none-match': '*' });
    expect(counts).toEqual([4, 4, 2]);
    expect(await world.text('big')).toBe(CONTENT);
    expect(world.uploads.records.size).toBe(0);
    expect(await world.place.uploadIds()).toEqual([]);
  });

  it('names the version that was seen when it replaces one', async () => {
    const world = worldOf();
    await world.place.put('big', 'old');
    const seen = await world.seen('big');
    expect(await write(world, sourceOf(CONTENT), seen)).toMatchObject({ outcome: 'done' });
    expect(world.requests.at(-1)?.headers).toMatchObject({ 'if-match': `"${md5Of('old')}"` });
  });

  it('takes the upload away when another version stands there', async () => {
    const world = worldOf();
    await world.place.put('big', 'theirs');
    expect(await write(world)).toMatchObject({ outcome: 'stale' });
    expect(await world.text('big')).toBe('theirs');
    expect(world.uploads.records.size).toBe(0);
    expect(await world.place.uploadIds()).toEqual([]);
  });

  it('asks the source just before it puts the parts together, and takes the upload away when that is stale', async () => {
    const world = worldOf();
    const verify = async (): Promise<void> => {
      expect(world.asked).toEqual([CREATE, PART, PART, PART]);
      throw new StaleError('the file was changed');
    };
    await expect(write(world, sourceOf(CONTENT, { verify }))).rejects.toThrow('the file was changed');
    expect(world.uploads.records.size).toBe(0);
    expect(await world.place.uploadIds()).toEqual([]);
    expect(world.asked).toContain(ABORT);
  });

  describe('what is left for a later run', () => {
    it.each<[string, Incident, boolean]>([
      ['the line breaks', { lost: 'before' }, true],
      ['the store says later', { status: 503, code: 'SlowDown' }, true],
      ['the store refuses for good', { status: 403, code: 'AccessDenied' }, false],
    ])('when %s: %#', async (_, incident, isKept) => {
      const world = worldOf();
      world.on(PART, incident, 2);
      await expect(write(world)).rejects.toThrow();
      expect(world.uploads.records.size).toBe(isKept ? 1 : 0);
      expect(await world.place.uploadIds()).toHaveLength(isKept ? 1 : 0);
    });

    it('is the upload when the caller stops', async () => {
      const world = worldOf();
      const stop = new AbortController();
      world.on(PART, { after: () => stop.abort() });
      await expect(write(world, sourceOf(CONTENT), null, { signal: stop.signal })).rejects.toMatchObject({
        name: 'AbortError',
      });
      expect(world.uploads.records.size).toBe(1);
    });

    it('is the upload when the disk fails for a while, and nothing when it fails for good', async () => {
      for (const retryable of [true, false]) {
        const world = worldOf();
        const source = sourceOf(CONTENT, {
          read: () => {
            throw new PathError('ERR_X', 'the disk fails', { retryable });
          },
        });
        await expect(write(world, source)).rejects.toThrow('the disk fails');
        expect(world.uploads.records.size).toBe(retryable ? 1 : 0);
      }
    });
  });

  describe('a later run', () => {
    it('sends only what the store does not hold, and counts all of it', async () => {
      const world = worldOf();
      await cutOff(world);
      const counts: number[] = [];
      expect(
        await write(world, sourceOf(CONTENT), null, { onBytes: (count: number) => counts.push(count) }),
      ).toMatchObject({ outcome: 'done', entry: { fingerprint: `${COMBINED}:10` } });
      expect(world.asked).toEqual([LIST, PART, COMPLETE]);
      expect(counts).toEqual([2, 4, 4]);
      expect(await world.text('big')).toBe(CONTENT);
      expect(world.uploads.records.size).toBe(0);
    });

    it('sends a part again whose bytes are not those of the file', async () => {
      const world = worldOf();
      const source = sourceOf(CONTENT);
      await cutOff(world, source);
      const other = sourceOf('aaaaBBBBcc');
      expect(await write(world, { ...other, entry: source.entry })).toMatchObject({ outcome: 'done' });
      expect(world.asked).toEqual([LIST, PART, PART, COMPLETE]);
      expect(await world.text('big')).toBe('aaaaBBBBcc');
    });

    describe('with a source that makes MD5s for less', () => {
      const ALL = PARTS.map((part) => md5Of(part));
      /** Tells which ranges of it were read, and what it was asked for. */
      function hashing(md5s: (parts: readonly number[], signal: AbortSignal) => Promise<readonly string[]>) {
        const inner = sourceOf(CONTENT);
        const read: number[] = [];
        const asked: unknown[] = [];
        const source = {
          ...inner,
          read(start: number, end: number) {
            read.push(start);
            return inner.read(start, end);
          },
          async partMd5s(partSizeBytes: number, signal?: AbortSignal, parts: readonly number[] = []) {
            asked.push([partSizeBytes, parts]);
            return await md5s(parts, signal as AbortSignal);
          },
        };
        return { source, read, asked };
      }

      it('has it make those of the parts that the store holds, and reads none of them, while it sends the others', async () => {
        const world = worldOf();
        await cutOff(world);
        const sent = new Promise<void>((resolve) => {
          world.on(PART, { after: () => resolve() });
        });
        const { source, read, asked } = hashing(async (parts) => {
          await sent;
          return parts.map((part) => ALL[part] ?? '');
        });
        const counts: number[] = [];
        expect(await write(world, source, null, { onBytes: (count: number) => counts.push(count) })).toMatchObject({
          outcome: 'done',
          entry: { fingerprint: `${COMBINED}:10` },
          parts: { md5s: ALL },
        });
        expect([world.asked, counts]).toEqual([
          [LIST, PART, COMPLETE],
          [2, 4, 4],
        ]);
        expect([read, asked]).toEqual([[8], [[4, [0, 1]]]]);
        expect(await world.text('big')).toBe(CONTENT);
      });

      it('sends a part again that is not what the file has there now', async () => {
        const world = worldOf();
        const first = sourceOf(CONTENT);
        await cutOff(world, first);
        const other = sourceOf('aaaaBBBBcc');
        const partMd5s = async (_: number, __: unknown, parts: readonly number[] = []) =>
          parts.map((part) => md5Of(part === 1 ? 'BBBB' : 'aaaa'));
        expect(await write(world, { ...other, entry: first.entry, partMd5s })).toMatchObject({ outcome: 'done' });
        expect(world.asked).toEqual([LIST, PART, PART, COMPLETE]);
        expect(await world.text('big')).toBe('aaaaBBBBcc');
      });

      it('does not have it make the MD5 of one part, nor of none', async () => {
        const world = worldOf();
        world.on(PART, { lost: 'before' }, 2);
        const { source, asked } = hashing(async () => []);
        await expect(write(world, source)).rejects.toThrow('the connection broke');
        expect(await write(world, source)).toMatchObject({ outcome: 'done' });
        expect(asked).toEqual([]);
      });

      it('fails as it does, and keeps the upload only when that may pass', async () => {
        const world = worldOf();
        await cutOff(world);
        const { source } = hashing(async () => {
          throw new StaleError('the file became shorter');
        });
        await expect(write(world, source)).rejects.toThrow('the file became shorter');
        expect(world.uploads.records.size).toBe(0);
      });

      it('has it stop, and waits for that, when a part cannot be sent', async () => {
        const world = worldOf();
        await cutOff(world);
        world.on(PART, { lost: 'before' });
        let isReading = true;
        const { source } = hashing(async (_, signal) => {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
          isReading = false;
          throw signal.reason;
        });
        await expect(write(world, source)).rejects.toThrow('the connection broke');
        expect(isReading).toBe(false);
        expect(world.uploads.records.size).toBe(1);
      });

      it('stops when the caller does', async () => {
        const world = worldOf();
        await cutOff(world);
        const stopper = new AbortController();
        const { source } = hashing(async (_, signal) => {
          stopper.abort();
          signal.throwIfAborted();
          return ALL;
        });
        await expect(write(world, source, null, { signal: stopper.signal })).rejects.toMatchObject({
          name: 'AbortError',
        });
        expect(world.uploads.records.size).toBe(1);
      });
    });

    it.each([
      ['the file is another one', { fingerprint: 'another' }],
      ['the parts have another size', { partSizeBytes: 5 }],
    ])('begins anew, and aborts the old upload, when %s', async (_, change) => {
      const world = worldOf();
      await cutOff(world);
      const [record] = world.uploads.records.values();
      if (record === undefined) throw new Error('an upload is remembered');
      world.uploads.records.set('big', { ...record, ...change });
      expect(await write(world)).toMatchObject({ outcome: 'done' });
      expect(world.asked).toEqual([ABORT, CREATE, PART, PART, PART, COMPLETE]);
      expect(await world.place.uploadIds()).toEqual([]);
    });

    it('begins anew when the store has dropped the upload', async () => {
      const world = worldOf();
      await cutOff(world);
      world.on(LIST, { status: 404, code: 'NoSuchUpload' });
      expect(await write(world)).toMatchObject({ outcome: 'done' });
      expect(world.asked.filter((name) => name === CREATE)).toHaveLength(1);
      expect(world.uploads.records.size).toBe(0);
    });

    it('does not begin anew when the store only cannot say what it holds', async () => {
      const world = worldOf();
      await cutOff(world);
      world.on(LIST, { status: 403, code: 'AccessDenied' });
      await expect(write(world)).rejects.toMatchObject({
        code: 'ERR_S3_FORBIDDEN',
        message: expect.stringMatching(/^Uploading "big" failed: /),
      });
      expect(world.uploads.records.size).toBe(1);
      expect(world.asked).toEqual([LIST]);
    });
  });

  it('says why an upload cannot be begun', async () => {
    const world = worldOf();
    world.on(CREATE, { status: 403, code: 'AccessDenied' });
    await expect(write(world)).rejects.toMatchObject({
      code: 'ERR_S3_FORBIDDEN',
      message: expect.stringMatching(/^Uploading "big" failed: /),
    });
  });

  it('does not believe a part whose ETag is not its digest, where the store has digests for ETags', async () => {
    const world = worldOf();
    world.on(PART, { damagedTo: 'bbbB' }, 2);
    await expect(write(world)).rejects.toMatchObject({
      name: 'PathError',
      code: 'ERR_S3_CORRUPT_WRITE',
      message:
        'Uploading "big" failed: the store holds other bytes of part 2 than were sent. It is tried again in the next run; look at the network and at the store\'s disks if it stays.',
      data: { path: 'big', number: 2 },
    });
    expect(await world.place.uploadIds()).toEqual([]);
    const unsure = worldOf({ etagIsMd5: 'unless-encrypted' });
    unsure.on(PART, { damagedTo: 'bbbB' }, 2);
    expect(await write(unsure)).toMatchObject({ outcome: 'done' });
  });

  it('says when the store drops the upload while it is sent', async () => {
    const world = worldOf();
    world.on(PART, { status: 404, code: 'NoSuchUpload' }, 2);
    await expect(write(world)).rejects.toMatchObject({
      name: 'PathError',
      code: 'ERR_S3_UPLOAD_LOST',
      message:
        'Uploading "big" failed: the store has dropped the unfinished upload, as it does after some days or when somebody aborts it. It begins anew in the next run.',
      data: { path: 'big' },
    });
    expect(world.uploads.records.size).toBe(0);
  });

  describe('when the answer to the end is lost', () => {
    it('looks, and is done when the object is there', async () => {
      const world = worldOf();
      world.on(COMPLETE, { lost: 'after' });
      expect(await write(world)).toMatchObject({ outcome: 'done', entry: { fingerprint: `${COMBINED}:10` } });
      expect(world.asked.slice(4)).toEqual([COMPLETE, 'HEAD big']);
      expect(world.uploads.records.size).toBe(0);
    });

    it('ends it again when nothing is there', async () => {
      const world = worldOf();
      world.on(COMPLETE, { lost: 'before' });
      expect(await write(world)).toMatchObject({ outcome: 'done' });
      expect(world.asked.slice(4)).toEqual([COMPLETE, 'HEAD big', COMPLETE]);
    });

    it('does not take an object of the same size for its own', async () => {
      const world = worldOf();
      world.on(COMPLETE, { lost: 'before', before: () => world.place.put('big', 'AAAABBBBCC') });
      expect(await write(world)).toMatchObject({ outcome: 'stale' });
      expect(await world.text('big')).toBe('AAAABBBBCC');
      expect(await world.place.uploadIds()).toEqual([]);
    });
  });

  describe('when the upload is not there to be ended', () => {
    const gone = { status: 404, code: 'NoSuchUpload' };

    it('is done when an earlier try has ended it', async () => {
      const world = worldOf();
      // The first try takes effect late: after the look, before the second.
      world.on(COMPLETE, { ...gone, before: () => completeByHand(world) });
      expect(await write(world)).toMatchObject({ outcome: 'done', entry: { fingerprint: `${COMBINED}:10` } });
    });

    it('says so when nothing stands there', async () => {
      const world = worldOf();
      world.on(COMPLETE, gone);
      await expect(write(world)).rejects.toMatchObject({ code: 'ERR_S3_UPLOAD_LOST' });
    });

    it('is stale when somebody else has written', async () => {
      const world = worldOf();
      world.on(COMPLETE, { ...gone, before: () => world.place.put('big', 'theirs') });
      expect(await write(world)).toEqual({
        outcome: 'stale',
        message: '"big" was changed in the bucket while it was uploaded.',
      });
      expect(await world.text('big')).toBe('theirs');
    });

    it('fails with what else the store says, and looks for nothing then', async () => {
      const world = worldOf();
      world.on(COMPLETE, { status: 403, code: 'AccessDenied' });
      await expect(write(world)).rejects.toMatchObject({
        code: 'ERR_S3_FORBIDDEN',
        message: expect.stringMatching(/^Uploading "big" failed: /),
      });
      expect(world.asked.slice(4)).toEqual([COMPLETE, ABORT]);
    });
  });

  it('asks for the ETag where the store gives none at the end', async () => {
    const world = s3World({ etagIsMd5: true }, { store: { ...SMALL, completeEtag: 'empty' }, partSizeBytes: 4 });
    expect(await write(world)).toMatchObject({ outcome: 'done', entry: { fingerprint: `${COMBINED}:10` } });
    expect(world.asked.at(-1)).toBe('HEAD big');
  });

  it('knows its own object by the ETag that was answered, where that cannot be foretold', async () => {
    const store = { ...SMALL, multipartEtag: 'random' } as const;
    const world = s3World({ completeCreate: false, completeReplace: 'none' }, { store, partSizeBytes: 4 });
    const result = await write(world);
    expect(result).toMatchObject({ outcome: 'done' });
    expect(world.asked.slice(4)).toEqual(['HEAD big', COMPLETE, 'HEAD big']);
    expect(world.requests[5]?.headers).not.toHaveProperty('if-none-match');
    const seen = await world.seen('big');
    expect(result).toMatchObject({ entry: { fingerprint: seen.fingerprint } });
  });

  it('gives the memory of each part back, however it ends', async () => {
    const world = worldOf();
    let taken = 0;
    const amounts: number[] = [];
    Object.assign(world.context, {
      memory: {
        take: async (sizeBytes: number): Promise<LentMemory> => {
          amounts.push(sizeBytes);
          taken += sizeBytes;
          return { bytes: new Uint8Array(sizeBytes), release: () => (taken -= sizeBytes) };
        },
      },
    });
    world.on(PART, { lost: 'before' }, 2);
    await expect(write(world)).rejects.toThrow('the connection broke');
    expect(taken).toBe(0);
    await write(world);
    expect(taken).toBe(0);
    expect(amounts).toEqual([4, 4, 4, 2, 4]);
  });

  describe('with memory that it uses again', () => {
    const PART_BYTES = 1024 * 1024;
    const PIECES = Array.from({ length: 12 }, (_, i) => String.fromCharCode(97 + i).repeat(PART_BYTES));
    const LARGE = PIECES.join('');
    const DIGEST = `md5-${PART_BYTES}:${combinedEtag(PIECES.map((piece) => Buffer.from(md5Of(piece), 'hex')))}`;
    /** Bodies of parts as they were sent, with the letter that each was made of. */
    const sentBodies = ({ requests }: S3World) =>
      requests
        .filter(({ method, query }) => method === 'PUT' && 'partNumber' in query)
        .map(({ body, query }) => ({ body, letter: 96 + Number(query['partNumber']) }));
    const untouched = ({ body, letter }: ReturnType<typeof sentBodies>[number]) =>
      body !== undefined && body.every((byte) => byte === letter);

    it('holds no more parts in memory than it sends at once', async () => {
      const world = s3World({ etagIsMd5: true }, { store: SMALL, partSizeBytes: PART_BYTES });
      // With one part at a time nothing would be lent between two.
      const other = await world.context.memory.take(1);
      expect(await write(world, sourceOf(LARGE))).toMatchObject({ outcome: 'done', digest: DIGEST });
      other.release(true);
      const bodies = sentBodies(world);
      expect(bodies).toHaveLength(12);
      expect(new Set(bodies.map(({ body }) => body)).size).toBeLessThanOrEqual(world.context.parallelParts);
    });

    it.each([
      ['sent twice', { resent: true }],
      ['refused', { status: 400, code: 'Weird' }],
      ['not answered', { lost: 'before' }],
    ] as const)('does not touch a part that was %s: it may still be on its way', async (_, incident) => {
      const world = s3World({ etagIsMd5: true }, { store: SMALL, partSizeBytes: PART_BYTES });
      // Somebody else uses the same memory meanwhile, so that it is kept.
      const other = await world.context.memory.take(1);
      world.on(PART, incident, 2);
      await write(world, sourceOf(LARGE)).catch(() => {});
      const second = sentBodies(world)[1];
      await write(world, sourceOf(LARGE));
      other.release(true);
      expect(second !== undefined && untouched(second)).toBe(true);
    });
  });

  describe('over a version of the same file', () => {
    const EDITED = 'aaaaBBBBcc';
    const EDITED_MD5S = ['aaaa', 'BBBB', 'cc'].map((part) => md5Of(part));
    /** Which bytes of the replaced object the parts were copied from; `undefined`: the part was sent. */
    const copiedRanges = ({ requests }: S3World) =>
      requests
        .filter(({ method }) => method === 'PUT')
        .map(({ headers }) => (headers as Record<string, string | undefined>)['x-amz-copy-source-range']);
    const createHeaders = ({ requests }: S3World) =>
      requests.filter(({ method, query }) => method === 'POST' && 'uploads' in query).map(({ headers }) => headers);

    /** A world with an object of parts, as it is seen, and what is remembered of its parts. */
    async function standing(content = CONTENT) {
      const world = worldOf();
      const first = await write(world, sourceOf(content));
      if (first.outcome !== 'done') throw new Error('the first version is written');
      return { world, seen: await world.seen('big'), options: { replacedParts: first.parts } };
    }

    it('copies the parts that are the same within the store, sends the others, and counts all of them', async () => {
      const { world, seen, options } = await standing();
      const counts: number[] = [];
      const onBytes = (count: number) => counts.push(count);
      expect(await write(world, sourceOf(EDITED), seen, { ...options, onBytes })).toMatchObject({
        outcome: 'done',
        parts: { partSizeBytes: 4, md5s: EDITED_MD5S },
      });
      expect(world.asked).toEqual([CREATE, PART, PART, PART, COMPLETE]);
      expect(copiedRanges(world)).toEqual(['bytes=0-3', undefined, 'bytes=8-9']);
      expect(counts).toEqual([4, 4, 2]);
      expect(await world.text('big')).toBe(EDITED);
    });

    it('asks the store part by part where nothing is remembered of its parts', async () => {
      const { world, seen } = await standing();
      expect(await write(world, sourceOf(EDITED), seen)).toMatchObject({ outcome: 'done' });
      expect(copiedRanges(world)).toEqual(['bytes=0-3', 'bytes=4-7', undefined, 'bytes=8-9']);
      expect(await world.text('big')).toBe(EDITED);
    });

    it('tells with the object what its parts begin with, beside its time', async () => {
      const { world, seen, options } = await standing();
      await write(world, sourceOf(EDITED), seen, options);
      expect(createHeaders(world)).toEqual([
        expect.objectContaining({
          'x-amz-meta-mtime': '1600000000.123',
          [HINTS_HEADER]: `4:${base64(EDITED_MD5S.map((md5) => md5.slice(0, 16)).join(''))}`,
        }),
      ]);
    });

    it('does without telling where the store has no room for it', async () => {
      const { world, seen, options } = await standing();
      world.on(CREATE, { status: 400, code: 'MetadataTooLarge' });
      expect(await write(world, sourceOf(EDITED), seen, options)).toMatchObject({ outcome: 'done' });
      const [asked, again, ...more] = createHeaders(world);
      expect(asked).toHaveProperty(HINTS_HEADER);
      expect(again).not.toHaveProperty(HINTS_HEADER);
      expect(again).toMatchObject({ 'x-amz-meta-mtime': '1600000000.123' });
      expect(more).toEqual([]);
    });

    it('does not begin again when it is refused for another reason, or had nothing to leave out', async () => {
      const { world, seen, options } = await standing();
      world.on(CREATE, { status: 403, code: 'AccessDenied' });
      await expect(write(world, sourceOf(EDITED), seen, options)).rejects.toMatchObject({ code: 'ERR_S3_FORBIDDEN' });
      expect(world.asked).toEqual([CREATE]);
      const fresh = worldOf();
      fresh.on(CREATE, { status: 400, code: 'InvalidArgument' });
      await expect(write(fresh)).rejects.toThrow('Uploading "big" failed: ');
      expect(fresh.asked).toEqual([CREATE]);
    });

    it('is stale, and takes the upload away, when a part has changed since it was compared', async () => {
      const { world, seen, options } = await standing();
      let reads = 0;
      const source = sourceOf(EDITED, {
        async *read(start, end) {
          yield Buffer.from(++reads > PARTS.length ? 'aaaaXXXXcc' : EDITED).subarray(start, end);
        },
      });
      await expect(write(world, source, seen, options)).rejects.toThrow(
        new StaleError('"big" was changed while it was uploaded.'),
      );
      expect(world.asked).toEqual([CREATE, PART, ABORT]);
      expect(await world.text('big')).toBe(CONTENT);
      expect(await world.place.uploadIds()).toEqual([]);
      expect(world.uploads.records.size).toBe(0);
    });

    it('is stale when another version took the place of the one whose parts were copied', async () => {
      const { world, seen, options } = await standing();
      world.on(COMPLETE, { before: () => world.place.put('big', 'theirs') });
      expect(await write(world, sourceOf(EDITED), seen, options)).toMatchObject({ outcome: 'stale' });
      expect(await world.text('big')).toBe('theirs');
      expect(await world.place.uploadIds()).toEqual([]);
    });

    describe('in a later run', () => {
      /** Leaves two of three parts of another version behind, none of which is in the object. */
      async function cutOffOver(next: string) {
        const { world, seen, options } = await standing('xxxxyyyyzz');
        world.on(PART, { lost: 'before' }, 3);
        await expect(write(world, sourceOf(next), seen, options)).rejects.toThrow('the connection broke');
        world.asked.length = 0;
        return { world, seen, options };
      }

      it('reads what the store holds of it for the comparison only', async () => {
        const { world, seen, options } = await cutOffOver(CONTENT);
        const reads: number[] = [];
        const source = sourceOf(CONTENT, {
          async *read(start, end) {
            reads.push(start);
            yield Buffer.from(CONTENT).subarray(start, end);
          },
        });
        expect(await write(world, source, seen, options)).toMatchObject({ outcome: 'done' });
        expect(world.asked).toEqual([LIST, PART, COMPLETE]);
        expect(reads).toEqual([0, 4, 8, 8]);
        expect(await world.text('big')).toBe(CONTENT);
      });

      it('sends a held part again that is not what the file has there now', async () => {
        const { world, seen, options } = await cutOffOver(CONTENT);
        const source = { ...sourceOf(EDITED), entry: sourceOf(CONTENT).entry };
        expect(await write(world, source, seen, options)).toMatchObject({ outcome: 'done' });
        expect(world.asked).toEqual([LIST, PART, PART, COMPLETE]);
        expect(await world.text('big')).toBe(EDITED);
      });
    });

    describe('on a store whose ETags prove nothing of what it has put together', () => {
      async function unproven() {
        const store = { ...SMALL, multipartEtag: 'random' } as const;
        const world = s3World({ etagIsMd5: true }, { store, partSizeBytes: 4 });
        await world.place.put('big', CONTENT);
        return { world, seen: await world.seen('big') };
      }

      it('sends the whole file in place of copied parts, and copies none from then on', async () => {
        const { world, seen } = await unproven();
        expect(await write(world, sourceOf(EDITED), seen)).toMatchObject({ outcome: 'done' });
        expect(world.asked).toEqual([CREATE, PART, PART, PART, PART, COMPLETE, CREATE, PART, PART, PART, COMPLETE]);
        expect(copiedRanges(world).slice(4)).toEqual([undefined, undefined, undefined]);
        expect(world.requests[5]?.headers).toMatchObject({ 'if-match': `"${md5Of(CONTENT)}"` });
        expect(world.requests[10]?.headers).toMatchObject({ 'if-match': expect.not.stringContaining(md5Of(CONTENT)) });
        expect(world.context.dialect).toMatchObject({ copyPart: false, partsMakeEtag: false, etagIsMd5: true });
        expect(await world.text('big')).toBe(EDITED);
      });

      it('stops in the middle of that when the caller does', async () => {
        const { world, seen } = await unproven();
        const stop = new AbortController();
        world.on(COMPLETE, { after: () => stop.abort() });
        await expect(write(world, sourceOf(EDITED), seen, { signal: stop.signal })).rejects.toMatchObject({
          name: 'AbortError',
        });
        expect(world.asked.filter((name) => name === COMPLETE)).toHaveLength(1);
      });

      it('believes the parts that it has sent itself', async () => {
        const { world, seen } = await unproven();
        expect(await write(world, sourceOf('AAAABBBBCC'), seen)).toMatchObject({ outcome: 'done' });
        expect(world.asked.filter((name) => name === COMPLETE)).toHaveLength(1);
        expect(world.context.dialect.copyPart).toBe(true);
      });
    });
  });
});

/** Puts the parts that are there together, as an earlier request does that took effect late. */
async function completeByHand(world: S3World): Promise<void> {
  const [record] = world.uploads.records.values();
  const held = await world.context.api.listParts('big', record?.uploadId ?? '');
  if (held.ok) await world.context.api.complete('big', record?.uploadId ?? '', held.value, {});
}
