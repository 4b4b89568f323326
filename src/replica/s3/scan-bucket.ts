import { compareByteOrder } from '../../core/byte-order.js';
import type { Entry } from '../../core/entry.js';
import { showPath } from '../../core/path.js';
import type { Problem } from '../../core/problem.js';
import { HaltError } from '../../errors.js';
import type { PathFilter, ScanOptions, ScanPage } from '../replica.js';
import type { ListedObject, ListedPage } from './list-scanner.js';
import { mayBeMd5 } from './dialect.js';
import { fingerprintOf, isMd5Hex } from './object-state.js';
import type { S3Context } from './s3-context.js';
import { keyWithoutName } from './s3-keys.js';
import { failureError } from './service-error.js';
import { decodeListedKey } from './url-decode.js';

const PAGE_KEYS = 1000;

/** Pages without a key that a listing may have in a row: stores that delete lazily answer some. */
const MAX_EMPTY_PAGES = 100;

/**
 * Lists everything below the prefix, page by page, the next one being fetched while one is used.
 *
 * @throws HaltError `ERR_S3_LISTING` when the pages contradict themselves: keys out of order or outside the prefix, a page
 * that has a successor but no token or the same one again, fewer keys than were counted. No plan may be made of it.
 */
export async function* scanBucket(context: S3Context, { filter, signal }: ScanOptions): AsyncGenerator<ScanPage> {
  const stopper = new AbortController();
  const stop = signal === undefined ? stopper.signal : AbortSignal.any([signal, stopper.signal]);
  const isIncluded = createFilterCache(filter);
  let previousKey: string | undefined;
  let token: string | undefined;
  let emptyPages = 0;
  let next: Promise<ListedPage> | undefined = fetchPage(context, undefined, stop);
  try {
    while (next !== undefined) {
      const page: ListedPage = await next;
      const following = nextToken(page, token);
      emptyPages = page.objects.length === 0 ? emptyPages + 1 : 0;
      if (emptyPages > MAX_EMPTY_PAGES) throw untrusted(`${emptyPages} pages in a row held no key`);
      token = following;
      next = following === undefined ? undefined : fetchPage(context, following, stop);
      // It may fail while nobody waits for it.
      next?.catch(() => {});

      const entries: Entry[] = [];
      const problems: Problem[] = [];
      for (const object of page.objects) {
        const key = page.urlEncoded ? decodeListedKey(object.key) : object.key;
        if (key === undefined) {
          problems.push(keyWithoutName(object.key));
          continue;
        }
        checkKey(context, key, previousKey);
        previousKey = key;
        const mapped = context.keys.pathOf(key, object.sizeBytes);
        if (mapped.type === 'problem') problems.push(mapped.problem);
        else if (mapped.type === 'path') {
          entries.push(isIncluded(mapped.path) ? listedEntry(context, mapped.path, object) : untracked(mapped.path));
        }
      }
      yield { entries, problems };
    }
  } finally {
    stopper.abort();
  }
}

async function fetchPage(context: S3Context, token: string | undefined, signal: AbortSignal): Promise<ListedPage> {
  const { bucket } = context.api;
  const answer = await context.api.list({ prefix: context.keys.prefix, token, maxKeys: PAGE_KEYS }, signal);
  if (!answer.ok)
    throw failureError(answer.failure, { action: `listing the bucket "${bucket}"`, bucket, path: undefined });
  return answer.value;
}

function nextToken(page: ListedPage, token: string | undefined): string | undefined {
  if (page.keyCount !== undefined && page.keyCount > page.objects.length) {
    throw untrusted(`a page counts ${page.keyCount} keys and holds ${page.objects.length}`);
  }
  if (!page.isTruncated) return undefined;
  if (page.nextToken === undefined) throw untrusted('a page says that there is more, but not where');
  if (page.nextToken === token) throw untrusted('a page leads to itself');
  return page.nextToken;
}

function checkKey({ keys }: S3Context, key: string, previous: string | undefined): void {
  if (!key.startsWith(keys.prefix))
    throw untrusted(`the key ${showPath(key)} lies outside the prefix ${showPath(keys.prefix)}`);
  if (previous !== undefined && compareByteOrder(previous, key) >= 0) {
    throw untrusted(
      `the key ${showPath(key)} comes after ${showPath(previous)}, which is not the order of their bytes`,
    );
  }
}

function listedEntry(context: S3Context, path: string, { etag, sizeBytes, lastModified }: ListedObject): Entry {
  const receivedMs = Date.parse(lastModified);
  // Only a candidate: under KMS an ETag looks like an MD5 and is none. `digest` asks.
  const isCandidate = mayBeMd5(context.dialect) && isMd5Hex(etag);
  return {
    kind: 'file',
    path,
    sizeBytes,
    fingerprint: fingerprintOf(etag, sizeBytes),
    modifiedMs: Number.isNaN(receivedMs) ? undefined : receivedMs - context.clockOffset.ms,
    modifiedSource: 'server',
    ...(isCandidate && { digest: `md5:${etag}` }),
  };
}

function untracked(path: string): Entry {
  // One by one: `a` as a subtree would have to come before `a.txt`, where nothing is known of `a/` yet.
  return { kind: 'untracked', path, reason: 'filter', subtree: false };
}

/** Asks the filter about a folder once, not for each file in it. */
function createFilterCache(filter: PathFilter): (path: string) => boolean {
  let lastFolder = '';
  let lastAnswer = true;
  return (path) => {
    const slash = path.lastIndexOf('/');
    const folder = slash === -1 ? '' : path.slice(0, slash);
    if (folder !== lastFolder) {
      lastFolder = folder;
      lastAnswer = folder === '' || ancestorsOf(folder).every((ancestor) => filter.mayContain(ancestor));
    }
    return lastAnswer && filter.includesFile(path);
  };
}

function ancestorsOf(folder: string): string[] {
  const names = folder.split('/');
  return names.map((_, i) => names.slice(0, i + 1).join('/'));
}

function untrusted(what: string): HaltError {
  return new HaltError(
    'ERR_S3_LISTING',
    `The listing of the bucket cannot be trusted: ${what}. Nothing was changed; run again, and report it to the store's makers if it stays.`,
    {
      retryable: true,
    },
  );
}
