import { describe, expect, it } from 'vitest';
import { md5Of, s3World, sourceOf, type S3World } from '../../../test/replica-s3/s3-world.js';
import { DIALECTS } from '../../testing/s3/dialects.js';
import { combinedEtag } from './combined-etag.js';
import type { Dialect } from './dialect.js';
import { SHA256_HEADER } from './s3-api.js';
import { createPartSender } from './send-part.js';
import { writeParts } from './write-parts.js';

const CONTENT = 'aaaabbbbcc';
const PARTS = ['aaaa', 'bbbb', 'cc'];
const MD5S = PARTS.map((part) => md5Of(part));
const COMBINED = combinedEtag(MD5S.map((md5) => Buffer.from(md5, 'hex')));
const PART = 'PUT big?partNumber';

const worldOf = (dialect: Partial<Dialect> = {}, store: keyof typeof DIALECTS = 'aws'): S3World =>
  s3World({ etagIsMd5: true, ...dialect }, { store: { ...DIALECTS[store], leastPartBytes: 1 }, partSizeBytes: 4 });
const write = (world: S3World): ReturnType<typeof writeParts> =>
  writeParts(world.context, 'big', sourceOf(CONTENT), null, {});
/** With which digest each part was sent: `md5`, `sha256`, or both. */
const digestsOf = ({ requests }: S3World): string[] =>
  requests
    .filter(({ query }) => 'partNumber' in query)
    .map(({ headers }) =>
      [['md5', 'content-md5'] as const, ['sha256', SHA256_HEADER] as const]
        .filter(([, name]) => name in headers)
        .map(([digest]) => digest)
        .join(),
    );

describe('createPartSender', () => {
  it('has the MD5s of parts from the store, once it has shown that its ETags are that', async () => {
    const world = worldOf();
    expect(await write(world)).toMatchObject({
      outcome: 'done',
      digest: `md5-4:${COMBINED}`,
      parts: { partSizeBytes: 4, md5s: MD5S },
    });
    expect(digestsOf(world)).toEqual(['md5', 'sha256', 'sha256']);
    expect(await world.text('big')).toBe(CONTENT);
  });

  it.each<[string, Partial<Dialect>]>([
    ['that does not compare a SHA-256', { checksSha256: false }],
    ['whose ETags of objects are not made of those of parts', { partsMakeEtag: false }],
  ])('makes each MD5 for a store %s', async (_, dialect) => {
    const world = worldOf(dialect);
    expect(await write(world)).toMatchObject({ outcome: 'done', parts: { md5s: MD5S } });
    expect(digestsOf(world)).toEqual(['md5', 'md5', 'md5']);
  });

  it('makes each MD5 where an encrypted object shows that ETags are none', async () => {
    const world = worldOf({ etagIsMd5: 'unless-encrypted' });
    for (const nth of [1, 2, 3]) world.on(PART, { moreHeaders: { etag: `"${'0'.repeat(31)}${nth}"` } }, nth);
    // The store does not know these ETags and refuses to put the parts together: what counts is how they were sent.
    await expect(write(world)).rejects.toThrow('Uploading "big" failed');
    expect(digestsOf(world)).toEqual(['md5', 'md5', 'md5']);
  });

  it('makes the MD5 of a part whose ETag does not look like one', async () => {
    const world = worldOf();
    const begun = await world.context.api.createUpload('big', {});
    const uploadId = begun.ok ? begun.value : '';
    world.on(PART, { withoutEtag: true }, 2);
    const send = createPartSender(world.context, 'big');
    const sent = [];
    for (const [i, part] of PARTS.entries())
      sent.push(
        await send({
          target: { key: 'big', uploadId, number: i + 1 },
          bytes: Buffer.from(part),
          md5: undefined,
          signal: new AbortController().signal,
          onResend: () => undefined,
        }),
      );
    expect(digestsOf(world)).toEqual(['md5', 'sha256', 'sha256']);
    expect(sent.map(({ etag }) => etag)).toEqual([MD5S[0], '', MD5S[2]]);
    expect(sent.map(({ md5 }) => Buffer.from(md5).toString('hex'))).toEqual(MD5S);
  });

  it('sends again what arrived as other bytes, under either digest', async () => {
    const world = worldOf();
    world.on(PART, { status: 400, code: 'BadDigest' }, 1);
    world.on(PART, { status: 400, code: 'XAmzContentSHA256Mismatch' }, 3);
    expect(await write(world)).toMatchObject({ outcome: 'done', digest: `md5-4:${COMBINED}` });
    expect(digestsOf(world)).toEqual(['md5', 'md5', 'sha256', 'sha256', 'sha256']);
  });

  it('gives up after four times, and keeps the upload for the next run', async () => {
    const world = worldOf();
    world.on(PART, { status: 400, code: 'XAmzContentSHA256Mismatch', message: 'mismatch' }, 2, true);
    await expect(write(world)).rejects.toMatchObject({
      code: 'ERR_S3_CORRUPT_WRITE',
      retryable: true,
      message:
        'Uploading "big" failed: other bytes arrived than were sent, each time. It is tried again in the next run; look at the network if it stays (the service answered 400 XAmzContentSHA256Mismatch: mismatch).',
    });
    expect(digestsOf(world)).toHaveLength(5);
    expect(world.uploads.records.size).toBe(1);
  });

  it('compares a part that an earlier run sent with what the file has there now', async () => {
    const world = worldOf();
    world.on(PART, { lost: 'before' }, 3);
    await expect(write(world)).rejects.toThrow('the connection broke');
    world.requests.length = 0;
    expect(await write(world)).toMatchObject({ outcome: 'done', digest: `md5-4:${COMBINED}` });
    expect(digestsOf(world)).toEqual(['md5']);
  });
});
