import nodePath from 'node:path';
import { conflictName, MAX_KEY_BYTES, problemOfPath, showPath, type NameRules } from '../../src/core/path.js';
import { scanListing } from '../../src/replica/s3/list-scanner.js';
import { createKeyMap } from '../../src/replica/s3/s3-keys.js';
import { decodeListedKey } from '../../src/replica/s3/url-decode.js';
import { HostileGenerator } from './hostile-generator.js';
import { canStandInBucket, RULES } from './hostile-keys.js';
import { writeListPage } from './list-page.js';

const PAGE_KEYS = 1000;
const FOLDERS: Readonly<Record<NameRules, string>> = {
  linux: '/home/me/folder',
  darwin: '/Users/me/folder',
  win32: 'C:\\Users\\me\\folder',
};

/** What became of the keys. */
export interface KeyProof {
  readonly keys: number;
  /** Accepted as paths, by rules. */
  readonly fine: Readonly<Record<NameRules, number>>;
  /** Refused, by code, under any rules. */
  readonly refused: ReadonlyMap<string, number>;
  /** Listed by both forms of the document and read back the same. */
  readonly listed: number;
}

/**
 * Sends generated keys through everything that decides on a key without a disk: the rules of three systems, the names of
 * conflict copies, the list scanner in both encodings, and the mapping to paths.
 *
 * @throws Error with the seed and the key for which an accepted path would leave the folder, or a key is lost or altered.
 */
export function proveKeys(seed: number, count: number): KeyProof {
  const generator = new HostileGenerator(seed);
  const fine: Record<NameRules, number> = { linux: 0, darwin: 0, win32: 0 };
  const refused = new Map<string, number>();
  let listed = 0;
  let page: string[] = [];
  for (let i = 0; i < count; i++) {
    const key = generator.next();
    for (const rules of RULES) {
      const problem = problemOfPath(key, rules);
      if (problem === undefined) {
        fine[rules]++;
        assertInside(key, rules, `seed ${seed}, key ${i}`);
      } else refused.set(problem.code, (refused.get(problem.code) ?? 0) + 1);
    }
    if (key !== '' && !/\p{Surrogate}/u.test(key)) page.push(key);
    if (page.length === PAGE_KEYS || i === count - 1) {
      assertListed(page, `seed ${seed}, around key ${i}`);
      listed += page.length;
      page = [];
    }
  }
  return { keys: count, fine, refused, listed };
}

/** An oracle that knows nothing of the rules: what the system's own resolution makes of the path. */
export function assertInside(path: string, rules: NameRules, where: string): void {
  const system = rules === 'win32' ? nodePath.win32 : nodePath.posix;
  const folder = FOLDERS[rules];
  const say = (what: string): never => {
    throw new Error(`${where}: ${showPath(path)} ${what} under the rules of ${rules}`);
  };
  const resolved = system.resolve(folder, path);
  if (!resolved.startsWith(folder + system.sep)) say(`leads to ${showPath(resolved)}`);
  // The same name again: nothing in it means anything but itself.
  if (resolved.slice(folder.length + 1).replaceAll(system.sep, '/') !== path) say(`becomes ${showPath(resolved)}`);
  if (
    resolved
      .slice(folder.length + 1)
      .split(system.sep, 1)[0]
      ?.normalize('NFKC')
      .toLowerCase() === '.filecloudsync' &&
    rules !== 'linux'
  )
    say('reaches the private folder');
  if (path.includes('\0')) say('holds NUL');
  if (Buffer.byteLength(path) > MAX_KEY_BYTES) say('is too long for a key');
  if (Buffer.from(path).toString() !== path) say('is changed by UTF-8');
  const copy = conflictName(path, { machine: path.slice(0, 40), timeMs: 0, id: path.slice(-8), rules });
  const problem = problemOfPath(copy, rules);
  if (problem !== undefined) say(`gets the conflict name ${showPath(copy)}: ${problem.message}`);
}

/** Each key of a page comes back as it was, or is named. */
export function assertListed(keys: readonly string[], where: string): void {
  const map = createKeyMap('', 'linux');
  for (const urlEncoded of [true, false]) {
    const objects = keys.map((key) => ({ key, sizeBytes: 1 }));
    const read = scanListing(writeListPage(objects, { urlEncoded }));
    if (read.objects.length !== keys.length)
      throw new Error(`${where}: ${keys.length} keys were listed, ${read.objects.length} were read`);
    for (const [index, object] of read.objects.entries()) {
      const key = keys[index] ?? '';
      const decoded = read.urlEncoded ? decodeListedKey(object.key) : object.key;
      if (decoded !== key) throw new Error(`${where}: ${showPath(key)} was read as ${showPath(decoded ?? object.key)}`);
      const mapped = map.pathOf(decoded, 1);
      const isOurs = key.startsWith('.filecloudsync/');
      if (mapped.type === 'ours' ? !isOurs : mapped.type === 'path' && mapped.path !== key)
        throw new Error(`${where}: ${showPath(key)} was lost`);
      if (mapped.type === 'problem' && mapped.problem.path === '') throw new Error(`${where}: a problem names no key`);
    }
  }
}

/** Keys of the generator that can stand in a bucket, each once. */
export function generateBucketKeys(seed: number, count: number): string[] {
  const generator = new HostileGenerator(seed);
  const keys = new Set<string>();
  while (keys.size < count) {
    const key = generator.next();
    if (canStandInBucket(key)) keys.add(key);
  }
  return [...keys];
}
