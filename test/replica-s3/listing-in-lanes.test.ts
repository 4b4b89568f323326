import { describe, expect, it } from 'vitest';
import type { S3Replica } from '../../src/replica/s3/index.js';
import type { S3Request } from '../../src/replica/s3/transport.js';
import { DIALECTS, type DialectName } from '../../src/testing/s3/index.js';
import { bucketOfSmallPages, memoryFacts, replicaOn, type SimulatedBucket } from './bucket-under-test.js';

const EVERYTHING = { includesFile: () => true, mayContain: () => true };
const PAGE_KEYS = 50;

/** A store of which a few hundred keys are many pages. */
const place = (dialect?: DialectName): SimulatedBucket => bucketOfSmallPages(PAGE_KEYS, dialect);

async function scan(replica: S3Replica, remember = true) {
  const before = replica.counters.byOperation['ListObjectsV2'] ?? 0;
  const paths: string[] = [];
  for await (const { entries } of replica.scan({ filter: EVERYTHING, remember }))
    paths.push(...entries.map(({ path }) => path));
  return { paths, requests: (replica.counters.byOperation['ListObjectsV2'] ?? 0) - before };
}

const nameOf = (n: number): string =>
  `folder-${String(n >> 4).padStart(3, '0')}/file ${n % 16}`.replace(n % 3 === 0 ? ' ' : '', n % 3 === 0 ? '+' : '');
const plainName = (n: number): string => `folder-${String(n >> 4).padStart(3, '0')}/file-${n % 16}`;

async function fill(where: SimulatedBucket, count: number, prefix = '', name = plainName): Promise<void> {
  for (let n = 0; n < count; n++) await where.put(prefix + name(n), 'x');
}

const LISTS_RIGHT = Object.values(DIALECTS)
  .map(({ name }) => name as DialectName)
  .filter(
    (name) =>
      !name.startsWith('list-') || ['list-no-encoding', 'list-no-start-after', 'list-pages-of-100'].includes(name),
  );

describe('scan', () => {
  it.each(LISTS_RIGHT)('gives the same from hints as without, on a store like %s', async (dialect) => {
    const where = place(dialect);
    await fill(where, 400, 'p/', nameOf);
    await where.put('other', 'x');
    await where.put('p0', 'x');
    const facts = memoryFacts();
    const replica = replicaOn(where, { facts, prefix: 'p' });
    const first = await scan(replica);
    expect(first.requests).toBe(8);
    expect((await scan(replica)).paths).toEqual(first.paths);
    for (const key of ['p/folder-003/new', 'p/folder-003/new 2', 'p/a', 'p/zzz']) await where.put(key, 'x');
    for (let n = 100; n < 170; n++) await where.remove(`p/${nameOf(n)}`);
    expect((await scan(replica)).paths).toEqual((await scan(replicaOn(where, { prefix: 'p' }))).paths);
    expect((await scan(replica)).paths.length).toBe(334);
  });

  it('asks for as many pages from hints as without when nothing has changed, several at once', async () => {
    const where = place();
    await fill(where, 1000);
    let inFlight = 0;
    let most = 0;
    const inner = where.transport();
    const transport = {
      async send(request: S3Request) {
        most = Math.max(most, ++inFlight);
        await new Promise((resolve) => setImmediate(resolve));
        inFlight--;
        return inner.send(request);
      },
      close: () => inner.close(),
    };
    const replica = replicaOn(where, { transport });
    expect((await scan(replica)).requests).toBe(20);
    expect(most).toBe(1);
    expect((await scan(replica)).requests).toBe(20);
    expect(most).toBeGreaterThan(4);
  });

  it('is back to as many pages as without after one scan that found changes', async () => {
    const where = place();
    await fill(where, 600);
    const replica = replicaOn(where);
    await scan(replica);
    for (let n = 0; n < 600; n += 40) await where.put(`${plainName(n)}.new`, 'x');
    const changed = await scan(replica);
    expect(changed.paths.length).toBe(615);
    expect(changed.requests).toBeLessThanOrEqual(2 * 13 + 1);
    expect((await scan(replica)).requests).toBe(13);
    for (let n = 0; n < 600; n += 2) await where.remove(plainName(n));
    expect((await scan(replica)).paths.length).toBe(315);
    expect((await scan(replica)).requests).toBe(7);
  });

  it('notes hints only when it may, and only when they changed', async () => {
    const where = place();
    await fill(where, 300);
    const facts = memoryFacts();
    let puts = 0;
    const counted = { ...facts, put: async (name: string, value: unknown) => (puts++, facts.put(name, value)) };
    const replica = replicaOn(where, { facts: counted });
    await scan(replica, false);
    expect(puts).toBe(0);
    await scan(replica);
    expect(puts).toBe(1);
    await scan(replica);
    expect(puts).toBe(1);
    for await (const _page of replica.scan({ filter: EVERYTHING, remember: true })) break;
    expect(puts).toBe(1);
  });

  it('lists whole though its hints cannot be kept', async () => {
    const where = place();
    await fill(where, 300);
    const facts = { ...memoryFacts(), put: () => Promise.reject(new Error('the disk is full')) };
    expect((await scan(replicaOn(where, { facts }))).paths.length).toBe(300);
  });

  it('does not ask a store again for a week that begins elsewhere than it was asked to', async () => {
    const where = place('list-no-start-after');
    await fill(where, 500);
    const facts = memoryFacts();
    const replica = replicaOn(where, { facts });
    await scan(replica);
    const found = await scan(replica);
    expect(found.paths.length).toBe(500);
    expect(found.requests).toBeGreaterThan(10);
    for (let run = 0; run < 3; run++) expect((await scan(replica)).requests).toBe(10);
    const name = [...facts.values.keys()][0] ?? '';
    await facts.put(name, { boundaries: [], pausedUntilMs: Date.now() - 1 });
    await scan(replica);
    expect(JSON.parse(facts.values.get(name) ?? '')).toHaveProperty('boundaries.0');
  });

  it.each([
    ['nothing', null],
    ['a text', 'hints'],
    ['no list', { boundaries: 7 }],
    [
      'things that are none',
      { boundaries: [1, null, [], [''], [7, 'a'], { after: 'a' }, ['\uD800', 'x'], ['a\u0000b']] },
    ],
    ['keys outside the prefix', { boundaries: [['a', 'b'], ['q/a'], ['p'], ['zzz']] }],
    ['keys out of order', { boundaries: [['p/folder-009'], ['p/folder-003/file-7'], ['p/folder-011/x'], ['p/a']] }],
    [
      'keys that never were',
      { boundaries: Array.from({ length: 200 }, (_, n) => [`p/folder-${String(n).padStart(3, '0')}/f`]) },
    ],
    ['a wrong word on what comes next', { boundaries: [[`p/${plainName(49)}`, `p/${plainName(60)}`]] }],
    ['a pause without end', { boundaries: [], pausedUntilMs: Number.MAX_SAFE_INTEGER }],
  ])('lists whole whatever stands in the place of hints: %s', async (_what, value) => {
    const where = place();
    await fill(where, 300, 'p/');
    const facts = memoryFacts();
    const replica = replicaOn(where, { facts, prefix: 'p/' });
    const { paths } = await scan(replica);
    const name = [...facts.values.keys()][0] ?? '';
    await facts.put(name, value);
    expect((await scan(replica)).paths).toEqual(paths);
    expect((await scan(replica)).requests).toBe(6);
  });

  it('has as many listeners on one signal as it has pages under way, without a warning', async () => {
    const where = place();
    await fill(where, 1000);
    const facts = memoryFacts();
    await scan(replicaOn(where, { facts }));
    const inner = where.transport();
    let most = 0;
    let inFlight = 0;
    const transport = {
      async send(request: S3Request) {
        request.signal?.addEventListener('abort', () => {}, { once: true });
        most = Math.max(most, ++inFlight);
        await new Promise((resolve) => setImmediate(resolve));
        inFlight--;
        return inner.send(request);
      },
      close: () => inner.close(),
    };
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', onWarning);
    const { signal } = new AbortController();
    for await (const _page of replicaOn(where, { facts, transport }).scan({ filter: EVERYTHING, signal }));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(most).toBeGreaterThan(10);
    expect(warnings).toEqual([]);
  });

  it('stops all lanes when it is aborted', async () => {
    const where = place();
    await fill(where, 1000);
    const facts = memoryFacts();
    await scan(replicaOn(where, { facts }));
    const inner = where.transport();
    const stop = new AbortController();
    let sent = 0;
    let aborted = 0;
    const transport = {
      async send(request: S3Request) {
        if (++sent <= 8) return inner.send(request);
        await new Promise((_resolve, reject) => {
          const onAbort = (): void => {
            aborted++;
            reject(request.signal?.reason);
          };
          if (request.signal?.aborted === true) return onAbort();
          request.signal?.addEventListener('abort', onAbort);
          if (sent >= 12) stop.abort();
        });
        return inner.send(request);
      },
      close: () => inner.close(),
    };
    const replica = replicaOn(where, { facts, transport });
    await expect(
      (async () => {
        for await (const _page of replica.scan({ filter: EVERYTHING, signal: stop.signal }));
      })(),
    ).rejects.toMatchObject({ name: 'AbortError' });
    expect(aborted).toBe(sent - 8);
    const before = sent;
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toBe(before);
  });

  it('holds against its hints when answers fail now and then', async () => {
    const where = place();
    await fill(where, 1000);
    const facts = memoryFacts();
    const { paths } = await scan(replicaOn(where, { facts }));
    const transport = where.transport({
      rules: [{ fault: 'slow-down', operation: 'ListObjectsV2', probability: 0.2 }],
    });
    const replica = replicaOn(where, { facts, transport, backoff: { baseMs: 1, capMs: 1, attempts: 20 } });
    expect((await scan(replica)).paths).toEqual(paths);
  });
});
