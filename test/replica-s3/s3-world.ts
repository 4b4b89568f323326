import { createHash } from 'node:crypto';
import type { FileEntry } from '../../src/core/entry.js';
import { createGatheredWork } from '../../src/core/gathered-work.js';
import type { Source } from '../../src/replica/replica.js';
import { createClockOffset } from '../../src/replica/s3/clock-offset.js';
import { AWS_DIALECT, type Dialect } from '../../src/replica/s3/dialect.js';
import type { S3Request, S3Response, S3Transport } from '../../src/replica/s3/index.js';
import { createS3Api, SHA256_HEADER } from '../../src/replica/s3/s3-api.js';
import { readState, toEntry, type S3Context } from '../../src/replica/s3/s3-context.js';
import { createKeyMap } from '../../src/replica/s3/s3-keys.js';
import { createBackoff } from '../../src/replica/wrap/backoff.js';
import { createBodyMemory } from '../../src/replica/wrap/body-memory.js';
import { plainHasher } from '../../src/replica/wrap/plain-hasher.js';
import type { Dialect as StoreDialect, DialectName } from '../../src/testing/s3/index.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { memoryUploads, simulatedBucket } from './bucket-under-test.js';

/** What happens to one request instead of what would. */
export interface Incident {
  /** Answered instead; the service does not see the request. */
  readonly status?: number;
  readonly code?: string;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection breaks before the service acted, or after. */
  readonly lost?: 'before' | 'after';
  /** It is sent once more: what was sent first is still on its way. */
  readonly resent?: boolean;
  /** Other bytes reach the service than were sent, which looks at no digest. */
  readonly damagedTo?: string;
  /** More headers in the answer of the service. */
  readonly moreHeaders?: Readonly<Record<string, string>>;
  /** The ETag in the answer is left out. */
  readonly withoutEtag?: boolean;
  /** Somebody else acts before the service, or right after it. */
  readonly before?: () => unknown;
  readonly after?: () => unknown;
}

/** A simulated bucket, the operations of the S3 replica on it one by one, and every request that they send. */
export interface S3World {
  readonly place: ReturnType<typeof simulatedBucket>;
  readonly context: S3Context;
  readonly uploads: ReturnType<typeof memoryUploads>;
  /** As `PUT a`, `POST a?uploads`, `PUT a?partNumber`. */
  readonly asked: string[];
  readonly requests: S3Request[];
  /** How long was waited between tries. */
  readonly waits: number[];
  /** Lets something happen to the `nth` request of that name; `every`: to all of them from there on. */
  on(name: string, incident: Incident, nth?: number, every?: boolean): void;
  /** What stands there, as an entry and a precondition. */
  seen(path: string): Promise<{ readonly fingerprint: string; readonly entry: FileEntry }>;
  text(path: string): Promise<string | undefined>;
}

/** Makes an {@link S3World}. Nothing is probed: the dialect is what it is told to be. */
export function s3World(
  dialect: Partial<Dialect> = {},
  options: {
    readonly store?: DialectName | StoreDialect;
    readonly partSizeBytes?: number;
    readonly maxCopyBytes?: number;
    readonly attempts?: number;
  } = {},
): S3World {
  const place = simulatedBucket(options.store);
  const inner = place.transport();
  const asked: string[] = [];
  const requests: S3Request[] = [];
  const waits: number[] = [];
  const incidents: { name: string; incident: Incident; left: number; every: boolean }[] = [];
  const incidentOf = (name: string): Incident | undefined => {
    let found: Incident | undefined;
    for (const each of incidents) {
      if (each.name !== name) continue;
      each.left--;
      if (each.left === 0 || (each.every && each.left < 0)) found ??= each.incident;
    }
    return found;
  };
  const transport: S3Transport = {
    async send(request) {
      const name = nameOf(request);
      asked.push(name);
      requests.push(request);
      const incident = incidentOf(name);
      await incident?.before?.();
      if (incident?.resent === true) request.onResend?.();
      if (incident?.status !== undefined) return refusal(incident.status, incident);
      if (incident?.lost === 'before') throw broken();
      const answer = await inner.send(damaged(request, incident?.damagedTo));
      const response = { ...answer, headers: { ...answer.headers, ...incident?.moreHeaders } };
      await incident?.after?.();
      if (incident?.lost === 'after') throw broken();
      if (incident?.withoutEtag !== true) return response;
      const { etag: _, ...headers } = response.headers;
      return { ...response, headers };
    },
    close: () => inner.close(),
  };
  let nowMs = Date.UTC(2026, 10, 22);
  const runtime = {
    clock: {
      nowMs: () => nowMs++,
      sleep: async (durationMs: number) => void waits.push(durationMs),
    },
    random: new SeededRandom(1),
  };
  const backoff = createBackoff(runtime, { attempts: options.attempts ?? 4, baseMs: 8, capMs: 16 });
  const uploads = memoryUploads();
  // What an operation needs that is tested by itself; the rest belongs to the replica as a whole.
  const context = {
    api: createS3Api(transport, place.bucket, backoff),
    keys: createKeyMap('', 'linux'),
    runtime,
    backoff,
    memory: createBodyMemory(96 * 1024 * 1024, plainHasher),
    hasher: plainHasher,
    uploads,
    clockOffset: createClockOffset(),
    partSizeBytes: options.partSizeBytes ?? 5 * 1024 * 1024,
    parallelParts: 1,
    maxCopyBytes: options.maxCopyBytes ?? 5 * 1024 ** 3,
    trustWholeReads: false,
    canCopy: true,
    bucketLooks: createGatheredWork(runtime.clock, 5),
    dialect: { ...AWS_DIALECT, ...dialect },
  } as unknown as S3Context;
  return {
    place,
    context,
    uploads,
    asked,
    requests,
    waits,
    on: (name, incident, nth = 1, every = false) => void incidents.push({ name, incident, left: nth, every }),
    async seen(path) {
      const state = await readState(context, path, undefined);
      if (state === null) throw new Error(`nothing at ${path}`);
      asked.length = 0;
      requests.length = 0;
      const entry = toEntry(context, path, state);
      return { fingerprint: entry.fingerprint, entry };
    },
    async text(path) {
      const bytes = await place.get(path);
      return bytes === undefined ? undefined : Buffer.from(bytes).toString();
    },
  };
}

/** Content of a local file, as a write gets it. */
export function sourceOf(content: string | Uint8Array, change: Partial<Source> = {}): Source {
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

export function md5Of(content: string | Uint8Array): string {
  return createHash('md5').update(content).digest('hex');
}

function nameOf({ method, key = '', query }: S3Request): string {
  const what = ['uploads', 'partNumber', 'uploadId'].find((name) => name in query);
  return `${method} ${key}${what === undefined ? '' : `?${what}`}`;
}

function damaged(request: S3Request, to: string | undefined): S3Request {
  if (to === undefined) return request;
  const { 'content-md5': _, [SHA256_HEADER]: __, ...headers } = request.headers;
  return { ...request, headers, body: Buffer.from(to) };
}

function refusal(status: number, { code = '', message = '', headers = {} }: Incident): S3Response {
  const text = code === '' ? '' : `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return {
    status,
    headers,
    body: (async function* () {
      yield Buffer.from(text);
    })(),
  };
}

function broken(): Error {
  return Object.assign(new Error('the connection broke'), { code: 'ECONNRESET' });
}
