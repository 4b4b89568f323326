import { readFileSync, renameSync, utimesSync, writeFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createDefaultFileSystem } from '../../src/replica/local/default-file-system.js';
import type { S3Request, S3Response, S3Transport } from '../../src/replica/s3/transport.js';
import { createHttpTransport } from '../../src/replica/s3/http-transport.js';
import { systemRuntime } from '../../src/s3/system-runtime.js';
import { hookFileSystem } from '../../src/testing/fs/hooked-file-system.js';
import type { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { plainClient, runCommand, type CommandOutcome } from './run-command.js';
import { BLOCK_BYTES, stamped, versionOf } from './stamped.js';
import type { World } from './world.js';

const KIB = 1024;
/** Two or three reads, one request. */
const SMALL_BLOCKS = (300 * KIB) / BLOCK_BYTES;
/** Several requests, up (parts of 5 MiB) and down (ranges of a part). */
const LARGE_BLOCKS = (11 * KIB * KIB) / BLOCK_BYTES;
/** Small files go in five of these. */
const SMALL_PIECE_BYTES = 64 * KIB;
/** A file meets about so many operations while it is carried. */
const MOMENTS = 14;

/** What was tried, and what went wrong. */
export interface TornReport {
  /** Files whose content changed between the first look at it and the last step of its transfer. */
  readonly changedMeanwhile: number;
  readonly wrong: readonly string[];
}

/** Syncs a folder and a bucket whose files change at chosen moments of their own transfer. */
export class TornLab {
  readonly #world: World;
  readonly #endpoint: string;
  readonly #random: SeededRandom;
  readonly #versions = new Map<string, number>();
  /** Operations left until a file changes; absent: it is left alone. */
  readonly #fuses = new Map<string, number>();
  #change: (path: string) => Promise<void> = async () => {};
  #changes = 0;
  #wrong: string[] = [];

  constructor(world: World, endpoint: string, random: SeededRandom) {
    this.#world = world;
    this.#endpoint = endpoint;
    this.#random = random;
  }

  /** `count` files are written and uploaded, and change meanwhile. */
  async uploads(count: number, largeShare: number): Promise<TornReport> {
    return this.#round(
      count,
      largeShare,
      async (path, blocks) => this.#writeHere(path, blocks, 'in place'),
      (path) => {
        const how = this.#random.pick(['in place', 'in place, time kept', 'by another file'] as const);
        this.#writeHere(path, this.#sizeOf(path), how);
        return Promise.resolve();
      },
    );
  }

  /** `count` objects are written and downloaded, and are replaced meanwhile. */
  async downloads(count: number, largeShare: number): Promise<TornReport> {
    const write = (path: string, blocks: number): Promise<void> =>
      this.#world.bucket.put(path, stamped(this.#next(path), blocks));
    return this.#round(count, largeShare, write, (path) => write(path, this.#sizeOf(path)));
  }

  readonly #blocks = new Map<string, number>();

  #sizeOf(path: string): number {
    return this.#blocks.get(path) ?? SMALL_BLOCKS;
  }

  async #round(
    count: number,
    largeShare: number,
    write: (path: string, blocks: number) => Promise<void>,
    change: (path: string) => Promise<void>,
  ): Promise<TornReport> {
    this.#wrong = [];
    this.#changes = 0;
    for (let i = 0; i < count; i++) {
      const path = `f${i}`;
      this.#blocks.set(path, this.#random.chance(largeShare) ? LARGE_BLOCKS : SMALL_BLOCKS);
      await write(path, this.#sizeOf(path));
      this.#fuses.set(path, 1 + this.#random.below(MOMENTS));
    }
    this.#change = change;
    await this.#sync();
    await this.#check('after the sync');
    this.#fuses.clear();
    await this.#sync();
    await this.#check('after the next sync');
    await this.#checkEqual();
    return { changedMeanwhile: this.#changes, wrong: this.#wrong };
  }

  #writeHere(path: string, blocks: number, how: 'in place' | 'in place, time kept' | 'by another file'): void {
    const at = join(this.#world.folder, path);
    const content = stamped(this.#next(path), blocks);
    const before = how === 'in place, time kept' ? statSync(at) : undefined;
    if (how === 'by another file') {
      writeFileSync(`${at}.part`, content);
      renameSync(`${at}.part`, at);
    } else {
      writeFileSync(at, content, { flag: before === undefined ? 'w' : 'r+' });
    }
    if (before !== undefined) utimesSync(at, before.atime, before.mtime);
  }

  #next(path: string): number {
    const version = (this.#versions.get(path) ?? 0) + 1;
    this.#versions.set(path, version);
    return version;
  }

  async #sync(): Promise<CommandOutcome> {
    const { folder, stateDir, bucket } = this.#world;
    const transport = createHttpTransport({ client: plainClient(this.#endpoint), clock: systemRuntime.clock });
    return runCommand(
      {
        endpoint: this.#endpoint,
        bucket: bucket.name,
        folder,
        stateDir,
        command: { do: 'sync' },
        options: { concurrency: 4 },
        probes: false,
        // So that files of several parts meet their changes more often, and what is known of them is of other parts.
        pieceBytes: this.#random.chance(0.5) ? SMALL_PIECE_BYTES : undefined,
      },
      {
        fileSystem: hookFileSystem(createDefaultFileSystem(), async (operation) => {
          const space = operation.indexOf(' ');
          const path = relative(folder, operation.slice(space + 1));
          if (operation.startsWith('link .') || operation.startsWith(`link ${folder}/.filecloudsync/tmp/`))
            this.#checkStaged(join(folder, path));
          await this.#burn(path);
        }),
        transport: this.#watch(transport),
      },
    );
  }

  /** One moment in the transfer of a file. */
  async #burn(path: string): Promise<void> {
    const left = this.#fuses.get(path);
    if (left === undefined) return;
    this.#fuses.set(path, left - 1);
    if (left !== 1) return;
    this.#fuses.delete(path);
    this.#changes += 1;
    await this.#change(path);
  }

  #watch(inner: S3Transport): S3Transport {
    const burn = (path: string): Promise<void> => this.#burn(path);
    const whole = (request: S3Request): void => this.#checkBody(request);
    return {
      async send(request) {
        const { key = '' } = request;
        await burn(key);
        const answering = inner.send(request);
        answering.catch(() => {});
        await burn(key);
        const answer = await answering;
        if (answer.status < 300) whole(request);
        await burn(key);
        return { ...answer, body: watchBody(answer, () => burn(key)) };
      },
      close: () => inner.close(),
    };
  }

  /** A file of one piece has to be whole when it is sent. Parts are looked at once they are an object. */
  #checkBody({ method, key, query, body }: S3Request): void {
    if (method !== 'PUT' || key === undefined || body === undefined || 'partNumber' in query) return;
    if (versionOf(Buffer.from(body)) === undefined) this.#wrong.push(`a torn object was sent to ${key}`);
  }

  #checkStaged(path: string): void {
    // The disk is tried out with an empty file.
    const content = readFileSync(path);
    if (content.length > 0 && versionOf(content) === undefined)
      this.#wrong.push('a mixed file was about to be put into place');
  }

  async #check(when: string): Promise<void> {
    for (const path of this.#blocks.keys()) {
      if (versionOf(readFileSync(join(this.#world.folder, path))) === undefined)
        this.#wrong.push(`${when} ${path} is mixed`);
      const object = await this.#world.bucket.getBytes(path);
      if (versionOf(object) === undefined) this.#wrong.push(`${when} the object ${path} is torn`);
    }
  }

  async #checkEqual(): Promise<void> {
    for (const path of this.#blocks.keys()) {
      const here = versionOf(readFileSync(join(this.#world.folder, path)));
      const there = versionOf(await this.#world.bucket.getBytes(path));
      const last = this.#versions.get(path);
      if (here !== last || there !== last)
        this.#wrong.push(`${path} is version ${here} in the folder and ${there} in the bucket, the last was ${last}`);
    }
    const left = await this.#world.leftovers();
    this.#wrong.push(...left.map((each) => `left behind: ${each}`));
  }
}

async function* watchBody(answer: S3Response, onChunk: () => Promise<void>): AsyncGenerator<Uint8Array> {
  for await (const chunk of answer.body) {
    await onChunk();
    yield chunk;
  }
}
