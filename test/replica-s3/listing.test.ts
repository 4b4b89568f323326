import { describe, expect, it } from 'vitest';
import type { S3Replica, S3Transport } from '../../src/replica/s3/index.js';
import type { DialectName } from '../../src/testing/s3/index.js';
import { replicaOn, simulatedBucket } from './bucket-under-test.js';

const EVERYTHING = { includesFile: () => true, mayContain: () => true };

async function scan(replica: S3Replica) {
  const paths: string[] = [];
  const problems: [string, string, string][] = [];
  for await (const page of replica.scan({ filter: EVERYTHING })) {
    paths.push(...page.entries.map(({ path }) => path));
    problems.push(...page.problems.map(({ path, code, severity }): [string, string, string] => [path, code, severity]));
  }
  return { paths, problems };
}

const PAGE = '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>';
const listed = (key: string): string =>
  `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00Z</LastModified><ETag>"e"</ETag><Size>1</Size></Contents>`;
const page = (keys: readonly string[], end: string): string =>
  `<ListBucketResult><EncodingType>url</EncodingType>${keys.map(listed).join('')}${end}</ListBucketResult>`;
const MORE = (token: string): string =>
  `<IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>`;
const LAST = '<IsTruncated>false</IsTruncated>';

/** A service that answers LIST with these documents, in turn, and the last one for ever. */
function answering(documents: readonly string[], prefix = ''): S3Replica {
  let asked = 0;
  const transport: S3Transport = {
    async send() {
      const text = documents[Math.min(asked++, documents.length - 1)] ?? PAGE;
      return {
        status: 200,
        headers: { 'content-type': 'application/xml' },
        body: (async function* () {
          yield Buffer.from(text);
        })(),
      };
    },
    async close() {},
  };
  return replicaOn(simulatedBucket(), { prefix, transport });
}

describe('scan', () => {
  it.each<DialectName>([
    'list-no-token',
    'list-same-token',
    'list-utf16',
    'list-unsorted',
    'list-foreign-keys',
    'list-boundary-twice',
    'list-v1',
  ])('does not trust a listing that contradicts itself (%s)', async (dialect) => {
    const place = simulatedBucket(dialect);
    for (let i = 0; i < 2100; i++) await place.put(`p/${i}`, '');
    for (const key of ['p/\uFF61', 'p/\u{1F600}', 'other', 'zzz']) await place.put(key, '');
    await expect(scan(replicaOn(place, { prefix: 'p' }))).rejects.toMatchObject({
      code: 'ERR_S3_LISTING',
      name: 'HaltError',
    });
  });

  it.each([
    ['keys out of order', [page(['b', 'a'], LAST)]],
    ['a key twice', [page(['a', 'a'], LAST)]],
    ['keys out of order across pages', [page(['b'], MORE('1')), page(['a'], LAST)]],
    ['a page that leads to itself', [page(['a'], MORE('1')), page(['b'], MORE('1'))]],
    ['more without saying where', [page(['a'], '<IsTruncated>true</IsTruncated>')]],
    ['fewer keys than were counted', [page(['a'], `${LAST}<KeyCount>2</KeyCount>`)]],
    [
      'empty pages without end',
      [page([], MORE('1')), ...Array.from({ length: 300 }, (_, i) => page([], MORE(`${i + 2}`)))],
    ],
  ])('does not trust %s', async (_what, documents) => {
    await expect(scan(answering(documents))).rejects.toMatchObject({ code: 'ERR_S3_LISTING' });
  });

  it('does not trust keys outside the prefix', async () => {
    await expect(scan(answering([page(['p/a', 'q/b'], LAST)], 'p'))).rejects.toMatchObject({ code: 'ERR_S3_LISTING' });
  });

  it('takes a document that is cut short for no listing', async () => {
    await expect(scan(answering([page(['a'], LAST).slice(0, -10)]))).rejects.toMatchObject({
      code: 'ERR_S3_BAD_ANSWER',
    });
  });

  it('takes a web page for no listing', async () => {
    await expect(scan(answering(['<!doctype html><html><body>Sign in</body></html>']))).rejects.toMatchObject({
      code: 'ERR_S3_NOT_S3',
    });
  });

  it('names what has no path, and leaves out what is ours', async () => {
    const place = simulatedBucket();
    for (const key of [
      'p/',
      'p/ok',
      'p/.filecloudsync/probe-1',
      'p/dir/',
      'p//x',
      'p/../up',
      'p/a/./b',
      `p/${'x'.repeat(300)}`,
      'p/.filecloudsync',
    ])
      await place.put(key, '');
    await place.put('p/full/', 'content');
    const { paths, problems } = await scan(replicaOn(place, { prefix: 'p/' }));
    expect(paths).toEqual(['ok']);
    expect(problems).toEqual([
      ['../up', 'ERR_KEY_DOT_SEGMENT', 'error'],
      ['.filecloudsync', 'ERR_KEY_RESERVED', 'error'],
      ['/x', 'ERR_KEY_LEADING_SLASH', 'error'],
      ['a/./b', 'ERR_KEY_DOT_SEGMENT', 'error'],
      ['dir/', 'ERR_KEY_DIRECTORY_MARKER', 'notice'],
      ['full/', 'ERR_KEY_DIRECTORY_MARKER', 'error'],
      ['x'.repeat(300), 'ERR_NAME_TOO_LONG', 'error'],
    ]);
  });

  it('names a key that is not UTF-8', async () => {
    const { problems } = await scan(answering([page(['a', 'b%FF', 'c'], LAST)]));
    expect(problems).toEqual([['b%FF', 'ERR_KEY_NOT_UNICODE', 'error']]);
  });

  it('reads keys of a store that does not encode them', async () => {
    const place = simulatedBucket('list-no-encoding');
    for (const key of ['a+b', 'a%20b', 'a&<>b', '日本']) await place.put(key, '');
    expect((await scan(replicaOn(place))).paths).toEqual(['a%20b', 'a&<>b', 'a+b', '日本']);
  });

  it('asks once for each thousand keys, and for nothing else', async () => {
    const place = simulatedBucket();
    for (let i = 0; i < 2500; i++) await place.put(`k${i}`, '');
    const replica = replicaOn(place);
    expect((await scan(replica)).paths.length).toBe(2500);
    expect(replica.counters.byOperation).toEqual({ ListObjectsV2: 3 });
  });

  it('fetches no more than one page ahead, and none when it is left early', async () => {
    const place = simulatedBucket();
    for (let i = 0; i < 4000; i++) await place.put(`k${i}`, '');
    const replica = replicaOn(place);
    for await (const _page of replica.scan({ filter: EVERYTHING })) {
      await new Promise((resolve) => setImmediate(resolve));
      break;
    }
    expect(replica.counters.byOperation).toEqual({ ListObjectsV2: 2 });
  });

  it('takes no ETag for a digest before it is known to be one', async () => {
    const place = simulatedBucket();
    await place.put('a', 'hello');
    const replica = replicaOn(place);
    await replica.prepare({ readonly: true });
    const digests = async (): Promise<(string | undefined)[]> => {
      const found: (string | undefined)[] = [];
      for await (const { entries } of replica.scan({ filter: EVERYTHING }))
        found.push(...entries.map((each) => (each.kind === 'file' ? each.digest : '')));
      return found;
    };
    expect(await digests()).toEqual([undefined]);
    const entry = await replica.observe('a');
    if (entry?.kind !== 'file') throw new Error('a file was expected');
    expect(await replica.digest(entry, { partSizeBytes: undefined })).toBe(undefined);
    await (await replica.open(entry)).close();
    expect(await digests()).toEqual(['md5:5d41402abc4b2a76b9719d911017c592']);
  });

  it('gives no digest where an ETag is none', async () => {
    const place = simulatedBucket();
    await place.put('a', 'hello');
    const prepared = replicaOn(place);
    await prepared.prepare({ readonly: false });
    for await (const { entries } of prepared.scan({ filter: EVERYTHING })) {
      expect(entries).toMatchObject([{ digest: 'md5:5d41402abc4b2a76b9719d911017c592', modifiedSource: 'server' }]);
    }
    for await (const { entries } of answering([page(['a'], LAST)]).scan({ filter: EVERYTHING }))
      expect(entries[0]).not.toHaveProperty('digest');
  });
});

describe('observe', () => {
  it('does not take a bucket that is gone for a file that is gone', async () => {
    const transport: S3Transport = {
      async send({ method }) {
        const text = method === 'HEAD' ? '' : '<Error><Code>NoSuchBucket</Code></Error>';
        return {
          status: 404,
          headers: {},
          body: (async function* () {
            yield Buffer.from(text);
          })(),
        };
      },
      async close() {},
    };
    const replica = replicaOn(simulatedBucket(), { transport });
    await expect(replica.observe('a')).rejects.toMatchObject({ code: 'ERR_S3_BUCKET_NOT_FOUND' });
  });
});

describe('prepare', () => {
  it.each([
    [
      301,
      '<Error><Code>PermanentRedirect</Code><Endpoint>evil.example</Endpoint></Error>',
      { 'x-amz-bucket-region': 'eu-west-3', location: 'https://evil.example/' },
      'ERR_S3_WRONG_REGION',
      'eu-west-3',
    ],
    [307, '', { location: 'https://evil.example/' }, 'ERR_S3_REDIRECT', 'never followed'],
    [
      400,
      '<Error><Code>AuthorizationHeaderMalformed</Code><Region>ap-south-1</Region></Error>',
      {},
      'ERR_S3_WRONG_REGION',
      'ap-south-1',
    ],
    [403, '<Error><Code>AccessDenied</Code></Error>', {}, 'ERR_S3_FORBIDDEN', 'no right'],
    [403, '<Error><Code>InvalidAccessKeyId</Code></Error>', {}, 'ERR_S3_CREDENTIALS', 'not known'],
    [403, '<Error><Code>SignatureDoesNotMatch</Code></Error>', {}, 'ERR_S3_CREDENTIALS', 'secret'],
    [400, '<Error><Code>ExpiredToken</Code></Error>', {}, 'ERR_S3_CREDENTIALS', 'expired'],
    [403, '<Error><Code>RequestTimeTooSkewed</Code></Error>', {}, 'ERR_S3_CLOCK', 'clock'],
    [404, '<Error><Code>NoSuchBucket</Code></Error>', {}, 'ERR_S3_BUCKET_NOT_FOUND', 'no bucket'],
    [404, '<html>not found</html>', {}, 'ERR_S3_NOT_S3', 'web page'],
    [200, '<html>welcome</html>', { 'content-type': 'text/html' }, 'ERR_S3_NOT_S3', 'web page'],
    [503, '<Error><Code>SlowDown</Code></Error>', {}, 'ERR_S3_UNAVAILABLE', 'later'],
  ])('says what a %i means (%s)', async (status, text, headers, code, said) => {
    const transport: S3Transport = {
      async send() {
        return {
          status,
          headers,
          body: (async function* () {
            yield Buffer.from(text);
          })(),
        };
      },
      async close() {},
    };
    const replica = replicaOn(simulatedBucket(), { transport });
    const failure = replica.prepare({ readonly: false });
    await expect(failure).rejects.toMatchObject({ name: 'S3ConnectionError', code });
    await expect(failure).rejects.toThrow(said);
    await expect(failure).rejects.not.toThrow('evil');
  });
});
