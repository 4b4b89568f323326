import { describe, expect, it } from 'vitest';
import type { Runtime } from '../../../core/runtime.js';
import { S3ConnectionError } from '../../../errors.js';
import type { S3Request, S3Response, S3Transport } from '../transport.js';
import { withAdaptiveLimit } from './adaptive-limit.js';
import { createBackoff } from '../../wrap/backoff.js';
import { withBandwidth } from './bandwidth.js';
import { createByteBudget } from '../../wrap/byte-budget.js';
import { discard } from './discard.js';
import { withRetry } from './retry.js';
import { operationOf, withTrace, type RequestEvent } from './trace.js';
import { readBody } from '../read-body.js';
import { WholeBody } from '../whole-body.js';

/** A clock that jumps over every sleep, and remembers how long they were. */
function virtualRuntime(next = 1): Runtime & { readonly slept: number[] } {
  const slept: number[] = [];
  let nowMs = 0;
  return {
    slept,
    clock: {
      nowMs: () => nowMs,
      async sleep(durationMs, signal) {
        signal?.throwIfAborted();
        slept.push(durationMs);
        nowMs += durationMs;
      },
    },
    random: { next: () => next, id: (length) => '0'.repeat(length) },
  };
}

const answer = (status: number, text = '', headers: Record<string, string> = {}): S3Response => ({
  status,
  headers,
  body: (async function* () {
    if (text !== '') yield Buffer.from(text);
  })(),
});

function scripted(steps: readonly (() => S3Response)[]): S3Transport & { readonly sent: S3Request[] } {
  const sent: S3Request[] = [];
  return {
    sent,
    async send(request) {
      sent.push(request);
      const step = steps[Math.min(sent.length, steps.length) - 1];
      if (step === undefined) throw new Error('nothing is scripted');
      return step();
    },
    async close() {},
  };
}

const request = (more: Partial<S3Request> = {}): S3Request => ({
  method: 'GET',
  bucket: 'b',
  key: 'k',
  query: {},
  headers: {},
  ...more,
});
const lost = (): never => {
  throw new S3ConnectionError('ERR_S3_CONNECTION_LOST', 'lost', { retryable: true });
};

describe('withRetry', () => {
  it.each([
    ['GET', request()],
    ['HEAD', request({ method: 'HEAD' })],
    ['a part', request({ method: 'PUT', query: { uploadId: 'u', partNumber: '1' } })],
    ['an abort', request({ method: 'DELETE', query: { uploadId: 'u' } })],
  ])('sends %s again', async (_what, what) => {
    const runtime = virtualRuntime();
    const inner = scripted([lost, () => answer(503), () => answer(200)]);
    expect((await withRetry(inner, createBackoff(runtime)).send(what)).status).toBe(200);
    expect(inner.sent.length).toBe(3);
    expect(runtime.slept).toEqual([100, 200]);
  });

  it('tells before each further try, and not before the first', async () => {
    const told: number[] = [];
    const inner = scripted([lost, () => answer(503), () => answer(200)]);
    const part = request({ method: 'PUT', query: { uploadId: 'u' }, onResend: () => told.push(inner.sent.length) });
    await withRetry(inner, createBackoff(virtualRuntime())).send(part);
    expect(told).toEqual([1, 2]);
  });

  it.each([
    ['PUT', request({ method: 'PUT' })],
    ['a copy', request({ method: 'PUT', headers: { 'x-amz-copy-source': '/b/k' } })],
    ['DELETE', request({ method: 'DELETE' })],
    ['Complete', request({ method: 'POST', query: { uploadId: 'u' } })],
    ['the beginning of an upload', request({ method: 'POST', query: { uploads: '' } })],
  ])('never sends %s again by itself', async (_what, what) => {
    const inner = scripted([lost, () => answer(200)]);
    await expect(withRetry(inner, createBackoff(virtualRuntime())).send(what)).rejects.toMatchObject({
      code: 'ERR_S3_CONNECTION_LOST',
    });
    const refused = scripted([() => answer(503), () => answer(200)]);
    expect((await withRetry(refused, createBackoff(virtualRuntime())).send(what)).status).toBe(503);
    expect([inner.sent.length, refused.sent.length]).toEqual([1, 1]);
  });

  it('gives up after so many tries, and does not try at all what no retry helps', async () => {
    const inner = scripted([() => answer(500)]);
    expect((await withRetry(inner, createBackoff(virtualRuntime(), { attempts: 4 })).send(request())).status).toBe(500);
    expect(inner.sent.length).toBe(4);
    const wrong = scripted([
      () => {
        throw new S3ConnectionError('ERR_S3_TLS', 'no');
      },
    ]);
    await expect(withRetry(wrong, createBackoff(virtualRuntime())).send(request())).rejects.toMatchObject({
      code: 'ERR_S3_TLS',
    });
    expect(wrong.sent.length).toBe(1);
  });

  it('waits as long as the service asks, up to 30 seconds', async () => {
    const runtime = virtualRuntime(0);
    const inner = scripted([
      () => answer(503, '', { 'retry-after': '7' }),
      () => answer(429, '', { 'retry-after': '9999' }),
      () => answer(200),
    ]);
    await withRetry(inner, createBackoff(runtime)).send(request());
    expect(runtime.slept).toEqual([7000, 30_000]);
  });

  it('spreads its waits over the whole time, and grows them up to a bound', async () => {
    const runtime = virtualRuntime(0.5);
    const backoff = createBackoff(runtime, { baseMs: 100, capMs: 1000 });
    for (let attempt = 1; attempt <= 6; attempt++) await backoff.wait(attempt, undefined);
    expect(runtime.slept).toEqual([50, 100, 200, 400, 500, 500]);
  });
});

describe('withAdaptiveLimit', () => {
  it('lets no more through than the bound, in order, until a body has ended', async () => {
    const inner = scripted([() => answer(200, 'x')]);
    const limited = withAdaptiveLimit(inner, 2);
    const first = await limited.send(request({ key: '1' }));
    await limited.send(request({ key: '2' }));
    const waiting = [limited.send(request({ key: '3' })), limited.send(request({ key: '4' }))];
    await Promise.resolve();
    expect(inner.sent.map(({ key }) => key)).toEqual(['1', '2']);
    await discard(first);
    await discard(await (waiting[0] as Promise<S3Response>));
    await waiting[1];
    expect(inner.sent.map(({ key }) => key)).toEqual(['1', '2', '3', '4']);
  });

  it('halves when it is throttled, once for all that was under way, and grows by one', async () => {
    let status = 503;
    const limited = withAdaptiveLimit(scripted([() => answer(status)]), 32);
    await Promise.all(Array.from({ length: 32 }, async () => discard(await limited.send(request()))));
    expect(limited.limit).toBe(16);
    status = 200;
    for (let i = 0; i < 16; i++) await discard(await limited.send(request()));
    expect(limited.limit).toBe(17);
    for (let i = 0; i < 5000; i++) await discard(await limited.send(request()));
    expect(limited.limit).toBe(32);
  });

  it('never falls below one, and gives the place back when no answer comes', async () => {
    const limited = withAdaptiveLimit(scripted([lost]), 4);
    for (let i = 0; i < 20; i++) await expect(limited.send(request())).rejects.toThrow();
    expect(limited.limit).toBe(1);
    await expect(limited.send(request())).rejects.toThrow('lost');
  });

  it('lets go of who waits when told to', async () => {
    const limited = withAdaptiveLimit(scripted([() => answer(200, 'x')]), 1);
    const first = await limited.send(request());
    const controller = new AbortController();
    const waiting = limited.send(request({ signal: controller.signal }));
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await discard(first);
    await discard(await limited.send(request()));
  });
});

describe('a body that has come to its end already', () => {
  const whole = (): S3Response => ({ ...answer(200), body: new WholeBody(Buffer.from('four')) });

  it('is counted at once, holds no place in flight, and is handed on as it is', async () => {
    const events: RequestEvent[] = [];
    const { clock } = virtualRuntime();
    const traced = withTrace(scripted([whole]), { clock, onRequest: (event) => events.push(event) });
    const limited = withAdaptiveLimit(traced, 1);
    const answers = [await limited.send(request()), await limited.send(request())];
    expect(traced.counters.receivedBytes).toBe(8);
    expect(events.map(({ receivedBytes }) => receivedBytes)).toEqual([4, 4]);
    for (const { body } of answers) expect(body).toBeInstanceOf(WholeBody);
    for (const each of answers) await discard(each);
    expect(answers[0]?.body).toHaveLength(4);
  });

  it('is read where its bytes have to wait for their time on a line', async () => {
    const runtime = virtualRuntime();
    const paced = withBandwidth(scripted([whole]), runtime.clock, 10);
    const received = await readBody(await paced.send(request()), 4);
    expect([Buffer.from(received).toString(), runtime.slept]).toEqual(['four', [400]]);
  });
});

describe('withBandwidth', () => {
  /** A store on the other end of a wire that takes no time: counts what passes, and when. */
  function meteredStore(clock: Runtime['clock']): S3Transport & { readonly passed: (readonly [number, number])[] } {
    const passed: (readonly [number, number])[] = [];
    return {
      passed,
      async send({ method, body, pace, headers }) {
        for (let at = 0; at < (body?.length ?? 0); at += pace?.pieceBytes ?? Infinity) {
          const bytes = Math.min(pace?.pieceBytes ?? Infinity, (body?.length ?? 0) - at);
          await pace?.wait(bytes);
          passed.push([clock.nowMs(), bytes]);
        }
        const [, from, to] = /bytes=(\d+)-(\d+)/.exec(headers['range'] ?? '') ?? [];
        const length = from === undefined ? (method === 'GET' ? 3000 : 0) : Number(to) - Number(from) + 1;
        if (length > 0) passed.push([clock.nowMs(), length]);
        return answer(200, 'x'.repeat(length));
      },
      async close() {},
    };
  }

  /** Time that goes on to the earliest sleeper once nobody has anything else to do. */
  function sharedClock(): Runtime['clock'] {
    let nowMs = 0;
    const sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];
    const next = (): void => {
      const earliest = sleepers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (earliest === undefined) return;
      sleepers.splice(sleepers.indexOf(earliest), 1);
      nowMs = Math.max(nowMs, earliest.atMs);
      earliest.wake();
    };
    return {
      nowMs: () => nowMs,
      sleep: (durationMs) =>
        new Promise((resolve) => {
          sleepers.push({ atMs: nowMs + durationMs, wake: resolve });
          setImmediate(next);
        }),
    };
  }

  const put = (bytes: number): S3Request => request({ method: 'PUT', body: new Uint8Array(bytes) });
  const get = (bytes: number): S3Request => request({ headers: { range: `bytes=0-${bytes - 1}` } });
  const RATE = 100_000;

  it.each<[string, number, (number: number) => S3Request]>([
    ['one large body up', 1, () => put(1_000_000)],
    ['many small bodies up', 1000, () => put(1000)],
    ['bodies of all sizes up', 100, (number) => put(200 * number)],
    ['ranges down', 40, () => get(RATE / 4)],
    ['many small ranges down', 1000, () => get(1000)],
    ['listings down', 300, () => request()],
  ])('keeps the rate to a twentieth for %s (%d), 16 at once, and lets no burst pass', async (_what, count, make) => {
    const clock = sharedClock();
    const store = meteredStore(clock);
    const limited = withBandwidth(store, clock, RATE);
    let next = 0;
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        while (next < count) await discard(await limited.send(make(next++)));
      }),
    );
    const bytes = store.passed.reduce((sum, [, passed]) => sum + passed, 0);
    const rate = bytes / (clock.nowMs() / 1000);
    expect(rate).toBeGreaterThan(RATE * 0.95);
    expect(rate).toBeLessThan(RATE * 1.05);
    for (const [fromMs] of store.passed) {
      const within = store.passed.filter(([atMs]) => atMs >= fromMs && atMs < fromMs + 1000);
      expect(within.reduce((sum, [, passed]) => sum + passed, 0)).toBeLessThan(RATE * 1.6);
    }
  });

  it('bounds each direction for itself', async () => {
    const clock = sharedClock();
    const limited = withBandwidth(meteredStore(clock), clock, RATE);
    await Promise.all([put(500_000), get(500_000)].map(async (each) => discard(await limited.send(each))));
    expect(clock.nowMs()).toBeGreaterThan(4750);
    expect(clock.nowMs()).toBeLessThan(5250);
  });

  it('does not stand still when the clock is set back', async () => {
    const runtime = virtualRuntime();
    let offsetMs = 0;
    const clock = { ...runtime.clock, nowMs: () => runtime.clock.nowMs() + offsetMs };
    const limited = withBandwidth(meteredStore(clock), clock, RATE);
    await discard(await limited.send(put(RATE)));
    offsetMs = -3_600_000;
    await discard(await limited.send(put(RATE)));
    expect(runtime.slept.reduce((sum, each) => sum + each, 0)).toBeLessThan(2100);
  });

  it('saves up nothing while the line stands idle', async () => {
    const clock = sharedClock();
    const limited = withBandwidth(meteredStore(clock), clock, RATE);
    await clock.sleep(60_000);
    const beganMs = clock.nowMs();
    await discard(await limited.send(put(RATE)));
    expect(clock.nowMs() - beganMs).toBeGreaterThan(940);
  });
});

describe('withTrace', () => {
  it('counts each request by its operation, and bytes in both directions', async () => {
    const events: RequestEvent[] = [];
    const traced = withTrace(scripted([() => answer(200, 'four'), lost]), {
      clock: virtualRuntime().clock,
      onRequest: (event) => events.push(event),
    });
    await discard(await traced.send(request({ method: 'PUT', body: new Uint8Array(3) })));
    await expect(traced.send(request())).rejects.toThrow();
    expect(traced.counters).toEqual({
      requests: 2,
      sentBytes: 3,
      receivedBytes: 4,
      byOperation: { PutObject: 1, GetObject: 1 },
    });
    expect(events).toMatchObject([
      { operation: 'PutObject', status: 200, sentBytes: 3, receivedBytes: 4 },
      { operation: 'GetObject', status: undefined },
    ]);
  });

  it('knows the operations apart', () => {
    const copy = { 'x-amz-copy-source': '/b/k' };
    const upload = { uploadId: 'u' };
    const named = [
      request({ key: undefined }),
      request({ key: undefined, method: 'HEAD' }),
      request({ query: upload }),
      request({ method: 'HEAD' }),
      request({ method: 'POST', query: { uploads: '' } }),
      request({ method: 'POST', query: upload }),
      request({ method: 'DELETE' }),
      request({ method: 'DELETE', query: upload }),
      request({ method: 'PUT', headers: copy }),
      request({ method: 'PUT', query: upload }),
      request({ method: 'PUT', query: upload, headers: copy }),
    ].map(operationOf);
    expect(named).toEqual([
      'ListObjectsV2',
      'HeadBucket',
      'ListParts',
      'HeadObject',
      'CreateMultipartUpload',
      'CompleteMultipartUpload',
      'DeleteObject',
      'AbortMultipartUpload',
      'CopyObject',
      'UploadPart',
      'UploadPartCopy',
    ]);
  });
});

describe('createByteBudget', () => {
  it('serves in order, so that who wants much is not passed over for ever', async () => {
    const budget = createByteBudget(10);
    const order: string[] = [];
    const first = await budget.take(6);
    const large = Promise.resolve(budget.take(8)).then((release) => (order.push('large'), release));
    const small = Promise.resolve(budget.take(2)).then((release) => (order.push('small'), release));
    await Promise.resolve();
    expect(order).toEqual([]);
    first();
    first();
    await Promise.all([large, small]);
    expect(order).toEqual(['large', 'small']);
  });

  it('gives all of it to what is larger than all of it', async () => {
    const budget = createByteBudget(10);
    (await budget.take(1000))();
    (await budget.take(10))();
  });

  it('lets go of who waits when told to, and serves the next', async () => {
    const budget = createByteBudget(10);
    const first = await budget.take(5);
    const controller = new AbortController();
    const waiting = budget.take(10, controller.signal);
    const next = budget.take(5);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    (await next)();
    first();
  });
});
