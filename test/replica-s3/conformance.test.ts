import { describe, expect, it } from 'vitest';
import { createS3Replica } from '../../src/replica/s3/index.js';
import { describeReplica, type ReplicaHarness } from '../../src/testing/describe-replica.js';
import { type DialectName, DIALECTS, systemRuntime } from '../../src/testing/s3/index.js';
import {
  type BucketUnderTest,
  isRealServer,
  makeBucket,
  memoryFacts,
  memoryUploads,
  simulatedBucket,
  targetName,
} from './bucket-under-test.js';

const facts = memoryFacts();

function harness(place: BucketUnderTest, prefix: string, probe = true): ReplicaHarness {
  const replica = createS3Replica({
    transport: place.transport(),
    endpoint: place.endpoint,
    bucket: place.bucket,
    prefix,
    uploads: memoryUploads(),
    // Kept between buckets of one server, so that it is not tried for each test.
    facts: {
      get: (name) => facts.get(name.split(' ').slice(0, 2).join(' ')),
      put: (name, value) => facts.put(name.split(' ').slice(0, 2).join(' '), value),
    },
    runtime: systemRuntime(),
    pathRules: 'linux',
    partSizeBytes: 5 * 1024 * 1024,
    probe,
    backoff: { baseMs: 1, capMs: 2 },
  });
  const all = prefix === '' ? '' : `${prefix}/`;
  return {
    replica,
    manyFiles: 1203,
    async seed(files) {
      const rest = Object.entries(files).values();
      const lane = async (): Promise<void> => {
        for (const [path, content] of rest) await place.put(all + path, content);
      };
      await Promise.all(Array.from({ length: 16 }, lane));
    },
    put: (path, content) => place.put(all + path, content),
    remove: (path) => place.remove(all + path),
    content: (path) => place.get(all + path),
    async dispose() {},
  };
}

describeReplica(`A bucket on ${targetName}`, async () => harness(await makeBucket(), ''), { describe, it, expect });
describeReplica(`A prefix in a bucket on ${targetName}`, async () => harness(await makeBucket(), 'deep/ü +%/prefix'), {
  describe,
  it,
  expect,
});

/** All of them with FCS_TEST_ALL=1. */
const FEW: readonly DialectName[] = ['ceph-16'];
const ALL: readonly DialectName[] = [
  'aws-kms',
  'r2',
  'garage-1.2',
  'oss',
  'seaweedfs-3.97',
  'conditions-304',
  'conditions-404',
  'conditions-409',
  'conditions-400',
];
const dialects = process.env['FCS_TEST_ALL'] === undefined ? FEW : [...FEW, ...ALL];

describe.skipIf(isRealServer)('on other stores', () => {
  for (const dialect of dialects)
    describeReplica(dialect, async () => harness(simulatedBucket(dialect), ''), { describe, it, expect });
  // No store is less than that; only the times of files have to be kept, which it does not.
  const least = { ...DIALECTS['bare'], metadata: 'kept' as const };
  describeReplica('the least of stores, not probed', async () => harness(simulatedBucket(least), '', false), {
    describe,
    it,
    expect,
  });
});
