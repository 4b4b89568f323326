import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { badDay, type Fault } from '../../src/testing/s3/faults.js';
import { startS3Server } from '../../src/testing/s3/server.js';
import { World } from '../e2e/world.js';

const KEYS = { accessKeyId: 'TRYOUTKEY', secretAccessKey: 'TRYOUTSECRET' };
/** Of all requests; QUALITY N8. */
const FAULTED = 0.2;
/** How many runs may be needed until all is in place: what one file met too often is a problem of that run. */
const RUNS = 8;
/** Faults that keep a request from the service behind. */
const BEFORE: ReadonlySet<Fault> = new Set<Fault>(['slow-down', 'too-many-requests', 'internal-error', 'reset-before']);

/** What a run on a bad network showed. */
export interface BadNetworkResult {
  readonly objects: number;
  readonly requests: number;
  readonly faults: number;
  /** Requests that the same work takes on a good network. */
  readonly calmRequests: number;
}

const nameOf = (i: number): string => `d${i % 50}/f${i}`;
const textOf = (i: number): string => `content ${i} `.repeat(1 + (i % 40));

/** Uploads so many files from one folder and downloads them into another over real HTTP; answers how many requests it took. */
async function carry(
  objects: number,
  probability: number,
): Promise<{ readonly requests: number; readonly faults: number }> {
  let faults = 0;
  let swallowed = 0;
  let oldLists = 0;
  await using server = await startS3Server({
    credentials: KEYS,
    faults: {
      rules: badDay(probability),
      onFault: (fault) => {
        faults++;
        if (BEFORE.has(fault)) swallowed++;
        if (fault === 'stale-list') oldLists++;
      },
    },
  });
  const world = new World({ endpoint: server.endpoint, ...KEYS });
  server.core.createBucket(world.bucket);
  try {
    const [from, to] = [await world.machine(), await world.machine()];
    for (let i = 0; i < objects; i++) {
      await mkdir(path.dirname(from.at(nameOf(i))), { recursive: true });
      await writeFile(from.at(nameOf(i)), textOf(i));
    }
    for (const machine of [from, to]) {
      for (let run = 1; ; run++) {
        const oldListsBefore = oldLists;
        const problems = await machine.sync().then(
          (result) => result.problems.map(({ message }) => message),
          (error: unknown) => [error instanceof Error ? (error.stack ?? error.message) : String(error)],
        );
        // What a listing from before does not have is for the next run.
        if (problems.length === 0 && oldLists === oldListsBefore) break;
        if (run === RUNS)
          throw new Error(
            `${problems.length} problems after ${RUNS} runs, the first: ${problems[0] ?? 'old listings'}`,
          );
      }
    }
    const requests = server.core.counter.requests + swallowed;
    const files = await to.files();
    for (let i = 0; i < objects; i++) {
      const object = await server.core.peek(world.bucket, nameOf(i));
      if (Buffer.from(object?.bytes ?? []).toString() !== textOf(i))
        throw new Error(`${nameOf(i)} is wrong in the bucket`);
      if (files[nameOf(i)] !== textOf(i))
        throw new Error(`${nameOf(i)} is wrong in the second folder: ${files[nameOf(i)] ?? 'missing'}`);
    }
    if (Object.keys(files).length !== objects)
      throw new Error(`the second folder has ${Object.keys(files).length} files instead of ${objects}`);
    if (server.core.keys(world.bucket).length !== objects)
      throw new Error(`the bucket has other objects too: ${server.core.keys(world.bucket).length}`);
    if (server.core.uploadIds(world.bucket).length > 0) throw new Error('unfinished uploads were left');
    return { requests, faults };
  } finally {
    await world.close();
  }
}

/**
 * Carries `count` objects both ways while one request in five fails in some manner, those of the probe included.
 *
 * @throws when anything is wrong at rest, or took too many requests.
 */
export async function proveBadNetwork(_first: number, count: number): Promise<BadNetworkResult> {
  const calm = await carry(count, 0);
  const bad = await carry(count, FAULTED);
  const result = { objects: count, requests: bad.requests, faults: bad.faults, calmRequests: calm.requests };
  if (bad.requests > 1.5 * calm.requests)
    throw new Error(`${bad.requests} requests, more than 1.5 times ${calm.requests}`);
  return result;
}
