import { MAX_KEY_BYTES, problemOfPath, RESERVED_NAME, showPath, type NameRules } from '../../core/path.js';
import type { Problem } from '../../core/problem.js';
import { PathError } from '../../errors.js';
import { utf8Length } from '../../core/utf8-length.js';

/** What a key is on our side. */
export type MappedKey =
  | { readonly type: 'path'; readonly path: string }
  | { readonly type: 'problem'; readonly problem: Problem }
  /** Belongs to this program, or is the marker of the prefix itself. */
  | { readonly type: 'ours' };

/** Keys to paths and back, below one prefix. */
export interface KeyMap {
  /** `''`, or ends in `/`. */
  readonly prefix: string;
  /** Beginning of the keys that belong to this program. */
  readonly reserved: string;
  /** The key of a path. Throws `PathError` with the code of `problemOfPath` for what is none. */
  keyOf(path: string): string;
  /** The path of a key below the prefix. */
  pathOf(key: string, sizeBytes: number): MappedKey;
}

/**
 * Makes the mapping of keys below a prefix. A prefix without `/` at its end gets one: `s3://bucket/photos` is a folder.
 */
export function createKeyMap(prefix: string, rules: NameRules): KeyMap {
  const whole = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
  const reserved = `${whole}${RESERVED_NAME}/`;
  const maxPathBytes = MAX_KEY_BYTES - utf8Length(whole);
  return {
    prefix: whole,
    reserved,
    keyOf(path) {
      const found = problemOfPath(path, rules, maxPathBytes);
      if (found !== undefined) throw new PathError(found.code, found.message, { data: { path } });
      return whole + path;
    },
    pathOf(key, sizeBytes) {
      if (key.startsWith(reserved)) return { type: 'ours' };
      const path = key.slice(whole.length);
      if (path === '' && sizeBytes === 0) return { type: 'ours' };
      const found = problemOfPath(path, rules, maxPathBytes);
      if (found === undefined) return { type: 'path', path };
      const isEmptyMarker = found.code === 'ERR_KEY_DIRECTORY_MARKER' && sizeBytes === 0;
      return {
        type: 'problem',
        problem: {
          path: path === '' ? key : path,
          side: 'remote',
          code: found.code,
          message: found.message,
          severity: isEmptyMarker ? 'notice' : 'error',
        },
      };
    },
  };
}

/** The problem of a key that is not UTF-8, so that it has no name here. */
export function keyWithoutName(encoded: string): Problem {
  return {
    path: encoded,
    side: 'remote',
    code: 'ERR_KEY_NOT_UNICODE',
    message: `The key ${showPath(encoded)} (URL-encoded) is not valid UTF-8. It is left alone; rename it in the bucket to have it synchronised.`,
    severity: 'error',
  };
}
