import { describe, expect, it } from 'vitest';
import type { LentMemory } from '../wrap/body-memory.js';
import { md5Of, s3World, sourceOf, type S3World } from '../../../test/replica-s3/s3-world.js';
import { StaleError } from '../../errors.js';
import { DIALECTS } from '../../testing/s3/dialects.js';
import { UNKNOWN_DIALECT } from './dialect.js';
import { writeObject } from './write-object.js';

const OURS = md5Of('ours');
const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');

const write = (
  world: S3World,
  source = sourceOf('ours'),
  precondition: Parameters<typeof writeObject>[3] = null,
  options = {},
) => writeObject(world.context, 'a.txt', source, precondition, options);
/** The headers of the first PUT. */
const headersOf = (world: S3World): Readonly<Record<string, string>> =>
  world.requests.find(({ method }) => method === 'PUT')?.headers ?? {};

describe('writeObject', () => {
  it('sends a small file in one request, with its digest, time and type, and the condition', async () => {
    const world = s3World({ etagIsMd5: true });
    const counts: number[] = [];
    expect(await write(world, sourceOf('ours'), null, { onBytes: (count: number) => counts.push(count) })).toEqual({
      outcome: 'done',
      entry: {
        kind: 'file',
        path: 'a.txt',
        sizeBytes: 4,
        fingerprint: `${OURS}:4`,
        modifiedMs: 1_600_000_000_123,
        modifiedSource: 'mtime',
        digest: `md5:${OURS}`,
      },
      digest: `md5:${OURS}`,
    });
    expect(world.asked).toEqual(['PUT a.txt']);
    expect(headersOf(world)).toEqual({
      'content-type': 'text/plain',
      'x-amz-meta-mtime': '1600000000.123',
      'content-md5': base64(OURS),
      'if-none-match': '*',
    });
    expect(counts).toEqual([4]);
    expect(await world.text('a.txt')).toBe('ours');
  });

  it.each<[string, Parameters<typeof s3World>, string, string]>([
    ['by its ETag', [{ etagIsMd5: true }], 'done', 'ours'],
    [
      'by the digest that was sent along',
      [{ etagIsMd5: false }, { store: { ...DIALECTS['aws'], putEtag: 'random' } }],
      'done',
      'ours',
    ],
    ['and takes no other version for it', [{ etagIsMd5: true }], 'stale', 'else'],
    ['nor one of another length', [{ etagIsMd5: true }], 'stale', 'longer'],
  ])('knows its own where the answer has no ETag: %s', async (_, args, outcome, stands) => {
    const world = s3World(...args);
    world.on('PUT a.txt', {
      withoutEtag: true,
      after: () => (stands === 'ours' ? undefined : world.place.put('a.txt', stands)),
    });
    expect(await write(world)).toMatchObject({ outcome });
    expect(world.asked).toEqual(['PUT a.txt', 'HEAD a.txt']);
    expect(await world.text('a.txt')).toBe(stands);
  });

  it('names the version that was seen when it replaces one', async () => {
    const world = s3World();
    await world.place.put('a.txt', 'old');
    const seen = await world.seen('a.txt');
    expect(await write(world, sourceOf('ours'), seen)).toMatchObject({ outcome: 'done' });
    expect(headersOf(world)).toMatchObject({ 'if-match': `"${md5Of('old')}"` });
    expect(headersOf(world)).not.toHaveProperty('if-none-match');
  });

  it('sends the digest along as metadata where ETags may say nothing about the content', async () => {
    for (const etagIsMd5 of [undefined, false, 'unless-encrypted'] as const) {
      const world = s3World({ etagIsMd5 });
      await write(world);
      expect(headersOf(world)).toMatchObject({ 'x-amz-meta-md5chksum': base64(OURS) });
    }
  });

  it('sends up to a whole part in one request, and in parts what is larger', async () => {
    const world = s3World({}, { partSizeBytes: 4 });
    await write(world);
    expect(world.asked).toEqual(['PUT a.txt']);
    const parts = s3World({}, { partSizeBytes: 3 });
    // Such small parts are refused at the end: that they are sent at all is what counts here.
    await write(parts).catch(() => undefined);
    expect(parts.asked.slice(0, 3)).toEqual(['POST a.txt?uploads', 'PUT a.txt?partNumber', 'PUT a.txt?partNumber']);
  });

  it('is stale when something else stands there', async () => {
    const world = s3World();
    await world.place.put('a.txt', 'theirs');
    const counts: number[] = [];
    expect(
      await write(world, sourceOf('ours'), null, { onBytes: (count: number) => counts.push(count) }),
    ).toMatchObject({ outcome: 'stale' });
    expect(counts).toEqual([]);
  });

  it('is stale when the source changed, and fails when it failed', async () => {
    const world = s3World();
    const verify = async (): Promise<void> => {
      throw new StaleError('the file was changed');
    };
    expect(await write(world, sourceOf('ours', { verify }))).toEqual({
      outcome: 'stale',
      message: 'the file was changed',
    });
    const fails = async (): Promise<void> => {
      throw new Error('the disk is gone');
    };
    await expect(write(world, sourceOf('ours', { verify: fails }))).rejects.toThrow('the disk is gone');
    expect(await world.place.keys()).toEqual([]);
  });

  it('gives the memory back, however it ends', async () => {
    const world = s3World();
    let taken = 0;
    const { memory } = world.context;
    Object.assign(world.context, {
      memory: {
        take: async (bytes: number, signal?: AbortSignal): Promise<LentMemory> => {
          const lent = await memory.take(bytes, signal);
          taken += bytes;
          return {
            bytes: lent.bytes,
            release: (isQuiet) => {
              taken -= bytes;
              lent.release(isQuiet);
            },
          };
        },
      },
    });
    await write(world);
    expect(taken).toBe(0);
    world.on('PUT a.txt', { status: 403, code: 'AccessDenied' });
    await expect(write(world)).rejects.toMatchObject({ code: 'ERR_S3_FORBIDDEN' });
    expect(taken).toBe(0);
  });

  describe('when its answer is lost', () => {
    it.each([
      ['the ETag is the digest', { etagIsMd5: true }],
      ['the digest is in the metadata', { etagIsMd5: false }],
    ] as const)('knows its own object where %s', async (_, dialect) => {
      const world = s3World(dialect);
      world.on('PUT a.txt', { lost: 'after' });
      expect(await write(world)).toMatchObject({ outcome: 'done', entry: { fingerprint: `${OURS}:4` } });
      expect(world.asked).toEqual(['PUT a.txt', 'HEAD a.txt']);
    });

    it('does not take an object of the same size for its own', async () => {
      const world = s3World();
      world.on('PUT a.txt', { lost: 'before', before: () => world.place.put('a.txt', 'mine') });
      expect(await write(world)).toMatchObject({ outcome: 'stale' });
      expect(await world.text('a.txt')).toBe('mine');
    });
  });

  it('knows its own object by the ETag that was answered, where that cannot be foretold', async () => {
    const store = { ...DIALECTS['aws'], putEtag: 'random', metadata: 'lost' } as const;
    const world = s3World({ ...UNKNOWN_DIALECT, etagIsMd5: false }, { store });
    const result = await write(world);
    expect(world.asked).toEqual(['HEAD a.txt', 'PUT a.txt', 'HEAD a.txt']);
    const seen = await world.seen('a.txt');
    expect(result).toMatchObject({ outcome: 'done', entry: { fingerprint: seen.fingerprint } });
  });

  it('takes nothing for its own where nothing stands right after', async () => {
    const world = s3World(UNKNOWN_DIALECT);
    world.on('PUT a.txt', { after: () => world.place.remove('a.txt') });
    expect(await write(world)).toMatchObject({ outcome: 'stale' });
  });

  it('names the path when it is refused', async () => {
    const world = s3World();
    world.on('PUT a.txt', { status: 403, code: 'AccessDenied' });
    await expect(write(world)).rejects.toThrow(/^Uploading "a\.txt" failed: /);
  });

  it('asks for the ETag that an answer does not give', async () => {
    const world = s3World({ etagIsMd5: false });
    world.on('PUT a.txt', { withoutEtag: true });
    expect(await write(world)).toMatchObject({ outcome: 'done', entry: { fingerprint: `${OURS}:4` } });
    expect(world.asked).toEqual(['PUT a.txt', 'HEAD a.txt']);
  });

  it('is stale when the object went before its ETag could be asked for', async () => {
    const world = s3World({ etagIsMd5: false });
    world.on('PUT a.txt', { withoutEtag: true, after: () => world.place.remove('a.txt') });
    expect(await write(world)).toMatchObject({ outcome: 'stale', message: expect.stringContaining('was removed') });
  });

  describe('on a store of which nothing is known', () => {
    it('tries the condition all the same, and trusts nothing', async () => {
      const world = s3World(UNKNOWN_DIALECT);
      expect(await write(world)).toMatchObject({ outcome: 'done' });
      expect(world.asked).toEqual(['HEAD a.txt', 'PUT a.txt', 'HEAD a.txt']);
      expect(headersOf(world)).toMatchObject({ 'if-none-match': '*' });
    });

    it.each([
      [501, 'NotImplemented'],
      [400, 'InvalidArgument'],
    ])('sends again without a condition that is refused (%i %s), and remembers it', async (status, code) => {
      const world = s3World(UNKNOWN_DIALECT);
      world.on('PUT a.txt', { status, code });
      expect(await write(world)).toMatchObject({ outcome: 'done' });
      expect(world.asked).toEqual(['HEAD a.txt', 'PUT a.txt', 'PUT a.txt', 'HEAD a.txt']);
      expect(world.requests[2]?.headers).not.toHaveProperty('if-none-match');
      expect(world.requests[2]?.headers).toMatchObject({ 'content-md5': base64(OURS) });
      expect(world.context.dialect.mayTryCreate).toBe(false);
      expect(world.context.dialect.etagIsMd5).toBe(undefined);
    });

    it('does not send the refused condition again in a later try either', async () => {
      const world = s3World(UNKNOWN_DIALECT);
      world.on('PUT a.txt', { status: 501, code: 'NotImplemented' });
      world.on('PUT a.txt', { lost: 'before' }, 2);
      expect(await write(world)).toMatchObject({ outcome: 'done' });
      expect(
        world.requests.filter(({ method }) => method === 'PUT').map(({ headers }) => headers['if-none-match']),
      ).toEqual(['*', undefined, undefined]);
    });

    it('does not send again what is refused for another reason', async () => {
      const world = s3World(UNKNOWN_DIALECT);
      world.on('PUT a.txt', { status: 403, code: 'AccessDenied' });
      await expect(write(world)).rejects.toMatchObject({ code: 'ERR_S3_FORBIDDEN' });
      expect(world.asked).toEqual(['HEAD a.txt', 'PUT a.txt']);
    });

    it('does not send again without a condition what had none', async () => {
      const world = s3World({ ...UNKNOWN_DIALECT, mayTryCreate: false });
      world.on('PUT a.txt', { status: 501, code: 'NotImplemented' });
      await expect(write(world)).rejects.toMatchObject({ code: 'ERR_S3_NOT_SUPPORTED' });
      expect(world.asked).toEqual(['HEAD a.txt', 'PUT a.txt']);
    });
  });

  it('never gives a condition up that the store is known to honour', async () => {
    const world = s3World();
    world.on('PUT a.txt', { status: 501, code: 'NotImplemented' });
    await expect(write(world)).rejects.toMatchObject({ code: 'ERR_S3_NOT_SUPPORTED' });
    expect(world.asked).toEqual(['PUT a.txt']);
    expect(world.context.dialect.mayTryCreate).toBe(true);
  });

  describe('where the store holds other bytes than were sent', () => {
    it('sends them again in place of the damaged ones, and tells of each time', async () => {
      const world = s3World({ etagIsMd5: true });
      world.on('PUT a.txt', { damagedTo: 'ourz' });
      const counts: number[] = [];
      const result = await write(world, sourceOf('ours'), null, { onBytes: (count: number) => counts.push(count) });
      expect(result).toMatchObject({ outcome: 'done', entry: { fingerprint: `${OURS}:4` } });
      expect(world.asked).toEqual(['PUT a.txt', 'HEAD a.txt', 'PUT a.txt']);
      expect(world.requests[2]?.headers).toMatchObject({ 'if-match': `"${md5Of('ourz')}"` });
      expect(counts).toEqual([4, 4]);
      expect(await world.text('a.txt')).toBe('ours');
    });

    it('gives up after four times, and says what was sent and what arrived', async () => {
      const world = s3World({ etagIsMd5: true });
      for (let nth = 1; nth <= 5; nth++) world.on('PUT a.txt', { damagedTo: `dam${nth}` }, nth);
      await expect(write(world)).rejects.toMatchObject({
        name: 'PathError',
        code: 'ERR_S3_CORRUPT_WRITE',
        message: `Uploading "a.txt" failed: the store holds other bytes than were sent (MD5 ${OURS} was sent, ${md5Of('dam4')} arrived), 4 times in a row. Look at the network and at the store's disks.`,
        data: { path: 'a.txt', wanted: OURS, found: md5Of('dam4') },
      });
      expect(world.asked.filter((name) => name === 'PUT a.txt')).toHaveLength(4);
    });

    it('does not take an encrypted object for a damaged one', async () => {
      const world = s3World({ etagIsMd5: true });
      world.on('PUT a.txt', { damagedTo: 'what encryption makes of it' });
      world.on('HEAD a.txt', { moreHeaders: { 'x-amz-server-side-encryption': 'aws:kms' } });
      expect(await write(world)).toMatchObject({ outcome: 'done', digest: `md5:${OURS}` });
      expect(world.asked).toEqual(['PUT a.txt', 'HEAD a.txt']);
      expect(world.context.dialect.etagIsMd5).toBe(false);
    });

    it('is stale when somebody else has written since, or removed it', async () => {
      for (const [act, left] of [
        [(world: S3World) => world.place.put('a.txt', 'theirs'), 'theirs'],
        [(world: S3World) => world.place.remove('a.txt'), undefined],
      ] as const) {
        const world = s3World({ etagIsMd5: true });
        world.on('PUT a.txt', { damagedTo: 'ourz', after: () => act(world) });
        expect(await write(world)).toEqual({
          outcome: 'stale',
          message: '"a.txt" was changed right after it was uploaded.',
        });
        expect(await world.text('a.txt')).toBe(left);
      }
    });
  });
});
