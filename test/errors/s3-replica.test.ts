import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { FileCloudSyncError, UsageError } from '../../src/errors.js';
import {
  createS3Replica,
  createHttpTransport,
  type S3Replica,
  type S3Request,
  type S3Response,
} from '../../src/replica/s3/index.js';
import type { Source } from '../../src/replica/replica.js';
import { systemRuntime } from '../../src/testing/s3/index.js';
import { memoryFacts, memoryUploads, simulatedBucket } from '../replica-s3/bucket-under-test.js';

/** The least that stores take for a part. */
const PART = 5 * 1024 * 1024;

/** What stands between the replica and the store, and may answer in its place. */
type Between = (request: S3Request, pass: (request: S3Request) => Promise<S3Response>) => Promise<S3Response>;

interface Setting {
  readonly replica: S3Replica;
  readonly put: (key: string, content: string) => Promise<void>;
}

async function replicaBehind(between: Between): Promise<Setting> {
  const place = simulatedBucket();
  const inner = place.transport();
  const shared = {
    endpoint: place.endpoint,
    bucket: place.bucket,
    facts: memoryFacts(),
    uploads: memoryUploads(),
    runtime: systemRuntime(),
    pathRules: 'linux' as const,
    partSizeBytes: PART,
    backoff: { baseMs: 1, capMs: 2 },
  };
  // Probed on its own: the store is sound, what stands before it is not.
  await createS3Replica({ ...shared, transport: place.transport() }).prepare({ readonly: false });
  const replica = createS3Replica({
    ...shared,
    transport: { send: (request) => between(request, (each) => inner.send(each)), close: () => inner.close() },
  });
  await replica.prepare({ readonly: false });
  return { replica, put: place.put };
}

function answer(status: number, headers: Readonly<Record<string, string>>, ...chunks: readonly string[]): S3Response {
  return {
    status,
    headers,
    body: (async function* () {
      for (const chunk of chunks) yield Buffer.from(chunk);
    })(),
  };
}

function refusal(status: number, code: string): S3Response {
  const xml = `<Error><Code>${code}</Code><Message>as the test wants it</Message></Error>`;
  return answer(status, { 'content-type': 'application/xml' }, xml);
}

function sourceOf(content: Uint8Array, given: Uint8Array = content): Source {
  return {
    entry: {
      kind: 'file',
      path: 'source',
      sizeBytes: content.length,
      fingerprint: 'local',
      modifiedMs: 1_600_000_000_000,
      modifiedSource: 'mtime',
    },
    async *read(start, end) {
      yield given.subarray(start, end);
    },
    async verify() {},
    async close() {},
  };
}

const hello = Buffer.from('hello');

async function uploadFails(between: Between, source = sourceOf(hello)): Promise<unknown> {
  const { replica } = await replicaBehind(between);
  return replica.write('a', source, null).catch((error: unknown) => error);
}

async function downloadFails(between: Between, content = 'hello'): Promise<unknown> {
  const { replica, put } = await replicaBehind(between);
  await put('a', content);
  const entry = await replica.observe('a');
  if (entry?.kind !== 'file') throw new Error('the object must be seen');
  const source = await replica.open(entry).catch((error: unknown) => error);
  if (source instanceof Error) return source;
  try {
    for await (const _ of (source as Source).read(0, content.length));
    return 'it was read';
  } catch (error) {
    return error;
  }
}

const onPut =
  (response: () => S3Response): Between =>
  (request, pass) =>
    request.method === 'PUT' ? Promise.resolve(response()) : pass(request);

/** Changes the answer to a GET of an object; what it is given is read already. */
const onGet =
  (change: (response: S3Response, body: string) => S3Response): Between =>
  async (request, pass) => {
    const response = await pass(request);
    if (request.method !== 'GET' || request.key === undefined) return response;
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(Buffer.from(chunk));
    return change(response, Buffer.concat(chunks).toString());
  };

describe('an upload', () => {
  it('that the store refuses says what the store said (ERR_S3_REFUSED)', async () => {
    const error = await uploadFails(onPut(() => refusal(400, 'EntityTooLarge')));
    expect(error).toMatchObject({ code: 'ERR_S3_REFUSED', message: expect.stringMatching(/"a".*400 EntityTooLarge/) });
  });

  it('whose condition is refused though it holds ends after some tries (ERR_S3_CONDITION_REFUSED)', async () => {
    let tries = 0;
    const error = await uploadFails(
      onPut(() => {
        tries += 1;
        return refusal(412, 'PreconditionFailed');
      }),
    );
    expect(error).toMatchObject({ code: 'ERR_S3_CONDITION_REFUSED', retryable: true });
    expect(tries).toBeGreaterThan(1);
  });

  it('that the store does not know is named as such (ERR_S3_NOT_SUPPORTED)', async () => {
    const error = await uploadFails(onPut(() => refusal(501, 'NotImplemented')));
    expect(error).toMatchObject({ code: 'ERR_S3_NOT_SUPPORTED', message: expect.stringContaining('exclude') });
  });

  it('whose bytes arrive as others each time fails (ERR_S3_CORRUPT_WRITE)', async () => {
    const error = await uploadFails((request, pass) => {
      if (request.method !== 'PUT' || request.body === undefined) return pass(request);
      const { 'content-md5': _, ...headers } = request.headers;
      return pass({ ...request, headers, body: Buffer.from(request.body).fill(0x58, 0, 1) });
    });
    expect(error).toMatchObject({ code: 'ERR_S3_CORRUPT_WRITE', message: expect.stringContaining('other bytes') });
  });

  it('in parts that the store has dropped says so (ERR_S3_UPLOAD_LOST)', async () => {
    const isPart = (request: S3Request): boolean => request.method === 'PUT' && 'partNumber' in request.query;
    const error = await uploadFails(
      (request, pass) => (isPart(request) ? Promise.resolve(refusal(404, 'NoSuchUpload')) : pass(request)),
      sourceOf(new Uint8Array(PART + 1)),
    );
    expect(error).toMatchObject({ code: 'ERR_S3_UPLOAD_LOST' });
  });

  it('of a file that gives fewer bytes than it has is not begun (ERR_SOURCE_LENGTH)', async () => {
    const sent: string[] = [];
    const error = await uploadFails(
      (request, pass) => {
        sent.push(request.method);
        return pass(request);
      },
      sourceOf(hello, hello.subarray(0, 3)),
    );
    expect(error).toMatchObject({ code: 'ERR_SOURCE_LENGTH', message: expect.stringMatching(/3 bytes where 5/) });
    expect(sent).not.toContain('PUT');
  });

  it('over a version that another replica named is refused (ERR_FINGERPRINT)', async () => {
    const { replica, put } = await replicaBehind((request, pass) => pass(request));
    await put('a', 'x');
    const entry = {
      kind: 'file',
      path: 'a',
      sizeBytes: 1,
      fingerprint: 'no-etag',
      modifiedMs: 0,
      modifiedSource: 'mtime',
    } as const;
    const write = replica.write('a', sourceOf(hello), { fingerprint: entry.fingerprint, entry });
    await expect(write).rejects.toMatchObject({ code: 'ERR_FINGERPRINT' });
  });
});

describe('a download', () => {
  it('of an archived object says that it has to be restored first, not that a right is missing (ERR_S3_ARCHIVED)', async () => {
    const error = await downloadFails((request, pass) =>
      request.method === 'GET' && request.key !== undefined
        ? Promise.resolve(refusal(403, 'InvalidObjectState'))
        : pass(request),
    );
    expect(error).toMatchObject({ code: 'ERR_S3_ARCHIVED', message: expect.stringContaining('archive') });
  });

  it('that always ends early fails after some tries (ERR_S3_SHORT_BODY)', async () => {
    let tries = 0;
    const error = await downloadFails(
      onGet((response) => {
        tries += 1;
        return answer(response.status, response.headers);
      }),
    );
    expect(error).toMatchObject({ code: 'ERR_S3_SHORT_BODY', retryable: true });
    expect(tries).toBeGreaterThan(1);
  });

  it.each([5, 300_000])('of %i bytes that brings more than there is fails (ERR_S3_LONG_BODY)', async (sizeBytes) => {
    const longer = onGet((response, body) => answer(response.status, response.headers, `${body}!`));
    const error = await downloadFails(longer, 'x'.repeat(sizeBytes));
    expect(error).toMatchObject({ code: 'ERR_S3_LONG_BODY', data: { path: 'a' } });
  });

  it('that brings another part than was asked for fails (ERR_S3_RANGE)', async () => {
    const error = await downloadFails(
      onGet((response, body) => answer(206, { ...response.headers, 'content-range': 'bytes 1-5/6' }, body)),
    );
    expect(error).toMatchObject({ code: 'ERR_S3_RANGE', message: expect.stringContaining('bytes 1-5/6') });
  });
});

describe('createS3Replica', () => {
  const options = {
    bucket: 'bucket',
    uploads: memoryUploads(),
    facts: memoryFacts(),
    runtime: systemRuntime(),
    pathRules: 'linux',
  } as const;

  it.each([
    ['neither client nor transport', {}, /client.*transport/],
    [
      'a part size of nothing',
      { transport: simulatedBucket().transport(), endpoint: 'x', partSizeBytes: 0 },
      /partSizeBytes is 0/,
    ],
  ])('refuses %s (ERR_OPTION)', (_, more, message) => {
    let thrown: unknown;
    try {
      createS3Replica({ ...options, ...more });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(UsageError);
    expect(thrown).toMatchObject({ code: 'ERR_OPTION', message: expect.stringMatching(message) });
  });
});

describe('createHttpTransport', () => {
  it('asks for the region that the client lacks (ERR_S3_REGION_MISSING)', async () => {
    const client = new S3Client({
      endpoint: 'http://127.0.0.1:1',
      region: () => Promise.reject<string>(new Error('Region is missing')),
      credentials: { accessKeyId: 'k', secretAccessKey: 's' },
    });
    const transport = createHttpTransport({ client, clock: systemRuntime().clock });
    const request = { method: 'GET', bucket: 'bucket', key: 'a', query: {}, headers: {} } as const;
    const error: unknown = await transport.send(request).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(FileCloudSyncError);
    expect(error).toMatchObject({ code: 'ERR_S3_REGION_MISSING', message: expect.stringContaining('region') });
    await transport.close();
    client.destroy();
  });
});
