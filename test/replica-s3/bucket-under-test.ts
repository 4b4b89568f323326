import { createHash, randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type {
  FactMemory,
  RememberedUpload,
  S3Replica,
  S3ReplicaOptions,
  S3Transport,
  UploadMemory,
} from '../../src/replica/s3/index.js';
import { createS3Replica, createHttpTransport } from '../../src/replica/s3/index.js';
import {
  type Dialect,
  type DialectName,
  DIALECTS,
  type Fault,
  type FaultPlan,
  SimulatedS3,
  systemRuntime,
} from '../../src/testing/s3/index.js';

/** A bucket, a way into it for the replica, and a second hand that reaches past the replica. */
export interface BucketUnderTest {
  readonly bucket: string;
  /** Name of the server for probe results. */
  readonly endpoint: string;
  transport(faults?: FaultPlan): S3Transport;
  put(key: string, content: string | Uint8Array): Promise<void>;
  remove(key: string): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  keys(): Promise<string[]>;
  uploadIds(): Promise<string[]>;
}

/** A bucket in a simulation of its own. */
export interface SimulatedBucket extends BucketUnderTest {
  readonly s3: SimulatedS3;
}

const { FCS_TEST_ENDPOINT, FCS_TEST_ACCESS_KEY, FCS_TEST_SECRET_KEY } = process.env;

/** What the bucket is on, for titles of tests. */
export const targetName = FCS_TEST_ENDPOINT ?? 'the simulated S3';

/** Makes an empty bucket on the server under test: a real one, or the simulation. */
export async function makeBucket(): Promise<BucketUnderTest> {
  if (FCS_TEST_ENDPOINT === undefined) return simulatedBucket();
  return bucketOverHttp({
    endpoint: FCS_TEST_ENDPOINT,
    accessKeyId: FCS_TEST_ACCESS_KEY ?? '',
    secretAccessKey: FCS_TEST_SECRET_KEY ?? '',
  });
}

/** Makes an empty bucket in a simulation of its own. */
export function simulatedBucket(dialect: DialectName | Dialect = 'aws'): SimulatedBucket {
  const s3 = new SimulatedS3({ dialect });
  const bucket = 'bucket';
  s3.createBucket(bucket);
  return {
    s3,
    bucket,
    endpoint: `simulated-${typeof dialect === 'string' ? dialect : dialect.name}`,
    transport: (faults) => s3.transport(faults === undefined ? {} : { faults }),
    put: async (key, content) => void (await s3.put(bucket, key, content)),
    remove: (key) => s3.remove(bucket, key),
    get: async (key) => (await s3.peek(bucket, key))?.bytes,
    keys: async () => s3.keys(bucket),
    uploadIds: async () => s3.uploadIds(bucket),
  };
}

/** Makes an empty bucket of a store that lists so few keys a page that a few hundred keys are many pages. */
export function bucketOfSmallPages(pageSize: number, dialect: DialectName = 'aws'): SimulatedBucket {
  const { listing, ...rest } = DIALECTS[dialect];
  return simulatedBucket({ ...rest, listing: { ...listing, pageSize } });
}

/** Makes a replica of a bucket with a memory of its own, which soon gives up on what fails; any option may be another. */
export function replicaOn(place: BucketUnderTest, options: Partial<S3ReplicaOptions> = {}): S3Replica {
  return createS3Replica({
    transport: options.transport ?? place.transport(),
    bucket: place.bucket,
    uploads: memoryUploads(),
    facts: memoryFacts(),
    runtime: systemRuntime(),
    pathRules: 'linux',
    backoff: { baseMs: 1, capMs: 1, attempts: 2 },
    ...options,
  });
}

/** Makes an empty bucket on a server that is reached by HTTP. */
export async function bucketOverHttp(server: {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}): Promise<BucketUnderTest> {
  const { endpoint, ...credentials } = server;
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    credentials,
  });
  const bucket = `fcs-test-${randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    bucket,
    endpoint,
    transport: () => createHttpTransport({ client, clock: systemRuntime().clock }),
    async put(key, content) {
      const body = Buffer.from(content);
      const md5 = createHash('md5').update(body).digest('base64');
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentMD5: md5 }));
    },
    async remove(key) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    },
    async get(key) {
      try {
        await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      } catch (error) {
        if (error instanceof Error && error.name === 'NotFound') return undefined;
        throw error;
      }
      const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return answer.Body?.transformToByteArray();
    },
    async keys() {
      const answer = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
      return (answer.Contents ?? []).map(({ Key }) => Key ?? '');
    },
    async uploadIds() {
      const answer = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      return (answer.Uploads ?? []).map(({ UploadId }) => UploadId ?? '');
    },
  };
}

/** Remembers uploads in memory. */
export function memoryUploads(): UploadMemory & { readonly records: Map<string, RememberedUpload> } {
  const records = new Map<string, RememberedUpload>();
  return {
    records,
    get: async (path) => records.get(path),
    put: async (record) => void records.set(record.path, record),
    delete: async (path, uploadId) => {
      if (records.get(path)?.uploadId === uploadId) records.delete(path);
    },
    list: async () => [...records.values()],
  };
}

/** Keeps facts in memory, as JSON, so that what comes back is no live object. */
export function memoryFacts(): FactMemory & { readonly values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    values,
    get: async <T>(name: string) => {
      const text = values.get(name);
      return text === undefined ? undefined : (JSON.parse(text) as T);
    },
    put: async (name, value) => void values.set(name, JSON.stringify(value)),
  };
}

/** A fault that happens once, to the first request of that operation. */
export function once(
  fault: Fault,
  operation: NonNullable<NonNullable<FaultPlan['rules']>[number]['operation']>,
): FaultPlan {
  return { rules: [{ fault, operation, times: 1 }] };
}
