import { readFileSync } from 'node:fs';
import type { NameRules } from '../../src/core/path.js';

/** `fine`, or the code with which a disk of these rules refuses the key. */
export type Expected = Readonly<Record<NameRules, string>>;

/** One hostile key of the corpus. */
export interface HostileKey {
  readonly key: string;
  readonly expected: Expected;
  readonly why: string;
}

const RULES: readonly NameRules[] = ['linux', 'darwin', 'win32'];

/** The corpus `hostile-keys.json`: keys that somebody could put into a bucket, and what becomes of each. */
export function readHostileKeys(): readonly HostileKey[] {
  const rows: unknown = JSON.parse(readFileSync(new URL('hostile-keys.json', import.meta.url), 'utf8'));
  if (!Array.isArray(rows)) throw new TypeError('the corpus is no list');
  return rows.map(toHostileKey);
}

function toHostileKey(row: {
  readonly key: string;
  readonly expected: string | Expected;
  readonly why: string;
}): HostileKey {
  const { key, expected, why } = row;
  if (typeof expected !== 'string') return { key, expected, why };
  return { key, why, expected: { linux: expected, darwin: expected, win32: expected } };
}

/** Whether a key can be written as UTF-8 and is no longer than a store takes: whether it can stand in a bucket at all. */
export function canStandInBucket(key: string): boolean {
  return key !== '' && !/\p{Surrogate}/u.test(key) && Buffer.byteLength(key) <= 1024;
}

export { RULES };
