import { describe, expect, it } from 'vitest';
import {
  createS3Replica,
  type S3Replica,
  type S3ReplicaOptions,
  type S3Request,
  type S3Transport,
} from '../../src/replica/s3/index.js';
import { type DialectName, DIALECTS, systemRuntime } from '../../src/testing/s3/index.js';
import { memoryFacts, memoryUploads, replicaOn, type SimulatedBucket, simulatedBucket } from './bucket-under-test.js';
import { trustedBy, trustworthy } from './trustworthy.js';

/** What is remembered of the store, as text. */
function keptDialect({ values }: ReturnType<typeof memoryFacts>): string | undefined {
  return [...values].find(([name]) => name.startsWith('s3-dialect'))?.[1];
}

/** A replica that tries the store out, under a prefix and the store's own name. */
function probingReplica(place: SimulatedBucket, options: Partial<S3ReplicaOptions> = {}): S3Replica {
  const { endpoint } = place;
  return replicaOn(place, { endpoint, prefix: 'p', backoff: { baseMs: 1, capMs: 1 }, ...options });
}

const names = Object.keys(DIALECTS) as DialectName[];

describe('probe', () => {
  it.each(names.filter((name) => !name.startsWith('list-')))(
    'trusts %s with what it honours, with nothing else, and leaves nothing behind',
    async (name) => {
      const place = simulatedBucket(name);
      const facts = memoryFacts();
      await probingReplica(place, { facts }).prepare({ readonly: false });
      const kept = keptDialect(facts);
      const dialect = JSON.parse(kept ?? '{}') as Record<string, unknown>;
      expect(trustedBy(dialect)).toEqual(trustworthy(name));
      expect(dialect['etagIsMd5']).toBe(DIALECTS[name].putEtag === 'md5');
      expect(place.s3.keys(place.bucket)).toEqual([]);
      expect(place.s3.uploadIds(place.bucket)).toEqual([]);
    },
  );

  it('finds out that a store wants ETags without quotes', async () => {
    const facts = memoryFacts();
    await probingReplica(simulatedBucket('ceph-16'), { facts }).prepare({ readonly: false });
    expect(keptDialect(facts)).toContain('"putReplace":"bare"');
  });

  it('asks a store once, not in every run', async () => {
    const place = simulatedBucket('ceph-16');
    const facts = memoryFacts();
    await probingReplica(place, { facts }).prepare({ readonly: false });
    const again = probingReplica(place, { facts });
    await again.prepare({ readonly: false });
    expect(again.counters.byOperation).toEqual({ ListObjectsV2: 1 });
  });

  it('asks again when what was kept is not of this version', async () => {
    const place = simulatedBucket('ceph-16');
    const facts = memoryFacts();
    await probingReplica(place, { facts }).prepare({ readonly: false });
    for (const [name] of facts.values)
      if (name.startsWith('s3-dialect')) facts.values.set(name, '{"putCreate":true,"putReplace":"sometimes"}');
    const again = probingReplica(place, { facts });
    await again.prepare({ readonly: false });
    expect(again.counters.byOperation['PutObject']).toBeGreaterThan(5);
  });

  it.each([
    ['under readonly', { readonly: true }, true],
    ['when it is not wanted', { readonly: false }, false],
  ])('writes nothing %s, and trusts nothing', async (_when, options, probe) => {
    const place = simulatedBucket('garage-1.2');
    const replica = probingReplica(place, { probe });
    const capabilities = await replica.prepare(options);
    expect(capabilities).toMatchObject({ conditionalWrite: 'none', conditionalDelete: false });
    expect(replica.counters.byOperation).toEqual({ ListObjectsV2: 1 });
  });

  it('waits for an answer some twenty times, and asks on keys that no other question uses', async () => {
    for (const name of names) {
      const place = simulatedBucket(name);
      const inner = place.transport();
      let turns = 0;
      const waiting: (() => void)[] = [];
      // All that is under way together is answered together, as by a service that is far.
      const answerTogether = async (): Promise<void> => {
        for (let calm = 0, seen = 0; calm < 20; calm++) {
          await new Promise((resolve) => setImmediate(resolve));
          if (waiting.length !== seen) calm = 0;
          seen = waiting.length;
        }
        turns++;
        for (const go of waiting.splice(0)) go();
      };
      const inFlight = new Map<string, number>();
      const send: S3Transport['send'] = async (request) => {
        const key = request.key ?? '';
        inFlight.set(key, (inFlight.get(key) ?? 0) + 1);
        const isRacing = request.method === 'PUT' && 'content-md5' in request.headers;
        expect(inFlight.get(key) === 1 || isRacing, key).toBe(true);
        await new Promise<void>((resolve) => {
          if (waiting.push(resolve) === 1) void answerTogether();
        });
        inFlight.set(key, (inFlight.get(key) ?? 0) - 1);
        return inner.send(request);
      };
      const replica = probingReplica(place, { transport: { send, close: () => inner.close() } });
      await replica.prepare({ readonly: false });
      expect(turns, name).toBeGreaterThan(5);
      // A store that fails those who lose a race has it run again, one race after the other.
      expect(turns, name).toBeLessThan(name === 'aws' ? 25 : replica.counters.requests * 0.67);
    }
  });

  it('asks nothing more once it is told to stop, or a question cannot be asked, and clears only then', async () => {
    for (const [at, code] of [
      [10, 'AccessDenied'],
      [30, 'AccessDenied'],
      [40, 'InvalidAccessKeyId'],
    ] as const) {
      const place = simulatedBucket('ceph-16');
      const inner = place.transport();
      let sent = 0;
      let open = 0;
      let cleared = false;
      const send: S3Transport['send'] = async (request) => {
        const isClearing = request.method === 'DELETE' && !('uploadId' in request.query) && sent > at;
        if (isClearing && !cleared) {
          cleared = true;
          expect(open).toBe(0);
        }
        open++;
        try {
          if (++sent !== at) return await inner.send(request);
          const body = Buffer.from(`<Error><Code>${code}</Code><Message>no</Message></Error>`);
          return {
            status: 403,
            headers: {},
            body: (async function* () {
              yield body;
            })(),
          };
        } finally {
          open--;
        }
      };
      const replica = probingReplica(place, { transport: { send, close: () => inner.close() } });
      const prepared = await replica.prepare({ readonly: false }).catch((error: unknown) => error);
      if (code === 'AccessDenied') expect(prepared).toMatchObject({ conditionalWrite: 'none' });
      else expect(prepared).toMatchObject({ name: 'S3ConnectionError' });
      expect(cleared).toBe(true);
      expect([place.s3.keys(place.bucket), await place.uploadIds()]).toEqual([[], []]);
    }
  });

  it('does not try AWS, which is known', async () => {
    const replica = probingReplica(simulatedBucket(), { endpoint: 'https://bucket.s3.eu-west-1.amazonaws.com' });
    expect(await replica.prepare({ readonly: false })).toMatchObject({
      conditionalWrite: 'all',
      conditionalDelete: true,
      remarks: [],
    });
    expect(replica.counters.requests).toBe(1);
  });

  it('keeps in mind what an earlier trial left, until it can be removed', async () => {
    const place = simulatedBucket('ceph-16');
    const facts = memoryFacts();
    const options = { endpoint: place.endpoint, bucket: place.bucket, prefix: 'p', uploads: memoryUploads(), facts };
    const prepareOver = async (refused: ReadonlySet<string>): Promise<readonly string[]> => {
      const inner = place.transport();
      const refuse = { status: 503, headers: {}, body: (async function* () {})() };
      const replica = createS3Replica({
        ...options,
        transport: {
          send: (request) => (refused.has(request.method) ? Promise.resolve(refuse) : inner.send(request)),
          close: () => inner.close(),
        },
        runtime: systemRuntime(),
        pathRules: 'linux',
        backoff: { attempts: 2, baseMs: 1, capMs: 1 },
      });
      return (await replica.prepare({ readonly: false })).remarks;
    };
    // Cut off in a bad moment: what was made cannot be taken away again.
    await prepareOver(new Set(['DELETE']));
    const left = place.s3.keys(place.bucket);
    expect(left).not.toEqual([]);
    expect((await prepareOver(new Set(['DELETE']))).join()).toContain('could not be removed');
    expect(place.s3.keys(place.bucket)).toEqual(left);
    await prepareOver(new Set());
    expect(place.s3.keys(place.bucket)).toEqual([]);
    expect(keptDialect(facts)).toContain('"putReplace":"bare"');
  });

  it('removes what a trial that was killed after lost answers has left at all its keys', async () => {
    const place = simulatedBucket('ceph-16');
    const facts = memoryFacts();
    const inner = place.transport({ rules: [{ fault: 'reset-after', operation: 'PutObject', nth: [1, 3, 5] }] });
    let sent = 0;
    // From then on nothing happens any more, as when the process is killed.
    const killed = probingReplica(place, {
      facts,
      transport: {
        send: (request) =>
          ++sent > 25 ? Promise.reject(new DOMException('killed', 'AbortError')) : inner.send(request),
        close: () => inner.close(),
      },
    });
    await expect(killed.prepare({ readonly: false })).rejects.toThrow('killed');
    const setOf = (key: string): string | undefined => /-(\d+)-[abc]$/.exec(key)?.[1];
    expect(new Set(place.s3.keys(place.bucket).map(setOf)).size).toBeGreaterThan(2);
    await probingReplica(place, { facts }).prepare({ readonly: false });
    expect([place.s3.keys(place.bucket), place.s3.uploadIds(place.bucket)]).toEqual([[], []]);
  });

  it.each(['reset-before', 'reset-after', 'bit-flip'] as const)(
    'asks again what it lost the answer to (%s), and nothing else',
    async (fault) => {
      const calm = probingReplica(simulatedBucket('ceph-16'));
      await calm.prepare({ readonly: false });
      for (let nth = 2; nth < calm.counters.requests; nth += 5) {
        const place = simulatedBucket('ceph-16');
        const facts = memoryFacts();
        const replica = probingReplica(place, { facts, transport: place.transport({ rules: [{ fault, nth }] }) });
        await replica.prepare({ readonly: false });
        // The longest question, a race, with what it needs; and what was made for it is removed.
        expect(replica.counters.requests).toBeLessThan(calm.counters.requests + 20);
        expect(keptDialect(facts)).toContain('"putReplace":"bare"');
        expect([place.s3.keys(place.bucket), place.s3.uploadIds(place.bucket)]).toEqual([[], []]);
      }
    },
  );

  it('does not trust a store that says no and acts all the same', async () => {
    const place = simulatedBucket();
    const facts = memoryFacts();
    const inner = place.transport();
    const send: S3Transport['send'] = async (request) => {
      const answer = await inner.send(request);
      if (answer.status !== 412 || request.method === 'GET') return answer;
      const isCondition = (name: string): boolean => /^(?:x-amz-copy-source-)?if-/.test(name);
      const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !isCondition(name)));
      await inner.send({ ...request, headers });
      return answer;
    };
    await probingReplica(place, { facts, transport: { send, close: () => inner.close() } }).prepare({
      readonly: false,
    });
    expect(trustedBy(JSON.parse(keptDialect(facts) ?? '{}') as Record<string, unknown>)).toEqual(['part digests']);
  });

  it('lets writers race, however few requests may be in flight', async () => {
    const place = simulatedBucket('seaweedfs-3.97');
    const facts = memoryFacts();
    await probingReplica(place, { facts, concurrency: 1 }).prepare({ readonly: false });
    expect(trustedBy(JSON.parse(keptDialect(facts) ?? '{}') as Record<string, unknown>)).toEqual(['part digests']);
  });

  it('takes no other host for AWS', async () => {
    const replica = probingReplica(simulatedBucket(), { endpoint: 'https://s3.amazonaws.com.evil.example' });
    await replica.prepare({ readonly: false });
    expect(replica.counters.requests).toBeGreaterThan(20);
  });

  it('says so, and takes the careful way, where it may not write', async () => {
    const place = simulatedBucket();
    const inner = place.transport();
    const replica = createS3Replica({
      transport: {
        async send(request) {
          if (request.method !== 'PUT' && request.method !== 'POST') return inner.send(request);
          const body = Buffer.from('<Error><Code>AccessDenied</Code><Message>no</Message></Error>');
          return {
            status: 403,
            headers: {},
            body: (async function* () {
              yield body;
            })(),
          };
        },
        close: () => inner.close(),
      },
      endpoint: 'x',
      bucket: place.bucket,
      uploads: memoryUploads(),
      facts: memoryFacts(),
      runtime: systemRuntime(),
      pathRules: 'linux',
    });
    const { conditionalWrite, remarks } = await replica.prepare({ readonly: false });
    expect(conditionalWrite).toBe('none');
    expect(remarks.join()).toContain('403 AccessDenied');
  });

  it.each(['slow-down', 'reset-after', 'reset-before', 'error-after'] as const)(
    'is not misled by a request that failed (%s)',
    async (fault) => {
      for (let nth = 1; nth <= 40; nth += 3) {
        const place = simulatedBucket('ceph-16');
        const facts = memoryFacts();
        const transport = place.transport({ rules: [{ fault, nth }] });
        await probingReplica(place, { facts, transport }).prepare({ readonly: false });
        const kept = keptDialect(facts);
        expect(kept).toContain('"putCreate":true,"putReplace":"bare","completeCreate":false,"completeReplace":"none"');
        expect(place.s3.keys(place.bucket)).toEqual([]);
      }
    },
  );

  // The one refuses parts of an upload that it does not know, the other that they be copied before it looks for the upload.
  it.each(['aws', 'r2'] as const)(
    'leaves no upload behind on %s whose name was damaged on its way, as what was said of it was',
    async (name) => {
      const begins = (await probedWith(() => undefined, name)).filter((asked) => asked === 'POST').length;
      expect(begins).toBeGreaterThan(5);
      for (let nth = 1; nth <= begins; nth++) {
        let begun = 0;
        await probedWith(({ method, query }, text) => {
          if (method === 'POST' && 'uploads' in query && ++begun === nth)
            return text.replace(/<UploadId>./, '<UploadId>#');
          return query['uploadId']?.startsWith('#') === true
            ? text.replace('NoSuchUpload', 'NoSuchUplo\ufffdd')
            : undefined;
        }, name);
      }
    },
  );

  /** Probes a store of which some answers arrive as others; answers the methods of all requests. */
  async function probedWith(
    damage: (request: S3Request, text: string) => string | undefined,
    name: DialectName,
  ): Promise<string[]> {
    const place = simulatedBucket(name);
    const inner = place.transport();
    const asked: string[] = [];
    const transport: S3Transport = {
      async send(request) {
        if (request.method !== 'POST' || 'uploads' in request.query) asked.push(request.method);
        const answer = await inner.send(request);
        const chunks: Uint8Array[] = [];
        for await (const chunk of answer.body) chunks.push(Buffer.from(chunk));
        const text = Buffer.concat(chunks).toString();
        return {
          ...answer,
          body: (async function* () {
            yield Buffer.from(damage(request, text) ?? text);
          })(),
        };
      },
      close: () => inner.close(),
    };
    await probingReplica(place, { transport }).prepare({ readonly: false });
    expect([place.s3.keys(place.bucket), await place.uploadIds()]).toEqual([[], []]);
    return asked;
  }

  it.each([
    ['one that says 500 to those who lose a race', 'aws', '"putCreate":true,"putReplace":"quoted"'],
    ['one that lets several through and says 500 to others', 'seaweedfs-3.97', '"putCreate":false,"putReplace":"none"'],
  ] as const)('judges a store by what stands after a race: %s', async (_, name, expected) => {
    const place = simulatedBucket(name);
    const inner = place.transport();
    const facts = memoryFacts();
    const writing = new Map<string | undefined, number>();
    const transport: S3Transport = {
      async send(request) {
        const { key, method } = request;
        const count = (change: number): number => {
          if (method === 'PUT') writing.set(key, (writing.get(key) ?? 0) + change);
          return writing.get(key) ?? 0;
        };
        const isRacer = method === 'PUT' && count(1) > 1;
        const answer = await inner.send(request).finally(() => count(-1));
        const lost = isRacer && (answer.status === 412 || name !== 'aws');
        return lost ? { ...answer, status: 500 } : answer;
      },
      close: () => inner.close(),
    };
    await probingReplica(place, { facts, transport }).prepare({ readonly: false });
    expect(keptDialect(facts)).toContain(expected);
    expect(place.s3.keys(place.bucket)).toEqual([]);
  });
});
