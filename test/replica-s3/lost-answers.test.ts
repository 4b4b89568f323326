import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { FileEntry } from '../../src/core/entry.js';
import { StaleError } from '../../src/errors.js';
import type { Source } from '../../src/replica/replica.js';
import {
  createS3Replica,
  type S3Replica,
  type S3ReplicaOptions,
  type S3Transport,
} from '../../src/replica/s3/index.js';
import { type DialectName, type FaultPlan, type OperationName, systemRuntime } from '../../src/testing/s3/index.js';
import { memoryFacts, memoryUploads, once, simulatedBucket } from './bucket-under-test.js';

/** The least that stores take for a part. */
const PART = 5 * 1024 * 1024;

function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0, state = seed; i < length; i++) bytes[i] = (state = (state * 1103515245 + 12345) & 0x7fffffff) >> 16;
  return bytes;
}

function sourceOf(content: Uint8Array | string, change: Partial<Source> = {}): Source {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return {
    entry: {
      kind: 'file',
      path: 'source',
      sizeBytes: bytes.length,
      fingerprint: `local-${createHash('md5').update(bytes).digest('hex')}`,
      modifiedMs: 1_600_000_000_123,
      modifiedSource: 'mtime',
    },
    async *read(start, end) {
      yield bytes.subarray(start, end);
    },
    async verify() {},
    async close() {},
    ...change,
  };
}

interface World {
  readonly place: ReturnType<typeof simulatedBucket>;
  readonly replica: S3Replica;
  readonly uploads: ReturnType<typeof memoryUploads>;
}

async function world(
  faults?: FaultPlan,
  dialect: DialectName = 'aws',
  options: Partial<S3ReplicaOptions> = {},
  wrap = (inner: S3Transport): S3Transport => inner,
): Promise<World> {
  const place = simulatedBucket(dialect);
  const facts = memoryFacts();
  const uploads = memoryUploads();
  const shared = {
    endpoint: place.endpoint,
    bucket: place.bucket,
    facts,
    uploads,
    runtime: systemRuntime(),
    pathRules: 'linux' as const,
    partSizeBytes: PART,
    backoff: { baseMs: 1, capMs: 2 },
    ...options,
  };
  // Probed without faults, so that a plan counts the requests of the test alone.
  await createS3Replica({ ...shared, transport: place.transport() }).prepare({ readonly: false });
  const replica = createS3Replica({ ...shared, transport: wrap(place.transport(faults)) });
  await replica.prepare({ readonly: false });
  return { place, replica, uploads };
}

async function fileAt(replica: S3Replica, path: string): Promise<FileEntry> {
  const entry = await replica.observe(path);
  if (entry?.kind !== 'file') throw new Error(`a file was expected at ${path}`);
  return entry;
}

const LOST = ['reset-after', 'error-after'] as const;
const NOT_DONE = ['reset-before', 'internal-error', 'slow-down', 'too-many-requests'] as const;
const twoParts = noise(PART + 1234);
const STORES: readonly DialectName[] = ['aws', 'ceph-16', 'aws-kms', 'garage-1.2'];

describe('a change whose answer fails', () => {
  for (const dialect of STORES) {
    for (const fault of [...LOST, ...NOT_DONE]) {
      it(`is carried out once (${fault}, ${dialect}): PUT`, async () => {
        const { place, replica } = await world(once(fault, 'PutObject'), dialect);
        const written = await replica.write('a', sourceOf('ours'), null);
        expect(written).toMatchObject({ outcome: 'done' });
        if (written.outcome !== 'done') return;
        expect(await fileAt(replica, 'a')).toMatchObject({ fingerprint: written.entry.fingerprint });
        expect(Buffer.from((await place.get('a')) ?? []).toString()).toBe('ours');
        // An answer that was lost after the change is no reason to send it again.
        if (fault === 'reset-after') expect(replica.counters.byOperation['PutObject']).toBe(1);
      });

      it(`is carried out once (${fault}, ${dialect}): Complete`, async () => {
        const { place, replica, uploads } = await world(once(fault, 'CompleteMultipartUpload'), dialect);
        const content = twoParts;
        const written = await replica.write('big', sourceOf(content), null);
        // Its ETags cannot be foretold: the session has to compare the contents.
        const isUnknowable = dialect === 'aws-kms' && (LOST as readonly string[]).includes(fault);
        expect(written).toMatchObject({ outcome: isUnknowable ? 'stale' : 'done' });
        if (written.outcome !== 'done') return;
        expect(await fileAt(replica, 'big')).toMatchObject({ fingerprint: written.entry.fingerprint });
        expect(Buffer.compare((await place.get('big')) ?? new Uint8Array(), content)).toBe(0);
        expect(uploads.records.size).toBe(0);
        expect(await place.uploadIds()).toEqual([]);
      });

      it(`is carried out once (${fault}, ${dialect}): DELETE`, async () => {
        const { place, replica } = await world(once(fault, 'DeleteObject'), dialect);
        await place.put('a', 'x');
        const entry = await fileAt(replica, 'a');
        expect(await replica.remove('a', { fingerprint: entry.fingerprint, entry })).toEqual({ outcome: 'done' });
        expect(await place.get('a')).toBe(undefined);
      });
    }
  }

  it('is stale when somebody else wrote after it got lost', async () => {
    const there: { place?: World['place'] } = {};
    let isArmed = true;
    const made = await world(undefined, 'aws', {}, (inner) => ({
      async send(request) {
        if (request.method !== 'PUT' || !isArmed) return inner.send(request);
        isArmed = false;
        await there.place?.put('a', 'theirs');
        throw Object.assign(new Error('the connection broke'), { code: 'ECONNRESET' });
      },
      close: () => inner.close(),
    }));
    there.place = made.place;
    const { place } = made;
    expect(await made.replica.write('a', sourceOf('ours'), null)).toMatchObject({ outcome: 'stale' });
    expect(Buffer.from((await place.get('a')) ?? []).toString()).toBe('theirs');
  });

  it('is given up with an error that says that it may help to try later', async () => {
    const { replica } = await world({ rules: [{ fault: 'slow-down', operation: 'PutObject' }] });
    await expect(replica.write('a', sourceOf('ours'), null)).rejects.toMatchObject({
      code: 'ERR_S3_UNAVAILABLE',
      retryable: true,
    });
  });
});

describe('on a store that ignores conditions', () => {
  it('sees that somebody else overwrote the file right after it was written', async () => {
    const there: { place?: World['place'] } = {};
    const made = await world(undefined, 'garage-1.2', {}, (inner) => ({
      async send(request) {
        const answer = await inner.send(request);
        if (request.method === 'PUT') await there.place?.put('a', 'theirs, right after');
        return answer;
      },
      close: () => inner.close(),
    }));
    there.place = made.place;
    expect(await made.replica.write('a', sourceOf('ours'), null)).toMatchObject({ outcome: 'stale' });
  });

  it('sends nothing when another version stands there', async () => {
    const { place, replica } = await world(undefined, 'garage-1.2');
    await place.put('a', 'one');
    const entry = await fileAt(replica, 'a');
    await place.put('a', 'two!');
    expect(await replica.write('a', sourceOf('ours'), { fingerprint: entry.fingerprint, entry })).toMatchObject({
      outcome: 'stale',
    });
    expect(await replica.remove('a', { fingerprint: entry.fingerprint, entry })).toMatchObject({ outcome: 'stale' });
    expect(await replica.move('a', 'b', { fingerprint: entry.fingerprint, entry })).toMatchObject({ outcome: 'stale' });
    expect(replica.counters.byOperation).not.toHaveProperty('PutObject');
    expect(replica.counters.byOperation).not.toHaveProperty('DeleteObject');
    expect(await place.keys()).toEqual(['a']);
  });
});

describe('a large file', () => {
  const content = noise(4.5 * PART);
  const fails = (operation: OperationName, nth: number): FaultPlan => ({
    rules: [{ fault: 'reset-before', operation, nth: Array.from({ length: 100 }, (_, i) => nth + i) }],
  });

  it('goes on where an earlier run stopped', async () => {
    const place = simulatedBucket();
    const uploads = memoryUploads();
    const options = {
      endpoint: 'x',
      bucket: place.bucket,
      facts: memoryFacts(),
      uploads,
      runtime: systemRuntime(),
      pathRules: 'linux' as const,
      partSizeBytes: PART,
      backoff: { attempts: 1 },
    };
    const first = createS3Replica({ ...options, transport: place.transport(fails('UploadPart', 3)) });
    await expect(first.write('big', sourceOf(content), null)).rejects.toMatchObject({ code: 'ERR_S3_CONNECTION_LOST' });
    expect(uploads.records.size).toBe(1);
    await first.cleanUp();
    expect(uploads.records.size).toBe(1);

    const second = createS3Replica({ ...options, transport: place.transport() });
    const written = await second.write('big', sourceOf(content), null);
    expect(written.outcome).toBe('done');
    expect(second.counters.byOperation['UploadPart']).toBe(3);
    expect(second.counters.byOperation['CreateMultipartUpload']).toBe(undefined);
    expect(Buffer.compare((await place.get('big')) ?? new Uint8Array(), content)).toBe(0);
    expect(uploads.records.size).toBe(0);
  });

  it('sends parts again whose bytes are not those of the file any more, though its fingerprint is the same', async () => {
    const place = simulatedBucket();
    const uploads = memoryUploads();
    const options = {
      endpoint: 'x',
      bucket: place.bucket,
      facts: memoryFacts(),
      uploads,
      runtime: systemRuntime(),
      pathRules: 'linux' as const,
      partSizeBytes: PART,
      backoff: { attempts: 1 },
    };
    const first = createS3Replica({ ...options, transport: place.transport(fails('UploadPart', 3)) });
    const before = sourceOf(content);
    await expect(first.write('big', before, null)).rejects.toThrow();
    const changed = Uint8Array.from(content);
    changed[0] = (changed[0] ?? 0) ^ 1;
    const second = createS3Replica({ ...options, transport: place.transport() });
    const after = sourceOf(changed);
    await second.write('big', { ...after, entry: before.entry }, null);
    expect(Buffer.compare((await place.get('big')) ?? new Uint8Array(), changed)).toBe(0);
    expect(second.counters.byOperation['UploadPart']).toBe(4);
  });

  it('begins anew, and aborts the old upload, when the file is another one', async () => {
    const place = simulatedBucket();
    const uploads = memoryUploads();
    const options = {
      endpoint: 'x',
      bucket: place.bucket,
      facts: memoryFacts(),
      uploads,
      runtime: systemRuntime(),
      pathRules: 'linux' as const,
      partSizeBytes: PART,
      backoff: { attempts: 1 },
    };
    const first = createS3Replica({ ...options, transport: place.transport(fails('UploadPart', 3)) });
    await expect(first.write('big', sourceOf(content), null)).rejects.toThrow();
    const second = createS3Replica({ ...options, transport: place.transport() });
    const other = noise(1.5 * PART, 7);
    expect(await second.write('big', sourceOf(other), null)).toMatchObject({ outcome: 'done' });
    expect(await place.uploadIds()).toEqual([]);
  });

  it('leaves no upload behind when it is stale, or the source fails', async () => {
    const { place, replica, uploads } = await world();
    await place.put('big', 'theirs');
    expect(await replica.write('big', sourceOf(content), null)).toMatchObject({ outcome: 'stale' });
    const changed = sourceOf(content, {
      async verify() {
        throw new StaleError('changed');
      },
    });
    expect(await replica.write('new', changed, null)).toMatchObject({ outcome: 'stale' });
    expect(await place.uploadIds()).toEqual([]);
    expect(uploads.records.size).toBe(0);
  });

  it('is aborted by cleanUp when nobody will go on with it, and those of others are not', async () => {
    const { place, replica, uploads } = await world(fails('UploadPart', 3), 'aws', {
      backoff: { attempts: 1 },
      keepUpload: () => false,
    });
    await expect(replica.write('big', sourceOf(content), null)).rejects.toThrow();
    const theirs = await place
      .transport()
      .send({ method: 'POST', bucket: place.bucket, key: 'theirs', query: { uploads: '' }, headers: {} });
    expect(theirs.status).toBe(200);
    expect((await place.uploadIds()).length).toBe(2);
    await replica.cleanUp();
    expect((await place.uploadIds()).length).toBe(1);
    expect(uploads.records.size).toBe(0);
  });

  it('is moved by parts when it is too large for one copy, with its time and type', async () => {
    const { place, replica } = await world(undefined, 'aws', { maxCopyBytes: 2 * PART });
    await replica.write('big.txt', sourceOf(content), null);
    const entry = await fileAt(replica, 'big.txt');
    expect(await replica.move('big.txt', 'to/here.txt', { fingerprint: entry.fingerprint, entry })).toMatchObject({
      outcome: 'done',
      entry: { modifiedMs: 1_600_000_000_123 },
    });
    expect(replica.counters.byOperation['UploadPartCopy']).toBe(3);
    expect(await place.keys()).toEqual(['to/here.txt']);
    expect(Buffer.compare((await place.get('to/here.txt')) ?? new Uint8Array(), content)).toBe(0);
    expect((await place.s3.peek(place.bucket, 'to/here.txt'))?.headers).toMatchObject({ 'content-type': 'text/plain' });
  });

  it('holds no more bytes in memory than it may', async () => {
    let held = 0;
    let most = 0;
    const { replica } = await world(undefined, 'aws', { memoryBytes: 2.5 * PART }, (inner) => ({
      async send(request) {
        held += request.body?.length ?? 0;
        most = Math.max(most, held);
        await new Promise((resolve) => setImmediate(resolve));
        held -= request.body?.length ?? 0;
        return inner.send(request);
      },
      close: () => inner.close(),
    }));
    await Promise.all([
      replica.write('a', sourceOf(content), null),
      replica.write('b', sourceOf(content), null),
      replica.write('c', sourceOf(noise(900)), null),
    ]);
    expect(most).toBeLessThanOrEqual(2.5 * PART);
    expect(most).toBeGreaterThan(PART);
  });
});

describe('a move', () => {
  it('takes the copy away again when the file was changed meanwhile', async () => {
    const there: { place?: World['place'] } = {};
    const made = await world(undefined, 'aws', {}, (inner) => ({
      async send(request) {
        const answer = await inner.send(request);
        if ('x-amz-copy-source' in request.headers) await there.place?.put('a', 'theirs, meanwhile');
        return answer;
      },
      close: () => inner.close(),
    }));
    there.place = made.place;
    const { place } = made;
    await place.put('a', 'ours');
    const entry = await fileAt(made.replica, 'a');
    expect(await made.replica.move('a', 'b', { fingerprint: entry.fingerprint, entry })).toMatchObject({
      outcome: 'stale',
    });
    expect(await place.keys()).toEqual(['a']);
    expect(Buffer.from((await place.get('a')) ?? []).toString()).toBe('theirs, meanwhile');
  });
});

describe('a download', () => {
  const content = noise(600_000);
  const read = async (replica: S3Replica, path: string): Promise<Uint8Array> => {
    const source = await replica.open(await fileAt(replica, path));
    const chunks: Uint8Array[] = [];
    for await (const chunk of source.read(0, source.entry.sizeBytes)) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  };

  it.each([
    ['large', 600_000],
    ['small', 600],
  ])('goes on where the body broke off, a few times (%s)', async (_size, length) => {
    const { place, replica } = await world({ rules: [{ fault: 'short-body', operation: 'GetObject', times: 3 }] });
    await place.put('a', content.subarray(0, length));
    expect(Buffer.compare(await read(replica, 'a'), content.subarray(0, length))).toBe(0);
    expect(replica.counters.byOperation['GetObject']).toBe(4);
  });

  it('never mixes two versions when the body breaks between them', async () => {
    const there: { place?: World['place'] } = {};
    const made = await world(
      { rules: [{ fault: 'short-body', operation: 'GetObject', times: 1 }] },
      'bare',
      {},
      (inner) => ({
        async send(request) {
          const answer = await inner.send(request);
          if (request.method === 'GET' && request.key === 'a') await there.place?.put('a', noise(600_000, 99));
          return answer;
        },
        close: () => inner.close(),
      }),
    );
    there.place = made.place;
    const { place } = made;
    await place.put('a', content);
    await expect(read(made.replica, 'a')).rejects.toMatchObject({ code: 'ERR_STALE' });
  });
});
