import type { DigestScheme } from '../../core/digest.js';
import type { Hasher } from '../../core/hasher.js';
import type { NameRules } from '../../core/path.js';
import { createGatheredWork } from '../../core/gathered-work.js';
import type { Runtime } from '../../core/runtime.js';
import { UsageError } from '../../errors.js';
import type { Replica } from '../replica.js';
import { createBackoff, type BackoffOptions } from '../wrap/backoff.js';
import { createBodyMemory } from '../wrap/body-memory.js';
import { plainHasher } from '../wrap/plain-hasher.js';
import type { RequestCounters, RequestEvent } from './wrap/trace.js';
import type { ConfiguredClient } from './client-config.js';
import { cleanUpUploads } from './clean-up-uploads.js';
import { createClockOffset } from './clock-offset.js';
import { composeTransport } from './compose-transport.js';
import { withNamedErrors } from './connection-error.js';
import { mayBeMd5, UNKNOWN_DIALECT } from './dialect.js';
import { digestOf } from './digest-object.js';
import { resolveBucketEndpoint } from './endpoint.js';
import { moveObject } from './move-object.js';
import { hasObjectBelow } from './has-below.js';
import { observeObject } from './observe-object.js';
import { openObject } from './open-object.js';
import { partSizeFor } from './part-size.js';
import { prepareBucket } from './prepare.js';
import { removeObject } from './remove-object.js';
import { createS3Api } from './s3-api.js';
import type { S3Context } from './s3-context.js';
import { createKeyMap } from './s3-keys.js';
import { scanBucket } from './scan-bucket.js';
import { staleOutcome } from './stale-outcome.js';
import type { S3Transport } from './transport.js';
import { createHttpTransport } from './http-transport.js';
import type { FactMemory, RememberedUpload, UploadMemory } from './upload-memory.js';
import { writeObject } from './write-object.js';

/** Options of {@link createS3Replica}. Either `client` or `transport` is given. */
export interface S3ReplicaOptions {
  /** Only its configuration is used: endpoint, region, credentials, path style. */
  readonly client?: ConfiguredClient;
  /** Sends the requests instead of a connection of its own. Closed with the replica. */
  readonly transport?: S3Transport;
  /** Stands for the service where probe results are kept. Default: the client's endpoint; needed with `transport`. */
  readonly endpoint?: string;
  readonly bucket: string;
  /** Default `''`, the whole bucket. A `/` is added at its end when it has none. */
  readonly prefix?: string;
  readonly uploads: UploadMemory;
  readonly facts: FactMemory;
  readonly runtime: Runtime;
  /** Rules for names of the disk on the other side. */
  readonly pathRules: NameRules;
  /** Files up to this size go in one piece, larger ones in parts of it. Default 8 MiB, at least 5 MiB but for tests. */
  readonly partSizeBytes?: number;
  /** Most requests in flight; adapted downwards when the store throttles. Default 32. */
  readonly concurrency?: number;
  /** Bound for each direction. Default: none. */
  readonly bandwidthBytesPerSecond?: number | undefined;
  /** Whether the store may be tried out with scratch objects. Default `true`. */
  readonly probe?: boolean;
  /** Told of each request when its answer has ended. */
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
  /** Most bytes of bodies in memory. Default 96 MiB. */
  readonly memoryBytes?: number;
  readonly backoff?: BackoffOptions;
  /** Objects above it are moved by parts. Default 5 GiB, the most that one CopyObject takes. */
  readonly maxCopyBytes?: number;
  /**
   * Spares the HEAD of `verify` for small objects that were read whole in one answer: that answer is the pinned version,
   * and what replaced it since is found by the next scan. Default `false`.
   */
  readonly trustWholeReads?: boolean;
  /** Asked by `cleanUp` of each upload that an earlier run began: `false` aborts it. Default: those younger than 6 days are kept. */
  readonly keepUpload?: (upload: RememberedUpload) => boolean | Promise<boolean>;
}

/** A bucket, or what lies below a prefix in it. */
export interface S3Replica extends Replica {
  readonly side: 'remote';
  /** Time of the service minus ours, in milliseconds. */
  readonly clockOffsetMs: number;
  /** What was sent so far, attempts that failed included. */
  readonly counters: RequestCounters;
}

const MIB = 1024 * 1024;
const DAY_MS = 24 * 3_600_000;
const LEAST_RANGE_BYTES = 16 * 1024;
/** How long a look at the bucket waits for others that need it, in milliseconds: as far as answers to one batch of requests lie apart. */
const GATHER_LOOKS_MS = 5;

/** An answer comes as fast as the network gives it: where the bandwidth is bound, none is more than a quarter of a second's worth. */
function mostRangeBytes(bytesPerSecond: number | undefined): number | undefined {
  return bytesPerSecond === undefined ? undefined : Math.max(LEAST_RANGE_BYTES, Math.floor(bytesPerSecond / 4));
}

/** More would not make a listing faster that is bound by one core. */
const MOST_PARALLEL_LISTS = 32;
const USUAL_LIST_BYTES = 320 * 1024;

/** Pages of a listing under way: as many as requests may be and, where the bandwidth is bound, as come within a second. */
function parallelLists(concurrency: number, bytesPerSecond: number | undefined): number {
  const within = bytesPerSecond === undefined ? Infinity : Math.floor(bytesPerSecond / USUAL_LIST_BYTES);
  return Math.max(2, Math.min(concurrency, MOST_PARALLEL_LISTS, within));
}

function transportOf(client: ConfiguredClient | undefined, { clock }: Runtime, hasher: Hasher): S3Transport {
  if (client !== undefined) return createHttpTransport({ client, clock, hasher });
  throw new UsageError('ERR_OPTION', 'An S3 replica needs a `client` or a `transport`; neither was given.');
}

/** Makes a {@link Replica} of a bucket. Nothing is sent before `prepare`. */
export function createS3Replica(options: S3ReplicaOptions): S3Replica {
  const { bucket, runtime, client } = options;
  const { hasher = plainHasher } = runtime;
  const partSizeBytes = options.partSizeBytes ?? 8 * MIB;
  if (!Number.isSafeInteger(partSizeBytes) || partSizeBytes < 1) {
    throw new UsageError(
      'ERR_OPTION',
      `partSizeBytes is ${partSizeBytes}; expected a whole number of bytes of at least 5 MiB (5242880).`,
    );
  }
  const concurrency = options.concurrency ?? 32;
  const clockOffset = createClockOffset();
  const backoff = createBackoff(runtime, options.backoff);
  const base =
    options.transport === undefined ? transportOf(client, runtime, hasher) : withNamedErrors(options.transport);
  const { transport, together, trace } = composeTransport(base, {
    runtime,
    backoff,
    concurrency,
    bandwidthBytesPerSecond: options.bandwidthBytesPerSecond,
    onRequest: options.onRequest,
    clockOffset,
  });
  const context: S3Context = {
    api: createS3Api(transport, bucket, backoff),
    keys: createKeyMap(options.prefix ?? '', options.pathRules),
    runtime,
    backoff,
    memory: createBodyMemory(options.memoryBytes ?? 96 * MIB, hasher),
    hasher,
    uploads: options.uploads,
    facts: options.facts,
    clockOffset,
    partSizeBytes,
    parallelParts: 4,
    mostRangeBytes: mostRangeBytes(options.bandwidthBytesPerSecond),
    parallelLists: parallelLists(concurrency, options.bandwidthBytesPerSecond),
    trustWholeReads: options.trustWholeReads ?? false,
    maxCopyBytes: options.maxCopyBytes ?? 5 * 1024 * MIB,
    bucketLooks: createGatheredWork(runtime.clock, GATHER_LOOKS_MS),
    dialect: UNKNOWN_DIALECT,
    canCopy: true,
  };
  const keepUpload = options.keepUpload ?? (({ startedAtMs }) => runtime.clock.nowMs() - startedAtMs < 6 * DAY_MS);

  const endpointName = async (): Promise<string> => {
    if (options.endpoint !== undefined) return options.endpoint;
    return client === undefined ? 'transport' : (await resolveBucketEndpoint(client, bucket)).origin;
  };

  return {
    side: 'remote',
    get clockOffsetMs() {
      return clockOffset.ms;
    },
    get counters() {
      return trace.counters;
    },
    async prepare(prepareOptions) {
      const settings = {
        endpoint: await endpointName(),
        facts: options.facts,
        probe: options.probe ?? true,
        together: createS3Api(together, bucket, backoff),
      };
      return prepareBucket(context, settings, prepareOptions);
    },
    scan: (scanOptions) => scanBucket(context, scanOptions),
    observe: (path, signal) => observeObject(context, path, signal),
    hasBelow: (path, signal) => hasObjectBelow(context, path, signal),
    open: (entry, signal) => openObject(context, entry, signal),
    digest: (entry, scheme, signal) => digestOf(context, entry, scheme, signal),
    schemeFor: (sizeBytes): DigestScheme => ({
      partSizeBytes: sizeBytes <= partSizeBytes ? undefined : partSizeFor(sizeBytes, partSizeBytes),
    }),
    write: (path, source, precondition, writeOptions = {}) =>
      writeObject(context, path, source, precondition, writeOptions),
    remove: (path, precondition, changeOptions = {}) => removeObject(context, path, precondition, changeOptions),
    move: (path, to, precondition, moveOptions = {}) =>
      moveObject(context, path, to, precondition, moveOptions).catch(staleOutcome),
    // Where an ETag is no digest, two that are equal say nothing.
    identityOf: (fingerprint) => (mayBeMd5(context.dialect) && !fingerprint.startsWith(':') ? fingerprint : undefined),
    cleanUp: ({ signal } = {}) => cleanUpUploads(context, keepUpload, signal),
    close: () => transport.close(),
  };
}
