import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { withDefaults } from '../../src/s3/default-options.js';
import { openPairOn } from '../../src/s3/open-pair.js';
import type { CycleResult } from '../../src/session/result.js';
import { SimulatedS3 } from '../../src/testing/s3/simulated-s3.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';

const BUCKET = 'bucket';
const OTHER_BUCKET = 'other';
const FILES = 60;

/** A way to damage what is remembered. `file` is one of the database's. */
type Damage = readonly [
  words: string,
  run: (
    place: { readonly state: string; readonly database: string; readonly file: string },
    random: SeededRandom,
    world: DamageWorld,
  ) => Promise<void>,
];

async function edit(file: string, change: (bytes: Buffer) => void): Promise<void> {
  const bytes = await readFile(file);
  if (bytes.length === 0) return;
  change(bytes);
  await writeFile(file, bytes);
}

const DAMAGES: readonly Damage[] = [
  [
    'one bit flipped',
    ({ file }, random) => edit(file, (bytes) => void (bytes[random.below(bytes.length)] = random.below(256))),
  ],
  [
    'many bytes exchanged',
    ({ file }, random) =>
      edit(file, (bytes) => {
        for (let i = 0; i < 20; i++) bytes[random.below(bytes.length)] = random.below(256);
      }),
  ],
  ['cut short', async ({ file }, random) => truncate(file, random.below((await stat(file)).size + 1))],
  ['cut to nothing', ({ file }) => truncate(file, 0)],
  [
    'a page of zeros',
    ({ file }, random) =>
      edit(file, (bytes) => {
        const at = random.below(bytes.length);
        bytes.fill(0, at, Math.min(bytes.length, at + 4096));
      }),
  ],
  ['a file deleted', ({ file }) => rm(file)],
  ['the database deleted', ({ database }) => rm(database, { recursive: true })],
  ['all that is remembered deleted', ({ state }) => rm(state, { recursive: true })],
  ['an earlier copy of the database', (place, _random, world) => replace(place.database, world.earlierDatabase)],
  ['an earlier copy of the whole state', (place, _random, world) => replace(place.state, world.earlierState)],
  ["another pair's database", (place, _random, world) => replace(place.database, world.otherDatabase)],
  [
    'a file of an earlier copy among those of now',
    async ({ database }, random, { earlierDatabase }) => {
      const name = random.pick((await readdir(earlierDatabase)).filter((each) => each !== 'LOCK').sort());
      await cp(path.join(earlierDatabase, name), path.join(database, name));
    },
  ],
  ['noise in the register', ({ state }) => writeFile(path.join(state, 'register.json'), '{"format":1,"pairs":[{]')],
  [
    'a database of noise',
    async ({ database }, random) => {
      for (const name of await readdir(database)) await writeFile(path.join(database, name), random.id(500));
    },
  ],
];

async function replace(to: string, from: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await cp(from, to, { recursive: true });
}

/** One folder on a real disk with a real database, and a bucket in memory. */
class DamageWorld {
  readonly base: string;
  readonly s3 = new SimulatedS3();
  readonly client = new S3Client({
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  #stamp = '';
  #database = '';

  constructor(base: string) {
    this.base = base;
    this.s3.createBucket(BUCKET);
    this.s3.createBucket(OTHER_BUCKET);
  }

  get folder(): string {
    return path.join(this.base, 'folder');
  }
  get state(): string {
    return path.join(this.base, 'state');
  }
  get earlierState(): string {
    return path.join(this.base, 'earlier');
  }
  get earlierDatabase(): string {
    return path.join(this.earlierState, path.relative(this.state, this.#database));
  }
  get otherDatabase(): string {
    return path.join(this.base, 'other');
  }

  async sync(bucket = BUCKET): Promise<CycleResult> {
    const folder = bucket === BUCKET ? this.folder : path.join(this.base, 'other-folder');
    const options = withDefaults({ stateDir: this.state });
    const pair = await openPairOn(
      { transport: this.s3.transport(), service: 'https://s3.us-east-1.amazonaws.com' },
      this.client,
      `s3://${bucket}`,
      folder,
      options,
    );
    try {
      return await pair.sync();
    } finally {
      await pair.close();
    }
  }

  async write(name: string, content: string): Promise<void> {
    const file = path.join(this.folder, name);
    await writeFile(file, content);
    const old = new Date(Date.now() - 60_000);
    await utimes(file, old, old);
  }

  async objects(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const key of this.s3.keys(BUCKET)) {
      found[key] = Buffer.from((await this.s3.peek(BUCKET, key))?.bytes ?? []).toString();
    }
    return found;
  }

  async files(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const name of (await readdir(this.folder)).sort()) {
      if (name !== '.filecloudsync') found[name] = await readFile(path.join(this.folder, name), 'utf8');
    }
    return found;
  }

  async #stampFile(): Promise<string> {
    const own = path.join(this.folder, '.filecloudsync');
    const name = (await readdir(own)).find((each) => each.startsWith('stamp'));
    if (name === undefined) throw new Error('the folder has no stamp');
    return path.join(own, name);
  }

  async build(): Promise<void> {
    await mkdir(this.folder);
    await mkdir(path.join(this.base, 'other-folder'));
    for (let i = 0; i < FILES; i++) await this.s3.put(BUCKET, `f${String(i).padStart(3, '0')}`, `content ${i}`);
    for (let i = 0; i < FILES; i++)
      await this.s3.put(OTHER_BUCKET, `f${String(i).padStart(3, '0')}`, `other content ${i}`);
    await this.sync(OTHER_BUCKET);
    const pairs = path.join(this.state, 'pairs');
    await cp(path.join(pairs, (await readdir(pairs))[0] ?? '', 'db'), this.otherDatabase, { recursive: true });
    const others = new Set(await readdir(pairs));
    await this.sync();
    const id = (await readdir(pairs)).find((each) => !others.has(each)) ?? '';
    this.#database = path.join(pairs, id, 'db');
    // Edited on both sides, deleted on both sides, and made again with the former content: an earlier memory believes the wrong things.
    await cp(this.state, this.earlierState, { recursive: true });
    for (let i = 0; i < 10; i++) await this.write(`f${String(i).padStart(3, '0')}`, `second ${i}`);
    for (let i = 10; i < 20; i++) await this.s3.remove(BUCKET, `f${String(i).padStart(3, '0')}`);
    await this.sync();
    for (let i = 0; i < 20; i++) await this.s3.put(BUCKET, `f${String(i).padStart(3, '0')}`, `content ${i}`);
    await this.sync();
    await this.sync();
    this.#stamp = await readFile(await this.#stampFile(), 'utf8');
    await cp(this.state, path.join(this.base, 'template'), { recursive: true });
  }

  /** One damage: nothing goes, nothing is overwritten, and the sync after it finds all in order. */
  async tryOne(seed: number): Promise<boolean> {
    const random = new SeededRandom(seed);
    await replace(this.state, path.join(this.base, 'template'));
    await writeFile(await this.#stampFile(), this.#stamp);
    // An object that was deleted on both sides, and comes back as it was; and one of each side that nobody knows yet.
    await this.write('only-local', `local ${seed}`);
    await this.s3.put(BUCKET, 'only-remote', `remote ${seed}`);
    const expected = { ...(await this.objects()), ...(await this.files()) };
    const names = (await readdir(this.#database)).filter((name) => name !== 'LOCK').sort();
    const [words, run] = DAMAGES[seed % DAMAGES.length] ?? random.pick(DAMAGES);
    const name = random.pick(names);
    await run({ state: this.state, database: this.#database, file: path.join(this.#database, name) }, random, this);
    const result = await this.sync();
    const told = `seed ${seed}, ${words} (${name})`;
    for (const side of [await this.files(), await this.objects()]) {
      for (const [key, content] of Object.entries(expected)) {
        if (side[key] !== content)
          throw new Error(
            `${told}: ${key} was ${content} and is ${side[key] ?? 'gone'}; ${JSON.stringify(result.changes)}`,
          );
      }
    }
    const after = await this.sync();
    if (after.changes.length > 0 || after.problems.length > 0 || after.rebuilt)
      throw new Error(`${told}: was not rebuilt by one run: ${JSON.stringify(after)}`);
    await rm(path.join(this.folder, 'only-local'));
    await rm(path.join(this.folder, 'only-remote'));
    await this.s3.remove(BUCKET, 'only-local');
    await this.s3.remove(BUCKET, 'only-remote');
    return result.rebuilt;
  }
}

/** Damages the state `count` times, with seeds `first`, `first + stride`, …; throws what was deleted or overwritten. */
export async function proveDamagedState(
  first: number,
  count: number,
  stride: number,
): Promise<{ readonly damages: number; readonly rebuilt: number }> {
  const base = await mkdtemp(path.join(tmpdir(), 'fcs-n12-'));
  try {
    const world = new DamageWorld(base);
    await world.build();
    let rebuilt = 0;
    for (let i = 0; i < count; i++) if (await world.tryOne(first + i * stride)) rebuilt++;
    world.client.destroy();
    return { damages: count, rebuilt };
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}
