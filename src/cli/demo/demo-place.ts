import { cp, mkdir, readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { UsageError } from '../../errors.js';
import { displayPath } from '../escape-text.js';

/** Where the demo keeps everything. A pair belongs to an endpoint, so an earlier demo's port is used again where it can be. */
export interface DemoPlace {
  readonly root: string;
  readonly bucketData: string;
  readonly folder: string;
  readonly machineB: string;
  readonly state: string;
  readonly stateB: string;
  /** The port that an earlier demo had. */
  readonly port: number | undefined;
}

const MARK = 'filecloudsync-demo.txt';
const PORT_FILE = 'port.txt';
const MARK_TEXT = 'Made by "filecloudsync demo". Delete this whole folder when you are done with it.\n';

const SAMPLE: Readonly<Record<string, string>> = {
  'readme.txt': 'This folder and a bucket are kept the same. Change something on either side.\n',
  'letters/hello.txt': 'Hello from this folder.\n',
  'photos/2026/beach.svg': '<svg xmlns="http://www.w3.org/2000/svg"><circle cx="9" cy="9" r="8" fill="gold"/></svg>\n',
  'photos/2026/über den Wolken.txt': 'Names may hold spaces and any letters: 雲.\n',
};

/**
 * Makes the place, or finds it as an earlier demo left it, and fills the folder: with a copy of `source`, or with samples.
 *
 * @throws UsageError `ERR_DEMO_PLACE` when the folder exists and is not a demo's.
 */
export async function prepareDemoPlace(root: string, source: string | undefined): Promise<DemoPlace> {
  const names = await readdir(root).catch((): string[] => []);
  if (names.length > 0 && !names.includes(MARK)) {
    throw new UsageError(
      'ERR_DEMO_PLACE',
      `${displayPath(root)} exists and is no demo. Name another folder with --dir; nothing was touched.`,
    );
  }
  const place: DemoPlace = {
    root,
    bucketData: join(root, 'bucket-data'),
    folder: join(root, 'folder'),
    machineB: join(root, 'machine-b'),
    state: join(root, 'state'),
    stateB: join(root, 'state-b'),
    port: await readPort(root),
  };
  await checkSource(source, root);
  await mkdir(root, { recursive: true });
  await writeFile(join(root, MARK), MARK_TEXT);
  for (const folder of [place.folder, place.machineB]) await mkdir(folder, { recursive: true });
  if (source === undefined) {
    for (const [path, content] of Object.entries(SAMPLE)) await writeNew(join(place.folder, path), content);
  } else {
    // An earlier demo's edits stay; only what is not there yet is copied.
    await cp(source, place.folder, {
      recursive: true,
      force: false,
      filter: (from) => !/[\\/]\.filecloudsync$/.test(from),
    });
  }
  return place;
}

/** Remembers the port for the next demo in this place. */
export async function rememberPort(place: DemoPlace, endpoint: string): Promise<void> {
  await writeFile(join(place.root, PORT_FILE), `${new URL(endpoint).port}\n`);
}

async function readPort(root: string): Promise<number | undefined> {
  const text = await readFile(join(root, PORT_FILE), 'utf8').catch(() => '');
  return /^\d{1,5}\n$/.test(text) ? Number(text) : undefined;
}

async function checkSource(source: string | undefined, root: string): Promise<void> {
  if (source === undefined) return;
  const found = await stat(source).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new UsageError(
      'ERR_FOLDER_MISSING',
      `The folder ${displayPath(source)} does not exist. Check the path, or name none: the demo brings its own files.`,
    );
  }
  const way = relative(source, root);
  if (!way.startsWith('..') && resolve(way) !== way) {
    throw new UsageError(
      'ERR_DEMO_PLACE',
      `The demo's own folder ${displayPath(root)} would lie in the folder that it copies. Name another one with --dir.`,
    );
  }
}

async function writeNew(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Writes a file below a folder of the demo. */
export async function writeDemoFile(folder: string, path: string, content: string): Promise<void> {
  const target = join(folder, path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, content);
}

/** Deletes a file below a folder of the demo, when it is there. */
export async function removeDemoFile(folder: string, path: string): Promise<void> {
  await unlink(join(folder, path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** The regular files of a folder and their bytes, by path; the program's own left out. */
export async function readTree(folder: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = relative(folder, join(entry.parentPath, entry.name)).split('\\').join('/');
    if (entry.isFile() && !path.startsWith('.filecloudsync/')) files.set(path, await readFile(join(folder, path)));
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}
