import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Entry, FileEntry } from '../../src/core/entry.js';
import type { Runtime } from '../../src/core/runtime.js';
import { SimulatedFileSystem } from '../../src/testing/fs/simulated-file-system.js';
import type { SimulatedFileSystemOptions } from '../../src/testing/fs/simulated-file-system.js';
import type { PathFilter, ScanPage, Source } from '../../src/replica/replica.js';
import type { FileSystem } from '../../src/replica/local/file-system.js';
import { createLocalReplica } from '../../src/replica/local/local-replica.js';
import type { LocalReplica, LocalReplicaOptions } from '../../src/replica/local/local-replica.js';
import { NewFiles } from '../../src/replica/local/new-files.js';
import { NewFilesThread } from '../../src/replica/local/new-files-thread.js';
import { createNodeFileSystem } from '../../src/replica/local/node-file-system.js';
import { createPortableFileSystem } from '../../src/replica/local/portable-file-system.js';

/** A disk with a folder and a place outside of it, the same for tests on real and simulated disks. */
export interface World {
  readonly name: string;
  readonly root: string;
  readonly fileSystem: FileSystem;
  readonly runtime: Runtime;
  /** Small files are made by another thread: sources have their content at hand. */
  readonly makesMany?: boolean;
  write(path: string, data: string | Uint8Array, modifiedMs?: number): void;
  read(path: string): string | undefined;
  remove(path: string): void;
  rename(from: string, to: string): void;
  symlink(target: string, path: string): void;
  makeDirectory(path: string): void;
  /** Paths and contents of all files in the folder, without `.filecloudsync`. Directories end in `/`. */
  tree(): Record<string, string>;
  /** Paths of everything in `.filecloudsync/tmp`. */
  staged(): string[];
  /** Everything in `.filecloudsync/trash`. */
  trashTree(): Record<string, string>;
  /** Everything outside of the folder. */
  outside(): Record<string, string>;
  /** How many directories and files the replica holds open; 0 on a real disk, which does not tell. */
  openHandles(): number;
  dispose(): void;
}

/** A file that is old enough not to be racy. */
export const OLD_MS = 1_600_000_000_123;

export function testRuntime(clock: { nowMs(): number }): Runtime {
  let count = 0;
  return {
    clock: { nowMs: () => clock.nowMs(), sleep: async () => {} },
    random: {
      next: () => (count++ * 0.618_033_988_7) % 1,
      id: (length) => (count++).toString(36).padStart(length, '0'),
    },
  };
}

export function realWorld(name: string, create: () => FileSystem, makesMany = false): World {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'filecloudsync-'));
  const root = path.join(base, 'folder');
  fs.mkdirSync(root);
  fs.mkdirSync(path.join(base, 'outside'));
  fs.writeFileSync(path.join(base, 'outside', 'canary'), 'canary');
  const at = (p: string): string => (p.startsWith('/') ? path.join(base, p) : path.join(root, p));
  const read = (p: string): Record<string, string> => {
    const found: Record<string, string> = {};
    const walk = (directory: string, prefix: string): void => {
      for (const item of fs.readdirSync(directory, { withFileTypes: true })) {
        const full = path.join(directory, item.name);
        if (item.isDirectory()) {
          found[`${prefix}${item.name}/`] = 'directory';
          walk(full, `${prefix}${item.name}/`);
        } else if (item.isSymbolicLink()) {
          found[prefix + item.name] = `-> ${fs.readlinkSync(full)}`;
        } else {
          found[prefix + item.name] = item.isFile() ? fs.readFileSync(full, 'utf8') : 'other';
        }
      }
    };
    if (fs.existsSync(p)) walk(p, '');
    return found;
  };
  return {
    name,
    root,
    fileSystem: create(),
    makesMany,
    runtime: testRuntime({ nowMs: () => performance.timeOrigin + performance.now() }),
    write(p, data, modifiedMs = OLD_MS) {
      fs.mkdirSync(path.dirname(at(p)), { recursive: true });
      fs.writeFileSync(at(p), data);
      fs.utimesSync(at(p), modifiedMs / 1000 + 2e-7, modifiedMs / 1000 + 2e-7);
    },
    read: (p) => (fs.existsSync(at(p)) ? fs.readFileSync(at(p), 'utf8') : undefined),
    remove: (p) => fs.rmSync(at(p), { recursive: true, force: true }),
    rename: (from, to) => fs.renameSync(at(from), at(to)),
    symlink: (target, p) => fs.symlinkSync(target.startsWith('/') ? path.join(base, target) : target, at(p)),
    makeDirectory: (p) => fs.mkdirSync(at(p), { recursive: true }),
    tree: () => withoutOwn(read(root)),
    staged: () => Object.keys(read(path.join(root, '.filecloudsync/tmp'))),
    trashTree: () => read(path.join(root, '.filecloudsync/trash')),
    outside: () => read(path.join(base, 'outside')),
    openHandles: () => 0,
    dispose: () => fs.rmSync(base, { recursive: true, force: true }),
  };
}

export function simulatedWorld(
  options: SimulatedFileSystemOptions = {},
): World & { readonly disk: SimulatedFileSystem } {
  let nowMs = 1_700_000_000_000;
  const clock = { nowMs: () => (nowMs += 0.25) };
  const disk = new SimulatedFileSystem({ clock, ...options });
  const { user } = disk;
  user.writeFile('/outside/canary', 'canary');
  const flat = (at: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(user.tree(at)).map(([p, node]) => [p, typeof node === 'string' ? node : `-> ${node.symlink}`]),
    );
  return {
    name: 'simulated disk',
    root: disk.root,
    fileSystem: disk,
    makesMany: options.makesMany ?? false,
    runtime: testRuntime(clock),
    disk,
    write: (p, data, modifiedMs = OLD_MS) => user.writeFile(p, data, { modifiedMs }),
    read: (p) => (user.find(p) === undefined ? undefined : user.readText(p)),
    remove: (p) => user.remove(p),
    rename: (from, to) => user.rename(from, to),
    symlink: (target, p) => user.symlink(target, p),
    makeDirectory: (p) => user.makeDirectory(p),
    tree: () => withoutOwn(flat('')),
    staged: () => Object.keys(flat('.filecloudsync/tmp')),
    trashTree: () => flat('.filecloudsync/trash'),
    outside: () => flat('/outside'),
    openHandles: () => disk.openHandles,
    dispose: () => {},
  };
}

const SIMULATED: readonly (readonly [string, () => World])[] = [
  ['a simulated disk', () => simulatedWorld()],
  ['a simulated disk, small files made by another thread', () => simulatedWorld({ makesMany: true })],
];

/** The kinds of disk on which everything has to hold; a mutation run has no time for real ones. */
export const WORLDS: readonly (readonly [string, () => World])[] =
  process.env['FCS_MUTATION_TESTS'] === undefined
    ? [
        ['a disk held by descriptors', () => realWorld('descriptors', createNodeFileSystem)],
        [
          'a disk held by descriptors, small files made by another thread',
          () => realWorld('threads', () => createNodeFileSystem(new NewFiles(() => NewFilesThread.start(), 1)), true),
        ],
        ['a disk held by paths', () => realWorld('paths', createPortableFileSystem)],
        ...SIMULATED,
      ]
    : SIMULATED;

function withoutOwn(tree: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).filter(([p]) => !p.startsWith('.filecloudsync/')));
}

export function replicaOf(world: World, options: Partial<LocalReplicaOptions> = {}): LocalReplica {
  const replica = createLocalReplica({
    root: world.root,
    fileSystem: world.fileSystem,
    runtime: world.runtime,
    pathRules: 'linux',
    runId: 'run1',
    ...options,
  });
  if (world.makesMany !== true) return replica;
  return {
    ...replica,
    write: (p, source, ...rest) => replica.write(p, withContent(source), ...rest),
  };
}

/** The source, with its content at hand if it is one of {@link sourceOf} that was left as it is. */
export function withContent(source: Source): Source {
  const bytes = contents.get(source.read);
  return bytes === undefined || source.content !== undefined ? source : Object.assign(source, { content: () => bytes });
}

/** What is read by the sources of {@link sourceOf}. */
const contents = new WeakMap<Source['read'], Uint8Array>();

export async function preparedReplica(world: World, options: Partial<LocalReplicaOptions> = {}): Promise<LocalReplica> {
  const replica = replicaOf(world, options);
  await replica.prepare({ readonly: false });
  return replica;
}

export const ALL: PathFilter = { includesFile: () => true, mayContain: () => true };

export async function scanAll(
  replica: LocalReplica,
  filter: PathFilter = ALL,
): Promise<{ entries: Entry[]; problems: ScanPage['problems'] }> {
  const entries: Entry[] = [];
  const problems: ScanPage['problems'][number][] = [];
  for await (const page of replica.scan({ filter })) {
    entries.push(...page.entries);
    problems.push(...page.problems);
  }
  return { entries, problems };
}

export async function observeFile(replica: LocalReplica, p: string): Promise<FileEntry> {
  const entry = await replica.observe(p);
  if (entry?.kind !== 'file') throw new Error(`no file at ${p}: ${JSON.stringify(entry)}`);
  return entry;
}

/** Content as it might come from a bucket. */
export function sourceOf(
  data: string | Uint8Array,
  options: Partial<FileEntry> & { onVerify?: () => void; chunk?: number } = {},
): Source & { reads: number } {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  const { onVerify, chunk = 1 << 16, ...rest } = options;
  const source: Source & { reads: number } = {
    reads: 0,
    entry: {
      kind: 'file',
      path: 'x',
      sizeBytes: bytes.length,
      fingerprint: 'etag',
      modifiedMs: OLD_MS + 5000,
      modifiedSource: 'mtime',
      ...rest,
    },
    async *read(start, end) {
      this.reads += 1;
      for (let at = start; at < end; at += chunk) {
        // Memory of a chunk holds until the next one is asked for.
        const lent = bytes.slice(at, Math.min(at + chunk, end));
        yield lent;
        lent.fill(0xdd);
      }
    },
    async verify() {
      onVerify?.();
    },
    async close() {},
  };
  contents.set(source.read, bytes);
  return source;
}

export function expecting(entry: FileEntry): { fingerprint: string; entry: FileEntry } {
  return { fingerprint: entry.fingerprint, entry };
}
