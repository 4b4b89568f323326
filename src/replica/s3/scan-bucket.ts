import { setMaxListeners } from 'node:events';
import type { Entry } from '../../core/entry.js';
import type { Problem } from '../../core/problem.js';
import { rememberLast } from '../../core/remember-last.js';
import { StateDamagedError } from '../../errors.js';
import type { PathFilter, ScanOptions, ScanPage } from '../replica.js';
import { scanListing, type ListedObject, type ListedPage } from './list-scanner.js';
import {
  BoundaryFinder,
  hintsFact,
  readHints,
  writeHints,
  type ListHints,
  type ListingFindings,
} from './list-hints.js';
import { listInLanes, type ListedRun } from './list-in-lanes.js';
import type { PageStart } from './list-lane.js';
import { ListingMark } from './listing-mark.js';
import { checkOrder, checkPage, type CheckedPage } from './listing-page.js';
import { fingerprintOf, isMd5Hex } from './object-state.js';
import { digestPage, type PageDigest } from './page-digest.js';
import { mayBeDigest, type S3Context } from './s3-context.js';
import { keyWithoutName } from './s3-keys.js';
import { failureError } from './service-error.js';

const PAGE_KEYS = 1000;

/**
 * Lists everything below the prefix, several stretches of it at once where the last listing left word of how it can be cut
 * (`listInLanes`), else page by page, the next one being fetched while one is used.
 *
 * @throws HaltError `ERR_S3_LISTING` when the pages contradict themselves: keys out of order or outside the prefix, a page
 * that has a successor but no token or the same one again, fewer keys than were counted. No plan may be made of it.
 */
export async function* scanBucket(
  context: S3Context,
  { filter, signal, remember = false, onMark }: ScanOptions,
): AsyncGenerator<ScanPage> {
  const stopper = new AbortController();
  const stop = signal === undefined ? stopper.signal : AbortSignal.any([signal, stopper.signal]);
  // Each page under way listens to it: dozens are no leak.
  setMaxListeners(0, stop);
  const toPage = createPageMaker(context, filter);
  const { facts, keys, runtime, parallelLists } = context;
  const factName = hintsFact(context.api.bucket, keys.prefix);
  const known = await readHints(facts, factName, keys.prefix, runtime.clock.nowMs());
  const finder = new BoundaryFinder(keys.prefix);
  let requests = 0;
  const mark = onMark === undefined ? undefined : createMark(context);
  const fetch = async (start: PageStart, after: string | undefined): Promise<CheckedPage> => {
    requests++;
    const { listed, digest } = await fetchPage(context, start, stop, mark === undefined ? readPage : readBoth);
    const page = checkPage(listed, keys.prefix);
    finder.sawPage(page.objects.length);
    mark?.fetched(page, after, digest);
    return page;
  };
  const onPage = mark === undefined ? undefined : (page: CheckedPage): void => mark.took(page);
  const runs = listInLanes({ fetch, boundaries: known.boundaries, mostAhead: parallelLists, onPage });
  try {
    let step = await runs.next();
    for (; step.done !== true; step = await runs.next()) {
      finder.add(step.value.keys);
      yield toPage(step.value);
    }
    if (mark?.isWhole === true) onMark?.(mark);
    if (!remember) return;
    const { count, pageKeys, boundaries } = finder;
    const leastRequests = Math.max(1, Math.ceil(count / pageKeys));
    const found = { cannotSeek: step.value.cannotSeek, requests, leastRequests, boundaries };
    await keepHints(context, factName, known, found);
  } finally {
    stopper.abort();
    await runs.return({ cannotSeek: false });
  }
}

/** A page, and what it is recognised by when it is asked for again. */
interface ReadPage {
  readonly listed: ListedPage;
  readonly digest?: PageDigest | undefined;
}

function readPage(xml: string): ReadPage {
  return { listed: scanListing(xml) };
}

function readBoth(xml: string): ReadPage {
  return { listed: scanListing(xml), digest: digestPage(xml) };
}

function createMark(context: S3Context): ListingMark {
  const again = (after: string | undefined, signal: AbortSignal): Promise<PageDigest | undefined> =>
    fetchPage(context, { startAfter: after, token: undefined }, signal, digestPage);
  return new ListingMark(again, context.parallelLists);
}

async function fetchPage<T>(
  context: S3Context,
  start: PageStart,
  signal: AbortSignal,
  read: (xml: string) => T,
): Promise<T> {
  const { bucket } = context.api;
  const answer = await context.api.listAs(read, { prefix: context.keys.prefix, ...start, maxKeys: PAGE_KEYS }, signal);
  if (!answer.ok)
    throw failureError(answer.failure, { action: `listing the bucket "${bucket}"`, bucket, path: undefined });
  return answer.value;
}

/** The listing is done and whole: that the next one will not be faster must not make it fail. */
async function keepHints(context: S3Context, name: string, known: ListHints, found: ListingFindings): Promise<void> {
  try {
    await writeHints(context.facts, name, { known, found, nowMs: context.runtime.clock.nowMs() });
  } catch (error) {
    if (error instanceof StateDamagedError) throw error;
  }
}

/** Makes pages of entries out of objects, which have to come in order. */
function createPageMaker(context: S3Context, filter: PathFilter): (run: ListedRun) => ScanPage {
  const isIncluded = createFilterCache(filter);
  let previousKey: string | undefined;
  return ({ objects, keys }) => {
    const entries: Entry[] = [];
    const problems: Problem[] = [];
    let isFirst = true;
    for (let index = 0; index < objects.length; index++) {
      const [object, key] = [objects[index], keys[index]];
      if (object === undefined) continue;
      if (key === undefined) {
        problems.push(keyWithoutName(object.key));
        continue;
      }
      // Within a run the order was checked with its page.
      if (isFirst) checkOrder(previousKey, key);
      isFirst = false;
      previousKey = key;
      const mapped = context.keys.pathOf(key, object.sizeBytes);
      if (mapped.type === 'problem') problems.push(mapped.problem);
      else if (mapped.type === 'path') {
        entries.push(isIncluded(mapped.path) ? listedEntry(context, mapped.path, object) : untracked(mapped.path));
      }
    }
    return { entries, problems };
  };
}

function listedEntry(context: S3Context, path: string, { etag, sizeBytes, lastModified }: ListedObject): Entry {
  const receivedMs = Date.parse(lastModified);
  // Only a candidate: under KMS an ETag looks like an MD5 and is none. `digest` asks.
  const isCandidate = mayBeDigest(context, sizeBytes) && isMd5Hex(etag);
  const fingerprint = fingerprintOf(etag, sizeBytes);
  const modifiedMs = Number.isNaN(receivedMs) ? undefined : receivedMs - context.clockOffset.ms;
  return isCandidate
    ? { kind: 'file', path, sizeBytes, fingerprint, modifiedMs, modifiedSource: 'server', digest: `md5:${etag}` }
    : { kind: 'file', path, sizeBytes, fingerprint, modifiedMs, modifiedSource: 'server' };
}

function untracked(path: string): Entry {
  // One by one: `a` as a subtree would have to come before `a.txt`, where nothing is known of `a/` yet.
  return { kind: 'untracked', path, reason: 'filter', subtree: false };
}

/** Asks the filter about a folder once, not for each file in it. */
function createFilterCache(filter: PathFilter): (path: string) => boolean {
  const takesPart = rememberLast(
    (folder: string) => folder === '' || ancestorsOf(folder).every((ancestor) => filter.mayContain(ancestor)),
  );
  return (path) => takesPart(path.slice(0, Math.max(0, path.lastIndexOf('/')))) && filter.includesFile(path);
}

function ancestorsOf(folder: string): string[] {
  const names = folder.split('/');
  return names.map((_, i) => names.slice(0, i + 1).join('/'));
}
