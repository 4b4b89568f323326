import { describe, expect, it } from 'vitest';
import { type DialectName, DIALECTS } from './dialects.js';
import { SimulatedS3 } from './simulated-s3.js';

type Query = Readonly<Record<string, string>>;

/** Asks a service of this dialect everything that dialects differ in, and answers what was seen. */
async function portrait(dialect: DialectName): Promise<Record<string, unknown>> {
  const s3 = new SimulatedS3({ dialect });
  s3.createBucket('bkt');
  const transport = s3.transport();
  const ask = async (
    method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE',
    key: string | undefined,
    query: Query = {},
    headers: Query = {},
    body = '',
  ): Promise<readonly [number, string, Query]> => {
    const answer = await transport.send({ method, bucket: 'bkt', key, query, headers, body: Buffer.from(body) });
    const chunks: Uint8Array[] = [];
    for await (const chunk of answer.body) chunks.push(Buffer.from(chunk));
    return [answer.status, Buffer.concat(chunks).toString(), answer.headers];
  };
  const seen: Record<string, unknown> = {};
  const etag = await s3.put('bkt', 'k', 'v');
  for (const [name, value] of Object.entries({ stale: `"${'0'.repeat(32)}"`, right: `"${etag}"`, bare: etag }))
    seen[`put ${name}`] = (await ask('PUT', 'k', {}, { 'if-match': value }, 'v'))[0];
  seen['create'] = (await ask('PUT', 'k', {}, { 'if-none-match': '*' }, 'v'))[0];
  seen['missing'] = (await ask('PUT', 'none', {}, { 'if-match': `"${etag}"` }, 'v'))[0];
  const race = await Promise.all([1, 2, 3].map((n) => ask('PUT', 'race', {}, { 'if-none-match': '*' }, `r${n}`)));
  seen['winners'] = race.filter(([status]) => status === 200).length;
  seen['copy'] = (await ask('PUT', 'k', {}, { 'if-none-match': '*', 'x-amz-copy-source': '/bkt/race' }))[0];
  const create = async (): Promise<string> =>
    /<UploadId>(.*?)</.exec((await ask('POST', 'mp', { uploads: '' }))[1])?.[1] ?? '';
  const complete = async (headers: Query): Promise<readonly [number, string]> => {
    const uploadId = await create();
    const part = await ask('PUT', 'mp', { uploadId, partNumber: '1' }, {}, 'part');
    const [status, text] = await ask(
      'POST',
      'mp',
      { uploadId },
      headers,
      `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part[2]['etag']}</ETag></Part></CompleteMultipartUpload>`,
    );
    return [status, /<ETag>(.*?)<\/ETag>/.exec(text)?.[1] ?? '-'];
  };
  const [, completed] = await complete({});
  seen['complete etag'] = completed === '' ? 'empty' : completed.endsWith('-1&quot;') ? 'parts' : 'other';
  seen['complete'] = (await complete({ 'if-none-match': '*' }))[0];
  seen['part copy'] = (
    await ask(
      'PUT',
      'mp',
      { uploadId: await create(), partNumber: '1' },
      { 'x-amz-copy-source': '/bkt/k', 'x-amz-copy-source-if-match': 'x' },
    )
  )[0];
  seen['etag'] = (await s3.put('bkt', 'md5', '')) === 'd41d8cd98f00b204e9800998ecf8427e';
  seen['checksum'] = (await ask('PUT', 'sum', {}, { 'x-amz-checksum-crc32': 'AAAAAA==' }, 'not that'))[0];
  seen['md5'] = (await ask('PUT', 'sum', {}, { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' }, 'not that'))[0];
  seen['attributes'] = (await ask('GET', 'k', { attributes: '' }, { 'x-amz-object-attributes': 'ETag' }))[0];
  seen['tagging'] = (await ask('GET', 'k', { tagging: '' }))[0];
  seen['versioning'] = (await ask('GET', undefined, { versioning: '' }))[0];
  seen['batch'] = (
    await ask('POST', undefined, { delete: '' }, { 'x-amz-checksum-crc32': 'qtLSIQ==' }, '<Delete/>')
  )[0];
  await ask('PUT', 'meta', {}, { 'x-amz-meta-a': 'b' }, '0123456789');
  const [ranged, , head] = await ask('GET', 'meta', {}, { range: 'bytes=1-2', 'if-none-match': 'x' });
  Object.assign(seen, { ranged, meta: head['x-amz-meta-a'], date: head['date'] !== undefined });
  for (const key of ['p/a b', 'p/c', 'p/\u{1f600}', 'p/\uff61', 'q']) await s3.put('bkt', key, 'x');
  const pages: string[] = [];
  let token: string | undefined;
  do {
    const [, text] = await ask('GET', undefined, {
      'list-type': '2',
      prefix: 'p/',
      'max-keys': '1',
      'encoding-type': 'url',
      ...(token === undefined ? {} : { 'continuation-token': token }),
    });
    pages.push(
      [...text.matchAll(/<Key>(.*?)<\/Key>/g)].map((match) => match[1]).join(' ') +
        (text.includes('<IsTruncated>true') ? ' …' : ''),
    );
    token = /<NextContinuationToken>(.*?)</.exec(text)?.[1];
  } while (token !== undefined && pages.length < 6);
  seen['pages'] = pages;
  seen['start-after'] = /<Key>(.*?)</.exec(
    (await ask('GET', undefined, { 'list-type': '2', 'start-after': 'p/c', 'max-keys': '1' }))[1],
  )?.[1];
  seen['max'] = /<MaxKeys>(.*?)</.exec((await ask('GET', undefined, { 'list-type': '2' }))[1])?.[1];
  seen['delete'] = (await ask('DELETE', 'k', {}, { 'if-match': `"${'0'.repeat(32)}"` }))[0];
  return seen;
}

const names = Object.keys(DIALECTS) as DialectName[];

describe('dialects', () => {
  it('are at least twenty besides the documented one, each with its source', () => {
    expect(names.length).toBeGreaterThan(20);
    for (const name of names)
      expect(DIALECTS[name]).toMatchObject({ name, note: expect.stringMatching(/\S{3,}.*\.$/) });
  });

  it('show what AWS documents when asked in the first one', async () => {
    expect(await portrait('aws')).toMatchObject({
      'put stale': 412,
      'put right': 200,
      'put bare': 200,
      create: 412,
      missing: 404,
      winners: 1,
      copy: 412,
      'complete etag': 'parts',
      complete: 412,
      'part copy': 412,
      etag: true,
      checksum: 400,
      md5: 400,
      attributes: 200,
      tagging: 200,
      versioning: 200,
      ranged: 206,
      meta: 'b',
      date: true,
      pages: ['p/a+b …', 'p/c …', 'p/%EF%BD%A1 …', 'p/%F0%9F%98%80'],
      max: '1000',
      delete: 412,
    });
  });

  it('differ from AWS in what a client sees, every one', async () => {
    const aws = JSON.stringify(await portrait('aws'));
    for (const name of names)
      if (name !== 'aws') expect([name, JSON.stringify(await portrait(name))]).not.toEqual([name, aws]);
  });
});
