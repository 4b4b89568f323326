import { createS3Replica } from '../../src/replica/s3/index.js';
import type { ReplicaHarness } from '../../src/testing/describe-replica.js';
import { systemRuntime } from '../../src/testing/s3/index.js';
import { type BucketUnderTest, memoryFacts, memoryUploads } from './bucket-under-test.js';

const facts = memoryFacts();

/** What takes the place of the names on Linux where the store's own disk does not take all of them. */
const PLAIN_NAMES = [
  'a b',
  ' lead',
  '.hidden',
  '%41',
  'a+b',
  'back\\slash',
  'new\nline',
  'caf\u00E9',
  'cafe\u0301',
  '\u{1F600}',
  'dir.with.dots/x',
];
const keysAreFiles = process.env['FCS_TEST_KEYS_ARE_FILES'] === '1';

/** A replica of a bucket, with a second hand, as the conformance suite wants it. */
export function replicaHarness(place: BucketUnderTest, prefix: string, probe = true): ReplicaHarness {
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
    ...(keysAreFiles && { keysAreFiles, removesNothing: true, names: PLAIN_NAMES }),
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
