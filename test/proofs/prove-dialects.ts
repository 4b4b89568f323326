import { createS3Replica } from '../../src/replica/s3/index.js';
import { type DialectName, DIALECTS } from '../../src/testing/s3/dialects.js';
import { badDay } from '../../src/testing/s3/faults.js';
import { SimulatedS3 } from '../../src/testing/s3/simulated-s3.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { memoryFacts, memoryUploads } from '../replica-s3/bucket-under-test.js';
import { trustedBy, trustworthy, type Conditions } from '../replica-s3/trustworthy.js';
import { BUCKET, ProofClock } from './proof-world.js';

/** Ways of a store; those that concern listings alone change nothing about conditions. */
const NAMES = (Object.keys(DIALECTS) as DialectName[]).filter((name) => !name.startsWith('list-'));
/** Of all requests, one of these each time. */
const FAULTED = [0.01, 0.05, 0.2] as const;

/** What many probes showed. */
export interface DialectsResult {
  /** Stores that were classified on a good network. */
  readonly classified: number;
  /** Probes of which up to one request in five went wrong. */
  readonly faulted: number;
  /** Those of them that came to a result all the same. */
  readonly finished: number;
}

/** Probes one store, on a good or a bad network; answers what it would trust it with, `undefined` when it found nothing out. */
async function probe(
  s3: SimulatedS3,
  faulted: number,
  clock: ProofClock,
  random: SeededRandom,
): Promise<readonly Conditions[] | undefined> {
  const facts = memoryFacts();
  const replica = createS3Replica({
    transport: s3.transport(faulted === 0 ? {} : { faults: { rules: badDay(faulted) } }),
    endpoint: 'https://store.test',
    bucket: BUCKET,
    uploads: memoryUploads(),
    facts,
    runtime: { clock, random },
    pathRules: 'linux',
  });
  // On a bad network the run may end here: then nothing is trusted.
  await replica.prepare({ readonly: false }).catch((error: unknown) => {
    if (faulted === 0) throw error;
  });
  await replica.close();
  const kept = [...facts.values].find(([name]) => name.startsWith('s3-dialect'))?.[1];
  return kept === undefined ? undefined : trustedBy(JSON.parse(kept) as Record<string, unknown>);
}

/**
 * Probes every store on a good network, then again and again on a bad one: seeds `first`, `first + stride`, …
 *
 * @throws when a store is trusted with what it does not honour or not with what it does, is not classified on a good network,
 * or keeps what a probe made.
 */
export async function proveDialects(first: number, count: number, stride: number): Promise<DialectsResult> {
  const sums = { classified: 0, faulted: 0, finished: 0 };
  for (let i = 0; i < count; i++) {
    const seed = first + i * stride;
    const name = NAMES[seed % NAMES.length] ?? 'aws';
    const random = new SeededRandom(seed);
    const clock = new ProofClock();
    const s3 = new SimulatedS3({ dialect: DIALECTS[name], runtime: { clock, random: random.fork() } });
    s3.createBucket(BUCKET);
    const expected = trustworthy(name);
    const told = await probe(s3, random.pick(FAULTED), clock, random.fork());
    sums.faulted++;
    if (told !== undefined) sums.finished++;
    if (told !== undefined && told.join() !== expected.join())
      throw new Error(
        `seed ${seed}: on a bad network ${name} is trusted with ${told.join() || 'nothing'} instead of ${expected.join() || 'nothing'}`,
      );
    const found = await probe(s3, 0, clock, random.fork());
    if (found?.join() !== expected.join())
      throw new Error(
        `seed ${seed}: ${name} is trusted with ${found?.join() ?? 'nothing'} instead of ${expected.join()}`,
      );
    if (i < NAMES.length) sums.classified++;
    const left = [...s3.keys(BUCKET), ...s3.uploadIds(BUCKET)];
    if (told !== undefined && left.length > 0) throw new Error(`seed ${seed}: ${name} keeps ${left.join(', ')}`);
  }
  return sums;
}
