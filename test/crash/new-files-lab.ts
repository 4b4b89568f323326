import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { optionTable } from '../../src/s3/option-table.js';
import { systemRuntime } from '../../src/s3/system-runtime.js';
import type { Bucket } from './bucket.js';
import type { CrashLab } from './crash-lab.js';
import { inLanes } from './enumerate.js';
import type { CommandOutcome } from './run-command.js';
import { OLD_MS } from './scenarios.js';
import { THREAD_STARTED } from './thread-started.js';
import { World } from './world.js';

/** The root is one of them. */
const DIRECTORIES = ['', 'a/', 'a/b/', 'c/', 'd/e/f/', 'g/', 'h/'];
const FILE_NAME = 'file-';
const MOST_BYTES = 8 * 1024;

/** When a process is killed: some time after this share of the files that were missing at its start has come. */
export interface Moment {
  readonly share: number;
  readonly laterMs: number;
}

/** What stood when a process was killed. */
export interface Killed {
  /** Files in their places. */
  readonly files: number;
  /** Files under a staged name. */
  readonly staged: number;
  /** Whether a second thread made files. */
  readonly hadThread: boolean;
}

/** What came of a download whose process was killed once, or oftener. */
export interface NewFilesReport {
  readonly kills: readonly Killed[];
  /** In sentences. */
  readonly wrong: readonly string[];
}

/** A side that is wrong in one way is often wrong in a thousand places. */
const MOST_TOLD = 10;

interface NewFile {
  readonly content: Buffer;
  readonly modifiedMs: number;
}

/** A bucket of many small objects, and folders into which they come down while the process is killed. */
export class NewFilesLab {
  readonly #lab: CrashLab;
  readonly #bucket: Bucket;
  readonly #files: ReadonlyMap<string, NewFile>;
  readonly #listing: string;

  private constructor(lab: CrashLab, bucket: Bucket, files: ReadonlyMap<string, NewFile>, listing: string) {
    this.#lab = lab;
    this.#bucket = bucket;
    this.#files = files;
    this.#listing = listing;
  }

  /** Fills a bucket of its own with so many objects. */
  static async fill(lab: CrashLab, count: number): Promise<NewFilesLab> {
    const bucket = await lab.bucket();
    const files = new Map(Array.from({ length: count }, (_, index) => newFile(index)));
    await inLanes([...files], ([key, { content, modifiedMs }]) => bucket.put(key, content, modifiedMs));
    return new NewFilesLab(lab, bucket, files, await listingOf(bucket));
  }

  /**
   * Downloads all into an empty folder by runs that are killed, one at each moment; then lets one run end, and one more.
   * A run that ends before its moment is no kill.
   */
  async round(moments: readonly Moment[]): Promise<NewFilesReport> {
    const world = new World(this.#bucket);
    const kills: Killed[] = [];
    const report = (wrong: readonly string[]): NewFilesReport => ({
      kills,
      wrong: wrong.length > MOST_TOLD ? [...wrong.slice(0, MOST_TOLD), `and so on: ${wrong.length} in all`] : wrong,
    });
    try {
      for (const moment of moments) {
        const killed = await this.#kill(world, moment);
        if (typeof killed === 'string') return report([`the run that was to be killed failed: ${killed}`]);
        if (killed === undefined) break;
        kills.push(killed);
        const wrong = this.#differences(world, 'whole');
        if (wrong.length > 0) return report(wrong.map((each) => `after the kill ${each}`));
      }
      return report(await this.#judge(world));
    } finally {
      world.dispose();
    }
  }

  /** What is wrong after the command was called again, and once more. */
  async #judge(world: World): Promise<string[]> {
    const stood = inodesOf(world);
    const next = await this.#sync(world);
    if (typeof next === 'string') return [`the next run failed: ${next}`];
    const wrong = next.problems.map((problem) => `the next run had a problem: ${problem}`);
    if (next.rebuilt) wrong.push('the memory was rebuilt');
    if (next.conflicts > 0) wrong.push(`the next run met ${next.conflicts} conflicts`);
    wrong.push(...(await this.#wrongIn(world)).map((each) => `after the next run ${each}`));
    const stands = inodesOf(world);
    const again = [...stood].filter(([path, inode]) => stands.get(path) !== inode);
    wrong.push(...again.map(([path]) => `${path} stood, and was made again`));
    if (wrong.length > 0) return wrong;

    const quiet = await this.#sync(world);
    if (typeof quiet === 'string') return [`the run after the next failed: ${quiet}`];
    if (quiet.changes + quiet.conflicts + quiet.problems.length > 0 || quiet.rebuilt)
      wrong.push(`the run after the next was not quiet: ${JSON.stringify(quiet)}`);
    wrong.push(...(await this.#wrongIn(world)).map((each) => `after the run after the next ${each}`));
    return wrong;
  }

  /** How folder and bucket differ from what was put into the bucket, and what was left behind. */
  async #wrongIn(world: World): Promise<string[]> {
    const wrong = this.#differences(world, 'complete');
    if ((await listingOf(this.#bucket)) !== this.#listing) wrong.push('the bucket is not what it was');
    wrong.push(...(await world.leftovers()).map((each) => `left behind: ${each}`));
    const trash = join(world.folder, '.filecloudsync/trash');
    if (existsSync(trash)) wrong.push(...readdirSync(trash).map((each) => `in the trash: ${each}`));
    return wrong;
  }

  /** What stands in the folder and is not what was put into the bucket; when `complete`, also what is missing. */
  #differences(world: World, wanted: 'whole' | 'complete'): string[] {
    const wrong: string[] = [];
    const paths = placesIn(world);
    for (const path of paths) {
      const file = this.#files.get(path);
      const at = join(world.folder, path);
      if (file === undefined) {
        wrong.push(`${path} stands, which nobody put there`);
        continue;
      }
      const content = readFileSync(at);
      if (!content.equals(file.content)) wrong.push(`${path} is torn: ${howTorn(content, file.content)}`);
      const { mtimeMs } = statSync(at);
      // What is below a microsecond is left of how Node.js takes times.
      if (Math.abs(mtimeMs - file.modifiedMs) >= 0.001)
        wrong.push(`${path} has the time ${mtimeMs} instead of ${file.modifiedMs}`);
    }
    if (wanted === 'complete') {
      const found = new Set(paths);
      wrong.push(...[...this.#files.keys()].filter((path) => !found.has(path)).map((path) => `${path} is missing`));
    }
    return wrong;
  }

  /** Kills a run at a moment. `undefined`: it ended before; words: it failed. */
  async #kill(world: World, { share, laterMs }: Moment): Promise<Killed | string | undefined> {
    const stood = countIn(world);
    const files = stood + Math.floor(share * (this.#files.size - stood));
    const { child, ended } = this.#start(world);
    while (child.exitCode === null && child.signalCode === null) {
      if (countIn(world) >= files) {
        await systemRuntime.clock.sleep(laterMs);
        break;
      }
      await systemRuntime.clock.sleep(1);
    }
    child.kill('SIGKILL');
    const { signal, failure, hadThread } = await ended;
    if (failure !== undefined) return failure;
    if (signal === null) return undefined;
    const tmp = join(world.folder, '.filecloudsync/tmp');
    return { files: countIn(world), staged: existsSync(tmp) ? readdirSync(tmp).length : 0, hadThread };
  }

  /** Words: it failed. */
  async #sync(world: World): Promise<CommandOutcome | string> {
    const { failure, outcome } = await this.#start(world).ended;
    return failure ?? outcome ?? 'the process was killed though nobody asked for it';
  }

  #start(world: World): { readonly child: ReturnType<CrashLab['start']>; readonly ended: Promise<Ended> } {
    const child = this.#lab.start({
      endpoint: this.#lab.endpoint,
      bucket: this.#bucket.name,
      folder: world.folder,
      stateDir: world.stateDir,
      command: { do: 'sync' },
      options: { concurrency: optionTable.concurrency.default },
      probes: false,
    });
    return { child, ended: endOf(child) };
  }
}

/** How a process ended. */
interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly hadThread: boolean;
  readonly outcome: CommandOutcome | undefined;
  readonly failure: string | undefined;
}

async function endOf(child: ReturnType<CrashLab['start']>): Promise<Ended> {
  let output = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  const lines = output.split('\n');
  const told = lines.find((line) => line.startsWith('{'));
  return {
    signal,
    hadThread: lines.includes(THREAD_STARTED),
    outcome: told === undefined ? undefined : (JSON.parse(told) as CommandOutcome),
    failure: code === 0 || signal === 'SIGKILL' ? undefined : `it ended with ${code ?? signal}: ${errors}`,
  };
}

/** Sizes from nothing to 8 KiB, and content of which any piece tells where it belongs. */
function newFile(index: number): [string, NewFile] {
  const key = `${DIRECTORIES[index % DIRECTORIES.length] ?? ''}${FILE_NAME}${String(index).padStart(4, '0')}`;
  const digest = createHash('md5').update(key).digest();
  const sizeBytes = index % 50 === 0 ? 0 : digest.readUInt32LE() % (MOST_BYTES + 1);
  const lines = Array.from({ length: Math.ceil(sizeBytes / 32) }, (_, line) => `${key} ${line}`.padEnd(31, '.') + '\n');
  const content = Buffer.from(lines.join('')).subarray(0, sizeBytes);
  return [key, { content, modifiedMs: OLD_MS + index * 1001 }];
}

function howTorn(found: Buffer, wanted: Buffer): string {
  const at = found.findIndex((byte, index) => byte !== wanted[index]);
  return `${found.length} of ${wanted.length} bytes, ${at === -1 ? 'the beginning' : `other ones from ${at} on`}`;
}

/** The paths of all files but our own, of directories as they are while they fill. */
function placesIn({ folder }: World): string[] {
  const paths: string[] = [];
  const walk = (below: string): void => {
    for (const item of readdirSync(join(folder, below), { withFileTypes: true })) {
      const path = below + item.name;
      if (path === '.filecloudsync') continue;
      if (item.isDirectory()) walk(`${path}/`);
      else paths.push(path);
    }
  };
  walk('');
  return paths;
}

/** How many of them there are, looked up so quickly that a run which goes on meanwhile is not held up. */
function countIn({ folder }: World): number {
  let count = 0;
  for (const directory of DIRECTORIES.map((each) => join(folder, each)))
    if (existsSync(directory)) count += readdirSync(directory).filter((name) => name.startsWith(FILE_NAME)).length;
  return count;
}

function inodesOf(world: World): Map<string, number> {
  return new Map(placesIn(world).map((path) => [path, statSync(join(world.folder, path)).ino]));
}

async function listingOf(bucket: Bucket): Promise<string> {
  return [...(await bucket.listing()).values()].join('\n');
}
