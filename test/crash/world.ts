import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Bucket } from './bucket.js';
import { plainPath } from './failpoints.js';
import { OLD_MS, type ScenarioWorld } from './scenarios.js';

/** Everything there is, by name; what chance put into names is taken out. Values are contents. */
export interface Picture {
  readonly folder: readonly string[];
  readonly bucket: readonly string[];
  readonly trash: readonly string[];
}

/** A folder on the real disk, a bucket, a place for state: what one machine works with. */
export class World implements ScenarioWorld {
  readonly bucket: Bucket;
  readonly folder: string;
  readonly stateDir: string;
  readonly #base: string;

  constructor(bucket: Bucket) {
    this.bucket = bucket;
    this.#base = mkdtempSync(join(tmpdir(), 'fcs-crash-'));
    this.folder = join(this.#base, 'folder');
    this.stateDir = join(this.#base, 'state');
    mkdirSync(this.folder);
  }

  write(path: string, content: string | Uint8Array, modifiedMs = OLD_MS): void {
    const at = join(this.folder, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, content);
    utimesSync(at, modifiedMs / 1000, modifiedMs / 1000);
  }

  remove(path: string): void {
    rmSync(join(this.folder, path), { recursive: true });
  }

  rename(path: string, to: string): void {
    mkdirSync(dirname(join(this.folder, to)), { recursive: true });
    renameSync(join(this.folder, path), join(this.folder, to));
  }

  makeDirectory(path: string): void {
    mkdirSync(join(this.folder, path), { recursive: true });
  }

  /** Everything that stands now, sorted. */
  async picture(): Promise<Picture> {
    const shown = (entries: Iterable<readonly [string, string]>): string[] =>
      Array.from(entries, ([name, content]) => `${plainPath(name)} = ${short(content)}`).toSorted();
    return {
      folder: shown(Object.entries(this.#files()).filter(([path]) => !path.startsWith('.filecloudsync/'))),
      bucket: shown(await this.bucket.objects()),
      trash: this.#trashed().map(short).toSorted(),
    };
  }

  /** The whole contents that stand anywhere: current, in a conflict copy, or in the trash. */
  async contents(): Promise<Set<string>> {
    const files = Object.entries(this.#files()).filter(([path]) => !path.startsWith('.filecloudsync/'));
    return new Set([
      ...files.map(([, content]) => content),
      ...this.#trashed(),
      ...(await this.bucket.objects()).values(),
    ]);
  }

  /** What a run should have taken away, and did not. */
  async leftovers(): Promise<string[]> {
    const own = Object.keys(this.#files()).filter((path) => path.startsWith('.filecloudsync/'));
    const staged = own.filter((path) => path.startsWith('.filecloudsync/tmp/'));
    const trash = join(this.folder, '.filecloudsync/trash');
    const items = existsSync(trash) ? readdirSync(trash) : [];
    const broken = items.filter((id) => readdirSync(join(trash, id)).toSorted().join() !== 'content,item.json');
    // Once the folder is gone no command about it can take anything away; the next of another pair takes the same names.
    const state =
      existsSync(this.folder) && existsSync(this.stateDir)
        ? readdirSync(this.stateDir, { recursive: true, encoding: 'utf8' })
        : [];
    return [
      ...staged,
      ...broken.map((id) => `trash item ${id}: ${readdirSync(join(trash, id)).join()}`),
      ...(await this.bucket.keys()).filter((key) => key.startsWith('.filecloudsync/')).map((key) => `object ${key}`),
      ...(await this.bucket.uploads()).map((key) => `unfinished upload of ${key}`),
      ...state.filter((name) => name.endsWith('.tmp') || name.includes('.damaged-')).map((name) => `state ${name}`),
    ];
  }

  dispose(): void {
    rmSync(this.#base, { recursive: true, force: true });
  }

  #files(): Record<string, string> {
    const files: Record<string, string> = {};
    if (!existsSync(this.folder)) return files;
    for (const name of readdirSync(this.folder, { recursive: true, encoding: 'utf8' })) {
      if (statSync(join(this.folder, name)).isFile()) files[name] = readFileSync(join(this.folder, name), 'utf8');
    }
    return files;
  }

  #trashed(): string[] {
    return Object.entries(this.#files())
      .filter(([path]) => /^\.filecloudsync\/trash\/[^/]+\/content$/.test(path))
      .map(([, content]) => content);
  }
}

/** Long contents by their length and their first words. */
export function short(content: string): string {
  return content.length <= 60 ? content : `${content.slice(0, 40)}… (${content.length})`;
}
