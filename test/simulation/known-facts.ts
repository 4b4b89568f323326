import { createS3Replica } from '../../src/replica/s3/index.js';
import { DIALECTS, type DialectName } from '../../src/testing/s3/dialects.js';
import { SimulatedS3 } from '../../src/testing/s3/simulated-s3.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';

/** The name under which the simulated store is known, where it is not Amazon's. */
export const STORE_ENDPOINT = 'http://store.test';

const known = new Map<string, Promise<ReadonlyMap<string, unknown>>>();

/** What the probe finds out about a dialect. Tried out once, in a world of its own, because 75 requests are more than most runs have. */
export function knownFacts(dialect: DialectName, bucket: string): Promise<ReadonlyMap<string, unknown>> {
  const name = `${dialect} ${bucket}`;
  let found = known.get(name);
  if (found === undefined) {
    found = tryOut(dialect, bucket);
    known.set(name, found);
  }
  return found;
}

async function tryOut(dialect: DialectName, bucket: string): Promise<ReadonlyMap<string, unknown>> {
  const found = new Map<string, unknown>();
  // Time passes here without anybody having to wait for it.
  let nowMs = 0;
  const clock = {
    nowMs: () => nowMs,
    sleep: async (durationMs: number) => {
      nowMs += durationMs;
    },
  };
  const runtime = { clock, random: new SeededRandom(1) };
  const service = new SimulatedS3({ runtime, dialect: { ...DIALECTS[dialect], leastPartBytes: 1 } });
  service.createBucket(bucket);
  const replica = createS3Replica({
    transport: service.transport(),
    bucket,
    endpoint: STORE_ENDPOINT,
    runtime,
    pathRules: 'linux',
    uploads: {
      get: async () => undefined,
      put: async () => undefined,
      delete: async () => undefined,
      list: async () => [],
    },
    facts: {
      get: async <T>(name: string) => found.get(name) as T | undefined,
      put: async (name, value) => {
        found.set(name, value);
      },
    },
  });
  await replica.prepare({ readonly: false });
  await replica.close();
  return found;
}
