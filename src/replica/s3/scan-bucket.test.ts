import { describe, expect, it } from 'vitest';
import { memoryFacts, memoryUploads, simulatedBucket } from '../../../test/replica-s3/bucket-under-test.js';
import { systemRuntime } from '../../testing/s3/index.js';
import type { Entry } from '../../core/entry.js';
import { StateDamagedError } from '../../errors.js';
import type { PathFilter, ScanOptions } from '../replica.js';
import { createS3Replica, type S3Replica, type S3Request } from './index.js';

const EVERYTHING: PathFilter = { includesFile: () => true, mayContain: () => true };
const listed = (key: string, etag = 'e', time = '2026-01-01T00:00:00Z'): string =>
  `<Contents><Key>${key}</Key><LastModified>${time}</LastModified><ETag>"${etag}"</ETag><Size>3</Size></Contents>`;
const page = (contents: readonly string[], end = '<IsTruncated>false</IsTruncated>'): string =>
  `<ListBucketResult><EncodingType>url</EncodingType>${contents.join('')}${end}</ListBucketResult>`;
const more = (token: string): string =>
  `<IsTruncated>true</IsTruncated><NextContinuationToken>${token}</NextContinuationToken>`;

/** A service that answers LIST with these documents, in turn. */
function answering(
  documents: readonly (string | { readonly status: number; readonly text: string; readonly date?: string })[],
  prefix = '',
  facts = memoryFacts(),
) {
  const asked: S3Request[] = [];
  const replica: S3Replica = createS3Replica({
    transport: {
      async send(request) {
        const answer = documents[asked.length];
        asked.push(request);
        if (answer === undefined) throw new Error('asked for more than there is');
        const { status, text, date } =
          typeof answer === 'string' ? { status: 200, text: answer, date: undefined } : answer;
        return {
          status,
          headers: { 'content-type': 'application/xml', ...(date !== undefined && { date }) },
          body: (async function* () {
            yield Buffer.from(text);
          })(),
        };
      },
      async close() {},
    },
    bucket: 'bucket',
    prefix,
    uploads: memoryUploads(),
    facts,
    runtime: systemRuntime(),
    pathRules: 'linux',
    backoff: { baseMs: 1, capMs: 1, attempts: 1 },
  });
  return { replica, asked };
}

async function entriesOf(replica: S3Replica, options: Partial<ScanOptions> = {}): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const { entries } of replica.scan({ filter: EVERYTHING, ...options })) found.push(...entries);
  return found;
}

describe('scanBucket', () => {
  it('describes each object by what the listing says', async () => {
    const { replica } = answering([page([listed('p/a', 'abc')])], 'p');
    expect(await entriesOf(replica)).toEqual([
      {
        kind: 'file',
        path: 'a',
        sizeBytes: 3,
        fingerprint: 'abc:3',
        modifiedMs: Date.UTC(2026, 0, 1),
        modifiedSource: 'server',
      },
    ]);
  });

  it('does not know a time that is none', async () => {
    const { replica } = answering([page([listed('a', 'e', 'yesterday')])]);
    expect(await entriesOf(replica)).toMatchObject([{ modifiedMs: undefined }]);
  });

  it('gives times on our clock, where that of the store is another', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    const { replica } = answering([{ status: 200, text: page([listed('a')]), date }]);
    const entries = await entriesOf(replica);
    expect(replica.clockOffsetMs).toBeGreaterThan(3_000_000);
    expect(entries).toMatchObject([{ modifiedMs: Date.UTC(2026, 0, 1) - replica.clockOffsetMs }]);
  });

  it('asks for a thousand keys below the prefix, and goes on where a page ended', async () => {
    const { replica, asked } = answering([page([listed('p/a')], more('here')), page([listed('p/b')])], 'p');
    expect((await entriesOf(replica)).map(({ path }) => path)).toEqual(['a', 'b']);
    expect(asked.map(({ query }) => [query['prefix'], query['max-keys'], query['continuation-token']])).toEqual([
      ['p/', '1000', undefined],
      ['p/', '1000', 'here'],
    ]);
  });

  it('says that the bucket could not be listed, and why', async () => {
    const { replica } = answering([{ status: 403, text: '<Error><Code>AccessDenied</Code></Error>' }]);
    await expect(entriesOf(replica)).rejects.toMatchObject({
      code: 'ERR_S3_FORBIDDEN',
      message: expect.stringMatching(/^Listing the bucket "bucket" failed: /),
    });
  });

  it('does not trust keys that are out of order from one page to the next', async () => {
    const { replica } = answering([page([listed('b')], more('t')), page([listed('a')])]);
    await expect(entriesOf(replica)).rejects.toMatchObject({ code: 'ERR_S3_LISTING' });
  });

  it('asks for no more once it is left', async () => {
    const { replica, asked } = answering([page([listed('a')], more('1')), page([listed('b')], more('2'))]);
    for await (const _page of replica.scan({ filter: EVERYTHING })) break;
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked.length).toBeLessThanOrEqual(2);
    expect(asked.every(({ signal }) => signal?.aborted === true)).toBe(true);
  });

  it('stops when it is told to', async () => {
    const { replica } = answering([page([listed('a')])]);
    await expect(entriesOf(replica, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('names keys that have no path, and passes over those of this program', async () => {
    const { replica } = answering([page([listed('.filecloudsync/x'), listed('a//b'), listed('b%FF'), listed('c')])]);
    const problems: string[] = [];
    for await (const each of replica.scan({ filter: EVERYTHING })) {
      expect(each.entries.map(({ path }) => path)).toEqual(['c']);
      problems.push(...each.problems.map(({ path, code }) => `${path} ${code}`));
    }
    expect(problems).toEqual(['a//b ERR_KEY_EMPTY_SEGMENT', 'b%FF ERR_KEY_NOT_UNICODE']);
  });

  describe('what a filter leaves out', () => {
    const keys = ['aa', 'd/e/f', 'd/e/g', 'd/x', 'n/y', 'zz'];
    const scan = async (filter: Partial<PathFilter>): Promise<string[]> => {
      const { replica } = answering([page(keys.map((key) => listed(key)))]);
      return (await entriesOf(replica, { filter: { ...EVERYTHING, ...filter } })).map(
        ({ kind, path }) => `${kind} ${path}`,
      );
    };

    it('is untracked, file by file, and never absent', async () => {
      expect(await scan({ includesFile: (path) => path !== 'd/x' })).toEqual([
        'file aa',
        'file d/e/f',
        'file d/e/g',
        'untracked d/x',
        'file n/y',
        'file zz',
      ]);
      const { replica } = answering([page([listed('a')])]);
      expect(await entriesOf(replica, { filter: { ...EVERYTHING, includesFile: () => false } })).toEqual([
        { kind: 'untracked', path: 'a', reason: 'filter', subtree: false },
      ]);
    });

    it('is all below a folder that is left out, however deep, and nothing beside it', async () => {
      expect(await scan({ mayContain: (path) => path !== 'd/e' })).toEqual([
        'file aa',
        'untracked d/e/f',
        'untracked d/e/g',
        'file d/x',
        'file n/y',
        'file zz',
      ]);
      expect(await scan({ mayContain: (path) => path !== 'd' })).toEqual([
        'file aa',
        'untracked d/e/f',
        'untracked d/e/g',
        'untracked d/x',
        'file n/y',
        'file zz',
      ]);
    });

    it('is asked for once for each folder, and the root is no folder that could be left out', async () => {
      const asked: string[] = [];
      await scan({
        mayContain: (path) => {
          asked.push(path);
          return true;
        },
      });
      expect(asked).toEqual(['d', 'd/e', 'd', 'n']);
    });
  });

  describe('what it leaves for the next one', () => {
    const NAME = 's3-list-hints-1 bucket p/';
    /** Six keys on pages of two. */
    const pages = [
      page([listed('p/same1'), listed('p/same2')], more('1')),
      page([listed('p/same3'), listed('p/same4')], more('2')),
      page([listed('p/same5'), listed('p/same6')]),
    ];

    it('is where the pages ended, and only where it may leave anything', async () => {
      const facts = memoryFacts();
      await entriesOf(answering(pages, 'p', facts).replica);
      expect(facts.values.size).toBe(0);
      await entriesOf(answering(pages, 'p', facts).replica, { remember: true });
      expect(await facts.get(NAME)).toEqual({
        boundaries: [
          ['p/same2', 'p/same3'],
          ['p/same4', 'p/same5'],
        ],
      });
    });

    it('is nothing when it is left early, or fails', async () => {
      const facts = memoryFacts();
      for await (const _page of answering(pages, 'p', facts).replica.scan({ filter: EVERYTHING, remember: true }))
        break;
      const { replica } = answering(pages.slice(0, 2), 'p', facts);
      await expect(entriesOf(replica, { remember: true })).rejects.toMatchObject({ name: expect.any(String) });
      expect(facts.values.size).toBe(0);
    });

    it('tells where to begin as well', async () => {
      const facts = memoryFacts();
      await facts.put(NAME, { boundaries: [['p/same3']] });
      const { replica, asked } = answering(
        [
          page([listed('p/same1'), listed('p/same2')], more('1')),
          page([listed('p/same4'), listed('p/same5')]),
          page([listed('p/same3'), listed('p/same4')], more('2')),
          page([listed('p/same5')]),
        ],
        'p',
        facts,
      );
      expect((await entriesOf(replica)).map(({ path }) => path)).toEqual(['same1', 'same2', 'same3', 'same4', 'same5']);
      expect(asked.slice(0, 2).map(({ query }) => query['start-after'])).toEqual([undefined, 'p/same3']);
    });

    it.each([
      ['stays as it was when no page was asked for in vain', [listed('p/same2'), listed('p/same3')], [['p/same1']]],
      ['is found anew when one was', [listed('p/same2')], []],
    ])('%s', async (_, contents, boundaries) => {
      const facts = memoryFacts();
      await facts.put(NAME, { boundaries: [['p/same1']] });
      const first = page([listed('p/same1'), listed('p/same2')], more('1'));
      const { replica } = answering([first, page(contents), page([])], 'p', facts);
      await entriesOf(replica, { remember: true });
      expect(await facts.get(NAME)).toEqual({ boundaries });
    });

    it('may be lost: the listing is whole all the same, unless the memory is damaged', async () => {
      const facts = memoryFacts();
      const failing = (error: Error): typeof facts => ({
        ...facts,
        put: async () => {
          throw error;
        },
      });
      const whole = answering(pages, 'p', failing(new Error('the disk is full'))).replica;
      expect(await entriesOf(whole, { remember: true })).toHaveLength(6);
      const damaged = answering(pages, 'p', failing(new StateDamagedError('a row is missing'))).replica;
      await expect(entriesOf(damaged, { remember: true })).rejects.toMatchObject({ code: 'ERR_STATE_DAMAGED' });
    });
  });

  it('takes an ETag for a digest only where the store has digests for ETags, and only one of that form', async () => {
    const place = simulatedBucket();
    await place.put('a', 'hello');
    const facts = memoryFacts();
    const replica = createS3Replica({
      transport: place.transport(),
      endpoint: place.endpoint,
      bucket: place.bucket,
      uploads: memoryUploads(),
      facts,
      runtime: systemRuntime(),
      pathRules: 'linux',
    });
    expect((await entriesOf(replica))[0]).not.toHaveProperty('digest');
    await replica.prepare({ readonly: false });
    expect(await entriesOf(replica)).toMatchObject([{ digest: 'md5:5d41402abc4b2a76b9719d911017c592' }]);
  });
});
