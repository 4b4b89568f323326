import type { Oracle } from '../../src/testing/simulation/oracle.js';
import type { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import type { SimulatedS3 } from '../../src/testing/s3/simulated-s3.js';
import type { Machine } from './machine.js';

/** Few paths, so that everybody meets: siblings around `/` in byte order, a file that is also a directory, a deep one. */
const PATHS = ['a', 'a!', 'a/b', 'a/c/d', 'b', 'b.txt', 'd/e', 'd/f', 'ż', '😀'];

/** Contents of every user, told apart by a number. Some are as long as others, some span several ranges. */
export class ContentMaker {
  #count = 0;
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  make(author: string): string {
    const stamp = `<${++this.#count} ${author}>`;
    return this.#random.chance(0.3) ? stamp.padEnd(40, '.') : stamp;
  }
}

/** A person who works in the folder of one machine, one act at a time. */
export function actInFolder(
  machine: Machine,
  oracle: Oracle,
  contents: ContentMaker,
  random: SeededRandom,
  nowMs: number,
): void {
  const { user } = machine.disk;
  const path = random.pick(PATHS);
  const standing = standingBelow(machine, path);
  const roll = random.next();
  if (roll < 0.55) {
    if (isBelowFile(machine, path) || user.find(path)?.type === 'directory') return;
    const content = contents.make(machine.name);
    for (const old of standing) oracle.discarded(old);
    // Some programs keep the time of what they replace, or set it back.
    const options = random.chance(0.1) ? { modifiedMs: nowMs - random.below(1_000_000) } : {};
    if (random.chance(0.5)) user.writeFile(path, content, options);
    else user.replaceFile(path, content, options);
    oracle.wrote(content, `${machine.name} at ${path}`);
    return;
  }
  if (roll < 0.8) {
    for (const old of standing) oracle.discarded(old);
    if (user.find(path) !== undefined) user.remove(path);
    return;
  }
  const to = random.pick(PATHS);
  const source = user.find(path);
  if (source?.type !== 'file' || to === path || isBelowFile(machine, to) || user.find(to)?.type === 'directory') return;
  for (const old of standingBelow(machine, to)) oracle.discarded(old);
  user.rename(path, to);
}

/** Another program that writes to the bucket without asking anybody. It sees what it replaces. */
export async function actInBucket(
  service: SimulatedS3,
  bucket: string,
  oracle: Oracle,
  contents: ContentMaker,
  random: SeededRandom,
): Promise<void> {
  const key = random.pick(PATHS);
  const old = await service.peek(bucket, key);
  if (old !== undefined) oracle.discarded(new TextDecoder().decode(old.bytes));
  if (random.chance(0.7)) {
    const content = contents.make('bucket');
    oracle.wrote(content, `the bucket at ${key}`);
    await service.put(bucket, key, content);
  } else {
    await service.remove(bucket, key);
  }
}

function standingBelow(machine: Machine, path: string): string[] {
  const found: string[] = [];
  for (const [each, content] of machine.files()) if (each === path || each.startsWith(`${path}/`)) found.push(content);
  return found;
}

function isBelowFile(machine: Machine, path: string): boolean {
  const segments = path.split('/');
  return segments.some((_, i) => i > 0 && machine.disk.user.find(segments.slice(0, i).join('/'))?.type === 'file');
}
