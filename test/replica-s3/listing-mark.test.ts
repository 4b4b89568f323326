import { describe, expect, it } from 'vitest';
import type { ScanMark } from '../../src/replica/replica.js';
import type { S3Replica } from '../../src/replica/s3/index.js';
import type { S3Transport } from '../../src/replica/s3/transport.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { DIALECTS, type DialectName } from '../../src/testing/s3/index.js';
import { bucketOfSmallPages, replicaOn, type SimulatedBucket } from './bucket-under-test.js';

const EVERYTHING = { includesFile: () => true, mayContain: () => true };
const PAGE_KEYS = 10;

/** A store of which a hundred keys are ten pages. */
const place = (dialect?: DialectName): SimulatedBucket => bucketOfSmallPages(PAGE_KEYS, dialect);

async function markOf(replica: S3Replica): Promise<ScanMark | undefined> {
  let mark: ScanMark | undefined;
  for await (const page of replica.scan({
    filter: EVERYTHING,
    remember: true,
    onMark: (made) => {
      mark = made;
    },
  }))
    expect(page.problems).toEqual([]);
  return mark;
}

async function fill(where: SimulatedBucket, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await where.put(nameOf(n), 'x');
}

const nameOf = (n: number): string => `d${String(n >> 3).padStart(2, '0')}/file ${n % 8}+ä`;

/** Stores that begin a listing where they are asked to. */
const SEEKING = Object.values(DIALECTS)
  .map(({ name }) => name as DialectName)
  .filter((name) => !name.startsWith('list-') || ['list-no-encoding', 'list-pages-of-100'].includes(name));

describe('the mark of a listing', () => {
  it.each(SEEKING)('holds as long as nothing is done, on a store like %s', async (dialect) => {
    const where = place(dialect);
    await fill(where, 95);
    const replica = replicaOn(where);
    const mark = await markOf(replica);
    expect([await mark?.holds(), await mark?.holds()]).toEqual([true, true]);
    // With hints of the first listing the second one goes in lanes, whose pages overlap.
    const again = await markOf(replica);
    expect(await again?.holds()).toBe(true);
  });

  it('asks for each page once, several at a time, and reads no object', async () => {
    const where = place();
    await fill(where, 95);
    const replica = replicaOn(where);
    const mark = await markOf(replica);
    const before = replica.counters.requests;
    expect(await mark?.holds()).toBe(true);
    expect(replica.counters.requests - before).toBe(10);
  });

  it.each<[string, (where: SimulatedBucket) => Promise<void>]>([
    ['a key was added at the beginning', (where) => where.put('a', 'x')],
    ['a key was added at the end', (where) => where.put('zzz', 'x')],
    ['a key was added on a page', (where) => where.put(`${nameOf(33)}2`, 'x')],
    ['a key was added between two pages', (where) => where.put(`${nameOf(9)}!`, 'x')],
    ['the first key is gone', (where) => where.remove(nameOf(0))],
    ['the last key is gone', (where) => where.remove(nameOf(99))],
    ['a key is gone', (where) => where.remove(nameOf(50))],
    ['the last key of a page is gone', (where) => where.remove(nameOf(49))],
    ['an object was replaced by one of the same size', (where) => where.put(nameOf(71), 'y')],
    ['the last object was replaced', (where) => where.put(nameOf(99), 'xx')],
    [
      'a key has another name',
      async (where) => {
        await where.remove(nameOf(20));
        await where.put(`${nameOf(20)}~`, 'x');
      },
    ],
    [
      'all are gone',
      async (where) => {
        for (let n = 0; n < 100; n++) await where.remove(nameOf(n));
      },
    ],
  ])('does not hold where %s', async (_what, change) => {
    const where = place();
    await fill(where, 100);
    const replica = replicaOn(where);
    const marks = [await markOf(replica), await markOf(replica)];
    await change(where);
    for (const mark of marks) expect(await mark?.holds()).toBe(false);
  });

  it('is told from any other listing, whatever was done', async () => {
    const seed = Date.now() >>> 0;
    const random = new SeededRandom(seed);
    const where = place();
    await fill(where, 60);
    const replica = replicaOn(where);
    for (let round = 0; round < 60; round++) {
      const mark = await markOf(replica);
      expect(await mark?.holds(), `seed ${seed}, round ${round}`).toBe(true);
      const key = nameOf(random.below(90));
      const isThere = (await where.keys()).includes(key);
      if (isThere && random.below(2) === 0) await where.remove(key);
      else await where.put(key, `${round}`);
      expect(await mark?.holds(), `seed ${seed}, round ${round}: ${key}`).toBe(false);
    }
  });

  it('sees nothing of what lies outside the prefix', async () => {
    const where = place();
    for (const key of ['d', 'd/a', 'd/b', 'd0', 'e']) await where.put(key, 'x');
    const mark = await markOf(replicaOn(where, { prefix: 'd' }));
    await where.put('d0', 'other');
    expect(await mark?.holds()).toBe(true);
    await where.put('d/c', 'x');
    expect(await mark?.holds()).toBe(false);
  });

  it('is not believed of a store that begins at the wrong place', async () => {
    const where = place('list-no-start-after');
    await fill(where, 40);
    const mark = await markOf(replicaOn(where));
    expect((await mark?.holds()) ?? false).toBe(false);
  });

  it('is made of one page as well, and of no empty bucket', async () => {
    const where = place('list-no-start-after');
    expect(await markOf(replicaOn(where))).toBeUndefined();
    await fill(where, 3);
    const mark = await markOf(replicaOn(where));
    expect(await mark?.holds()).toBe(true);
  });

  it('says why the bucket could not be listed, and stops when it is told to', async () => {
    const where = place();
    await fill(where, 20);
    const inner = where.transport();
    let isForbidden = false;
    const transport: S3Transport = {
      send: async (request) => {
        if (!isForbidden) return inner.send(request);
        const body = (async function* () {
          yield Buffer.from('<Error><Code>AccessDenied</Code></Error>');
        })();
        return { status: 403, headers: { 'content-type': 'application/xml' }, body };
      },
      close: () => inner.close(),
    };
    const mark = await markOf(replicaOn(where, { transport }));
    await expect(mark?.holds(AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    isForbidden = true;
    await expect(mark?.holds()).rejects.toMatchObject({
      code: 'ERR_S3_FORBIDDEN',
      message: expect.stringMatching(/^Listing the bucket "bucket" failed: /),
    });
  });
});
