import { PathError } from '../../errors.js';

/**
 * Encodes one name or value for a URL and for a signature: everything but `A-Z a-z 0-9 - . _ ~` (RFC 3986, as SigV4 wants it).
 *
 * @throws PathError `ERR_KEY_NOT_UNICODE` for half of a surrogate pair, which has no UTF-8.
 */
export function encodeUriPart(text: string): string {
  let encoded: string;
  try {
    encoded = encodeURIComponent(text);
  } catch (cause) {
    throw new PathError(
      'ERR_KEY_NOT_UNICODE',
      'A key holds half of a surrogate pair and cannot be sent to the store. Rename the file.',
      {
        cause,
      },
    );
  }
  return !LEFT.test(encoded)
    ? encoded
    : encoded.replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** What `encodeURIComponent` leaves as it is, and a signature does not. */
const LEFT = /[!'()*]/;

/** Encodes a key for a URL. Slashes stay; nothing is normalised, so that `a//b`, `.` and `..` name what they name in the store. */
export function encodeKey(key: string): string {
  return encodeUriPart(key).replaceAll('%2F', '/');
}

/** Encodes a query, sorted as SigV4 wants it; `''` when it is empty. */
export function encodeQuery(query: Readonly<Record<string, string>>): string {
  const entries = Object.entries(query);
  if (entries.length === 0) return '';
  return entries
    .map(([name, value]) => [encodeUriPart(name), encodeUriPart(value)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}
