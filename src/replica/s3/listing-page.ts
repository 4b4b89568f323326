import { compareByteOrder } from '../../core/byte-order.js';
import { showPath } from '../../core/path.js';
import { HaltError } from '../../errors.js';
import type { ListedObject, ListedPage } from './list-scanner.js';
import { decodeListedKey } from './url-decode.js';

/** A page of a listing that does not contradict itself. */
export interface CheckedPage {
  readonly objects: readonly ListedObject[];
  /** The key of each object, decoded, strictly ascending; `undefined`: its bytes are no name. */
  readonly keys: readonly (string | undefined)[];
  /** `undefined`: this was the last page. */
  readonly nextToken: string | undefined;
  /** The last key that is a name. */
  readonly lastKey: string | undefined;
}

/**
 * Decodes the keys of a page and checks what it says.
 *
 * @throws HaltError `ERR_S3_LISTING`: keys out of order or outside the prefix, fewer keys than were counted, a successor without a token.
 */
export function checkPage(page: ListedPage, prefix: string): CheckedPage {
  const { objects, urlEncoded } = page;
  if (page.keyCount !== undefined && page.keyCount > objects.length) {
    throw untrusted(`a page counts ${page.keyCount} keys and holds ${objects.length}`);
  }
  if (page.isTruncated && page.nextToken === undefined)
    throw untrusted('a page says that there is more, but not where');
  const keys: (string | undefined)[] = [];
  let lastKey: string | undefined;
  for (const object of objects) {
    const key = urlEncoded ? decodeListedKey(object.key) : object.key;
    keys.push(key);
    if (key === undefined) continue;
    if (!key.startsWith(prefix))
      throw untrusted(`the key ${showPath(key)} lies outside the prefix ${showPath(prefix)}`);
    checkOrder(lastKey, key);
    lastKey = key;
  }
  return { objects, keys, nextToken: page.isTruncated ? page.nextToken : undefined, lastKey };
}

/** Throws when two keys that follow each other are not in the order of their bytes. */
export function checkOrder(previous: string | undefined, key: string): void {
  if (previous === undefined || compareByteOrder(previous, key) < 0) return;
  throw untrusted(`the key ${showPath(key)} comes after ${showPath(previous)}, which is not the order of their bytes`);
}

/** The error of a listing that contradicts itself. */
export function untrusted(what: string): HaltError {
  return new HaltError(
    'ERR_S3_LISTING',
    `The listing of the bucket cannot be trusted: ${what}. Nothing was changed; run again, and report it to the store's makers if it stays.`,
    { retryable: true },
  );
}
