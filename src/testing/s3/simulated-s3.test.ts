import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Runtime } from '../../core/runtime.js';
import type { S3Request, S3Transport } from '../../replica/s3/transport.js';
import type { DialectName } from './dialects.js';
import { SimulatedS3, type SimulatedS3Options } from './simulated-s3.js';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** A runtime whose time stands still until it is told, and whose randomness comes from a seed. */
function seeded(seed: number): Runtime & { nowMs: number } {
  let state = seed;
  const next = (): number => (state = Math.imul(state, 48_271) & 0x7fffffff || 1) / 0x80000000;
  const runtime = {
    nowMs: 1_700_000_000_000,
    clock: {
      nowMs: () => runtime.nowMs,
      sleep: async (ms: number) => {
        await Promise.resolve();
        runtime.nowMs += ms;
      },
    },
    random: {
      next,
      id: (length: number) => Array.from({ length }, () => Math.floor(next() * 36).toString(36)).join(''),
    },
  };
  return runtime;
}

function open(options: SimulatedS3Options = {}): { s3: SimulatedS3; ask: typeof ask } {
  const s3 = new SimulatedS3({ runtime: seeded(7), ...options });
  s3.createBucket('bkt');
  const transport = s3.transport();
  const ask = (
    method: S3Request['method'],
    key: string | undefined,
    more: Partial<Omit<S3Request, 'body'>> & { body?: string | Uint8Array } = {},
  ): Promise<Answer> =>
    send(transport, {
      method,
      bucket: 'bkt',
      key,
      query: {},
      headers: {},
      ...more,
      body: Buffer.from(more.body ?? ''),
    });
  return { s3, ask };
}

async function send(transport: S3Transport, request: S3Request): Promise<Answer> {
  const { status, headers, body } = await transport.send(request);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return { status, headers, text: Buffer.concat(chunks).toString() };
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const keysOf = (xml: string): string[] => [...xml.matchAll(/<Key>(.*?)<\/Key>/g)].map((match) => match[1] ?? '');

describe('SimulatedS3', () => {
  const one = `"${md5('one')}"`;
  const other = `"${md5('other')}"`;
  // What AWS documents for conditional writes: what stands there, the condition, the answer, what stands there afterwards.
  it.each([
    ['PUT', 'one', { 'if-none-match': '*' }, 412, 'one'],
    ['PUT', undefined, { 'if-none-match': '*' }, 200, 'new'],
    ['PUT', 'one', { 'if-match': one }, 200, 'new'],
    ['PUT', 'one', { 'if-match': md5('one') }, 200, 'new'],
    ['PUT', 'one', { 'if-match': '*' }, 200, 'new'],
    ['PUT', 'one', { 'if-match': other }, 412, 'one'],
    ['PUT', undefined, { 'if-match': one }, 404, undefined],
    ['PUT', 'one', { 'if-none-match': one }, 501, 'one'],
    ['DELETE', 'one', { 'if-match': one }, 204, undefined],
    ['DELETE', 'one', { 'if-match': other }, 412, 'one'],
    ['DELETE', undefined, { 'if-match': one }, 404, undefined],
    ['DELETE', undefined, {}, 204, undefined],
  ] as const)('%s over %s with %o is answered %i', async (method, before, headers, status, after) => {
    const { s3, ask } = open();
    if (before !== undefined) await s3.put('bkt', 'k', before);
    expect((await ask(method, 'k', { headers, body: method === 'PUT' ? 'new' : '' })).status).toBe(status);
    const found = await s3.peek('bkt', 'k');
    expect(found === undefined ? undefined : Buffer.from(found.bytes).toString()).toBe(after);
  });

  it('lets exactly one of many conditional writes win', async () => {
    const { s3, ask } = open();
    const etag = await s3.put('bkt', 'k', 'base');
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => ask('PUT', 'k', { headers: { 'if-match': `"${etag}"` }, body: `w${i}` })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('refuses parameters it does not know instead of taking the request for the plain call', async () => {
    const { s3, ask } = open();
    await s3.put('bkt', 'k', 'kept');
    for (const name of ['acl', 'legal-hold', 'retention', 'unheard-of']) {
      const answer = await ask('PUT', 'k', { query: { [name]: '' }, body: 'overwritten?' });
      expect([answer.status, answer.text]).toEqual([501, expect.stringContaining('<Code>NotImplemented</Code>')]);
    }
    expect(Buffer.from((await s3.peek('bkt', 'k'))?.bytes ?? []).toString()).toBe('kept');
  });

  it('gives the same answers to the same requests with the same seed', async () => {
    const run = async (): Promise<unknown> => {
      const { ask, s3 } = open({ runtime: seeded(42) });
      s3.createBucket('bkt', 'Enabled');
      const answers = [];
      for (const key of ['b', 'a', 'a', 'c']) answers.push(await ask('PUT', key, { body: key }));
      answers.push(
        await ask('POST', 'm', { query: { uploads: '' } }),
        await ask('DELETE', 'a'),
        await ask('GET', undefined, { query: { versions: '' } }),
      );
      return answers;
    };
    expect(await run()).toEqual(await run());
  });

  it('lists any keys in pages of any size as a plain sort would', async () => {
    const key = fc.string({
      unit: fc.constantFrom('a', 'b', '/', '.', 'é', '\uff61', '\u{1f600}'),
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { maxLength: 40 }),
        key,
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 7 }),
        async (keys, prefix, usesPrefix, usesDelimiter, most) => {
          const { s3, ask } = open();
          for (const each of keys) await s3.put('bkt', each, each);
          const asked = { ...(usesPrefix ? { prefix } : {}), ...(usesDelimiter ? { delimiter: '/' } : {}) };
          const start = usesPrefix ? prefix : '';
          const expected = new Set<string>();
          for (const each of keys
            .filter((k) => k.startsWith(start))
            .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
            const end = usesDelimiter ? each.indexOf('/', start.length) : -1;
            expected.add(end === -1 ? `k ${each}` : `p ${each.slice(0, end + 1)}`);
          }
          const seen: string[] = [];
          let token: string | undefined;
          do {
            const query = {
              'list-type': '2',
              'max-keys': String(most),
              ...asked,
              ...(token === undefined ? {} : { 'continuation-token': token }),
            };
            const { text } = await ask('GET', undefined, { query });
            const page = [...text.matchAll(/<Contents><Key>(.*?)<\/Key>|<CommonPrefixes><Prefix>(.*?)<\/Prefix>/g)].map(
              (m) => (m[1] === undefined ? `p ${m[2]}` : `k ${m[1]}`),
            );
            expect(page.length).toBeLessThanOrEqual(most);
            seen.push(...page);
            token = /<NextContinuationToken>(.*?)</.exec(text)?.[1];
            expect(text.includes('<IsTruncated>true')).toBe(token !== undefined);
          } while (token !== undefined);
          expect([...seen].sort()).toEqual([...expected].sort());
          expect(seen.filter((each) => each.startsWith('k'))).toEqual(
            [...expected].filter((each) => each.startsWith('k')),
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  it('keeps the bytes of a copy when its source goes, and of a part when the upload goes', async () => {
    const { s3, ask } = open();
    await s3.put('bkt', 'src', 'shared bytes');
    await ask('PUT', 'copy', { headers: { 'x-amz-copy-source': '/bkt/src' } });
    await s3.remove('bkt', 'src');
    expect((await ask('GET', 'copy')).text).toBe('shared bytes');
    const uploadId = /<UploadId>(.*?)</.exec((await ask('POST', 'mp', { query: { uploads: '' } })).text)?.[1] ?? '';
    await ask('PUT', 'mp', {
      query: { uploadId, partNumber: '1' },
      headers: { 'x-amz-copy-source': '/bkt/copy', 'x-amz-copy-source-range': 'bytes=0-5' },
    });
    await s3.remove('bkt', 'copy');
    const list = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${md5('shared')}</ETag></Part></CompleteMultipartUpload>`;
    expect((await ask('POST', 'mp', { query: { uploadId }, body: list })).status).toBe(200);
    expect((await ask('GET', 'mp')).text).toBe('shared');
    expect(s3.uploadIds('bkt')).toEqual([]);
  });

  it('escapes what a key brings into its documents', async () => {
    const { s3, ask } = open();
    await s3.put('bkt', '</Key>&"<x>\u0001\r', 'x');
    expect(keysOf((await ask('GET', undefined, { query: { 'list-type': '2' } })).text)).toEqual([
      '&lt;/Key&gt;&amp;&quot;&lt;x&gt;&#x1;&#xD;',
    ]);
  });

  it('refuses documents with a DTD, endless depth or an unknown entity', async () => {
    const { ask } = open();
    for (const body of [
      '<!DOCTYPE a [<!ENTITY b "c">]><Delete/>',
      '<a>'.repeat(50),
      '<Delete>&b;</Delete>',
      '<Delete><Object></Delete>',
      '',
    ]) {
      const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
      expect((await ask('POST', undefined, { query: { delete: '' }, headers, body })).text).toContain(
        '<Code>MalformedXML</Code>',
      );
    }
  });

  it('counts requests by operation and bytes', async () => {
    const { s3, ask } = open();
    await ask('PUT', 'k', { body: '12345' });
    await ask('GET', 'k');
    await ask('GET', 'none');
    expect(s3.counter).toMatchObject({
      requests: 3,
      bytesIn: 5,
      byOperation: { PutObject: 1, GetObject: 2 },
      byStatus: { 200: 2, 404: 1 },
    });
  });

  it('hands out copies: what a receiver does with its bytes changes no object', async () => {
    const { s3 } = open();
    await s3.put('bkt', 'k', 'safe');
    const { body } = await s3.transport().send({ method: 'GET', bucket: 'bkt', key: 'k', query: {}, headers: {} });
    for await (const chunk of body) chunk.fill(0);
    expect(Buffer.from((await s3.peek('bkt', 'k'))?.bytes ?? []).toString()).toBe('safe');
  });

  it('answers what nobody asked for in other dialects', async () => {
    const lost = async (dialect: DialectName): Promise<number> => {
      const { ask, s3 } = open({ dialect });
      await s3.put('bkt', 'k', 'v');
      return (await ask('PUT', 'k', { headers: { 'if-none-match': '*' }, body: 'w' })).status;
    };
    expect(
      await Promise.all(
        (['aws', 'garage-1.2', 'oss', 'minio-2024-03', 'conditions-409', 'conditions-400'] as const).map(lost),
      ),
    ).toEqual([412, 200, 501, 304, 409, 400]);
  });
});
