import type { Runtime } from '../../core/runtime.js';
import type { S3Transport } from '../../replica/s3/transport.js';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  uploadPart,
  uploadPartCopy,
} from './multipart-operations.js';
import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  getBucketVersioning,
  headBucket,
  listBuckets,
  putBucketVersioning,
} from './bucket-operations.js';
import { RequestCounter } from './counters.js';
import { type Dialect, type DialectName, resolveDialect } from './dialects.js';
import { type FaultPlan, withFaults } from './faults.js';
import { listObjects, listObjectsV2 } from './listing.js';
import { listMultipartUploads, listParts } from './listing-uploads.js';
import { listObjectVersions } from './listing-versions.js';
import { MemoryStorage } from './memory-storage.js';
import { getObject, headObject } from './object-answer.js';
import { deleteObjectTagging, getObjectAttributes, getObjectTagging, putObjectTagging } from './object-details.js';
import { copyObject, deleteObject, deleteObjects, putObject } from './object-operations.js';
import type { ObjectStorage } from './object-storage.js';
import { type OperationName, operationOf } from './operation.js';
import { collect } from './body.js';
import { bucketNamed, currentOf, type ServiceContext } from './service-context.js';
import type { S3Service, ServiceAnswer, ServiceRequest } from './service.js';
import { errorAnswer, ServiceError } from './service-error.js';
import { type ObjectVersion, ServiceState, type StateChange } from './state.js';
import { systemRuntime } from './system-runtime.js';
import { serviceTransport } from './transport.js';

type Operation = (context: ServiceContext, request: ServiceRequest) => ServiceAnswer | Promise<ServiceAnswer>;

const OPERATIONS: Readonly<Record<OperationName, Operation>> = {
  ListBuckets: listBuckets,
  CreateBucket: createBucket,
  HeadBucket: headBucket,
  DeleteBucket: deleteBucket,
  GetBucketLocation: getBucketLocation,
  GetBucketVersioning: getBucketVersioning,
  PutBucketVersioning: putBucketVersioning,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListObjectVersions: listObjectVersions,
  ListMultipartUploads: listMultipartUploads,
  DeleteObjects: deleteObjects,
  PutObject: putObject,
  CopyObject: copyObject,
  GetObject: getObject,
  HeadObject: headObject,
  DeleteObject: deleteObject,
  GetObjectAttributes: getObjectAttributes,
  GetObjectTagging: getObjectTagging,
  PutObjectTagging: putObjectTagging,
  DeleteObjectTagging: deleteObjectTagging,
  CreateMultipartUpload: createMultipartUpload,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
  ListParts: listParts,
};

/** Options of {@link SimulatedS3}. */
export interface SimulatedS3Options {
  /** Clock and randomness: with the same ones, the same requests get the same answers. Default: the system's. */
  readonly runtime?: Runtime;
  /** How the service deviates. Default `'aws'`. */
  readonly dialect?: DialectName | Dialect;
  /** Default `'us-east-1'`. */
  readonly region?: string;
  /** Sees every change in the moment it takes effect: an oracle for what was ever written. */
  readonly onChange?: (changes: readonly StateChange[]) => void;
}

/** A storage whose record was replayed. */
interface OpenedStorage {
  readonly storage: ObjectStorage;
  readonly state: ServiceState;
}

/** What the service calls itself in its `Server` header. */
export const SERVER_NAME = 'filecloudsync-testing (for trying out and for tests)';

/** Options of {@link SimulatedS3.transport}. */
export interface SimulatedTransportOptions {
  /** Faults on this transport alone. */
  readonly faults?: FaultPlan;
}

/** An object as {@link SimulatedS3.peek} shows it. */
export interface PeekedObject extends Omit<ObjectVersion, 'content'> {
  readonly bytes: Uint8Array;
}

/**
 * An S3 service without sockets, for trying out and for tests. What its HTTP server answers comes from here.
 *
 * In memory a request takes effect in one step, between two turns of the event loop, so conditions are atomic.
 *
 * @example
 * ```ts
 * const s3 = new SimulatedS3({ dialect: 'garage-1.2' });
 * s3.createBucket('pictures');
 * await s3.put('pictures', 'a.txt', 'written by somebody else');
 * console.log(s3.keys('pictures'), s3.counter.requests);
 * ```
 */
export class SimulatedS3 implements S3Service {
  readonly counter = new RequestCounter();
  readonly dialect: Dialect;
  readonly runtime: Runtime;
  readonly #context: ServiceContext;
  readonly #requestIdPrefix: string;
  #requests = 0;
  #date = '';
  #dateSecond = NaN;

  constructor(options: SimulatedS3Options = {}, opened?: OpenedStorage) {
    const storage = opened?.storage ?? new MemoryStorage();
    const state = opened?.state ?? new ServiceState((blob) => storage.remove(blob));
    this.dialect = resolveDialect(options.dialect);
    this.runtime = options.runtime ?? systemRuntime();
    this.#context = {
      state,
      storage,
      dialect: this.dialect,
      runtime: this.runtime,
      region: options.region ?? 'us-east-1',
      commit(changes) {
        const durable = storage.record(changes);
        state.apply(changes);
        options.onChange?.(changes);
        return durable;
      },
    };
    this.#requestIdPrefix = this.runtime.random.id(8).toUpperCase();
  }

  /** Opens a service over a storage that may hold something already. */
  static async open(storage: ObjectStorage, options: SimulatedS3Options = {}): Promise<SimulatedS3> {
    let isReplaying = true;
    // What the replay leaves unused is removed once, by settle.
    const state = new ServiceState((blob) => {
      if (!isReplaying) storage.remove(blob);
    });
    for (const changes of await storage.load()) state.apply(changes);
    isReplaying = false;
    await storage.settle(
      (blob) => state.isUsed(blob),
      () => state.snapshot(),
    );
    return new SimulatedS3(options, { storage, state });
  }

  async handle(request: ServiceRequest): Promise<ServiceAnswer> {
    const requestId = `${this.#requestIdPrefix}${(++this.#requests).toString(36).toUpperCase().padStart(8, '0')}`;
    let operation: OperationName | 'unknown' = 'unknown';
    let answer: ServiceAnswer;
    try {
      operation = operationOf(request);
      answer = await OPERATIONS[operation](this.#context, request);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      answer = errorAnswer(
        error,
        request.method,
        `/${request.bucket ?? ''}${request.key === undefined ? '' : `/${request.key}`}`,
        requestId,
      );
    }
    const { headers } = answer;
    headers['x-amz-request-id'] = requestId;
    headers['server'] = SERVER_NAME;
    if (this.dialect.date) headers['date'] = this.#dateHeader();
    const bytesIn = request.body instanceof Uint8Array ? request.body.length : (request.sizeBytes ?? 0);
    this.counter.add(
      operation,
      answer.status,
      bytesIn,
      answer.body === undefined ? 0 : Number(headers['content-length'] ?? 0),
    );
    return answer;
  }

  /** A way to send requests to this service without HTTP. */
  transport(options: SimulatedTransportOptions = {}): S3Transport {
    return serviceTransport(options.faults === undefined ? this : withFaults(this, options.faults, this.runtime));
  }

  /** Makes a bucket, if it is not there yet. */
  createBucket(bucket: string, versioning?: 'Enabled' | 'Suspended'): void {
    if (!this.#context.state.buckets.has(bucket))
      void this.#context.commit([{ type: 'bucket', bucket, createdMs: this.runtime.clock.nowMs() }]);
    if (versioning !== undefined) void this.#context.commit([{ type: 'versioning', bucket, status: versioning }]);
  }

  /** Writes an object as another client would. Answers its ETag, without quotes. */
  async put(
    bucket: string,
    key: string,
    body: Uint8Array | string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const answer = await putObject(this.#context, { method: 'PUT', bucket, key, query: {}, headers, body: bytes });
    return (answer.headers['etag'] ?? '').replaceAll('"', '');
  }

  /** Removes an object as another client would. */
  async remove(bucket: string, key: string): Promise<void> {
    await deleteObject(this.#context, { method: 'DELETE', bucket, key, query: {}, headers: {} });
  }

  /** What stands at a key, bytes included; `undefined` for nothing. Counts as no request. */
  async peek(bucket: string, key: string): Promise<PeekedObject | undefined> {
    const version = currentOf(bucketNamed(this.#context, bucket), key);
    if (version === undefined) return undefined;
    const { content, ...rest } = version;
    return { ...rest, bytes: await collect(this.#context.storage.read(content, 0, version.sizeBytes)) };
  }

  /** The keys of a bucket, in UTF-8 byte order. */
  keys(bucket: string): string[] {
    return [...bucketNamed(this.#context, bucket).objects]
      .filter(({ versions }) => versions[0]?.deleteMarker === false)
      .map(({ key }) => key);
  }

  /** The ids of unfinished multipart uploads of a bucket. */
  uploadIds(bucket: string): string[] {
    return [...bucketNamed(this.#context, bucket).uploads.keys()];
  }

  /** The keys of unfinished multipart uploads of a bucket, each as often as it has one. */
  uploadKeys(bucket: string): string[] {
    return Array.from(bucketNamed(this.#context, bucket).uploads.values(), ({ upload }) => upload.key);
  }

  /** Lets go of the storage. */
  close(): Promise<void> {
    return this.#context.storage.close();
  }

  #dateHeader(): string {
    const second = Math.floor(this.runtime.clock.nowMs() / 1000);
    if (second !== this.#dateSecond) {
      this.#dateSecond = second;
      this.#date = new Date(second * 1000).toUTCString();
    }
    return this.#date;
  }
}
