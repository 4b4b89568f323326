import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { badDay, type FaultPlan } from './faults.js';
import { SimulatedS3 } from './simulated-s3.js';

async function open(faults: FaultPlan): Promise<{
  s3: SimulatedS3;
  get: () => Promise<string>;
  put: (text: string) => Promise<string>;
  list: () => Promise<string>;
}> {
  const s3 = new SimulatedS3();
  s3.createBucket('bkt');
  await s3.put('bkt', 'k', 'content');
  const transport = s3.transport({ faults });
  const ask = async (
    method: 'GET' | 'PUT',
    key: string | undefined,
    query: Record<string, string>,
    body = '',
  ): Promise<string> => {
    try {
      const answer = await transport.send({ method, bucket: 'bkt', key, query, headers: {}, body: Buffer.from(body) });
      let text = '';
      for await (const chunk of answer.body) text += Buffer.from(chunk).toString('latin1');
      return answer.status === 200 ? text : String(answer.status);
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : 'thrown';
    }
  };
  return {
    s3,
    get: () => ask('GET', 'k', {}),
    put: (text) => ask('PUT', 'k', {}, text),
    list: () => ask('GET', undefined, { 'list-type': '2' }),
  };
}

const current = async (s3: SimulatedS3): Promise<string> =>
  Buffer.from((await s3.peek('bkt', 'k'))?.bytes ?? []).toString();

describe('withFaults', () => {
  it.each([
    ['slow-down', '503', 'content'],
    ['too-many-requests', '429', 'content'],
    ['internal-error', '500', 'content'],
    ['reset-before', 'ECONNRESET', 'content'],
    ['reset-after', 'ECONNRESET', 'new'],
    ['error-after', '500', 'new'],
  ] as const)('%s on a PUT is answered %s and leaves %s', async (fault, answer, after) => {
    const { s3, put } = await open({ rules: [{ fault, operation: 'PutObject' }] });
    expect([await put('new'), await current(s3)]).toEqual([answer, after]);
  });

  it('breaks a body short, and flips exactly one bit', async () => {
    expect(await (await open({ rules: [{ fault: 'short-body' }] })).get()).toBe('ECONNRESET');
    const { get, s3 } = await open({ rules: [{ fault: 'bit-flip' }] });
    const flipped = Buffer.from(await get(), 'latin1');
    const bits = [...Buffer.from('content')]
      .map((byte, i) => byte ^ (flipped[i] ?? 0))
      .filter((difference) => difference !== 0);
    expect(bits).toHaveLength(1);
    expect([1, 2, 4, 8, 16, 32, 64, 128]).toContain(bits[0]);
    expect(await current(s3)).toBe('content');
  });

  it('answers a LIST with an earlier page', async () => {
    const { list, s3 } = await open({ rules: [{ fault: 'stale-list', nth: 2 }] });
    const before = await list();
    await s3.put('bkt', 'l', 'later');
    expect(await list()).toBe(before);
    expect(await list()).toContain('<Key>l</Key>');
  });

  it('follows a script: the third PUT of one key, once', async () => {
    const { put } = await open({ rules: [{ fault: 'slow-down', operation: 'PutObject', key: /^k$/, nth: 3 }] });
    expect(await Promise.all(['1', '2', '3', '4'].map(put))).toEqual(['', '', '503', '']);
  });

  it('damages a body on its way, so that only its digest can tell', async () => {
    const s3 = new SimulatedS3();
    s3.createBucket('b');
    const transport = s3.transport({ faults: { rules: [{ fault: 'damaged-body' }] } });
    const put = async (headers: Readonly<Record<string, string>>): Promise<number> =>
      (await transport.send({ method: 'PUT', bucket: 'b', key: 'k', query: {}, headers, body: Buffer.from('text') }))
        .status;
    expect(await put({ 'content-md5': createHash('md5').update('text').digest('base64') })).toBe(400);
    expect(await put({ 'x-amz-content-sha256': createHash('sha256').update('text').digest('hex') })).toBe(400);
    expect(s3.keys('b')).toEqual([]);
    expect(await put({})).toBe(200);
    expect(Buffer.from((await s3.peek('b', 'k'))?.bytes ?? []).toString()).toBe('text');
  });

  it('happens as often as its probability says, and spreads a bad day over all faults', async () => {
    const seen: Record<string, number> = {};
    const { get } = await open({ rules: badDay(0.5), onFault: (fault) => (seen[fault] = (seen[fault] ?? 0) + 1) });
    for (let i = 0; i < 2000; i++) await get();
    const total = Object.values(seen).reduce((sum, count) => sum + count, 0);
    expect(Object.keys(seen)).toHaveLength(9);
    expect(total).toBeGreaterThan(700);
    expect(total).toBeLessThan(1100);
  });
});
