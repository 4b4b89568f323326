import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventLoopTurns } from './event-loop-turns.js';
import { errnoOf, type DirectoryHandle, type FileLook } from './file-system.js';
import { fileEntryOf } from './fingerprint.js';
import { placeOf, type Glance, type GlancedDirectory, type GlancePlace } from './glanced-directory.js';
import { createNodeFileSystem } from './node-file-system.js';
import { createPortableFileSystem } from './portable-file-system.js';
import { StatQueue } from './stat-queue.js';
import { StatThread } from './stat-thread.js';

let base = '';
beforeEach(() => {
  base = fs.mkdtempSync(path.join(os.tmpdir(), 'filecloudsync-'));
});
afterEach(() => fs.rmSync(base, { recursive: true, force: true }));

const folderOf = (name: string, files: number): string => {
  const folder = path.join(base, name);
  fs.mkdirSync(folder);
  for (let i = 0; i < files; i++) fs.writeFileSync(path.join(folder, `f${i}`), 'x'.repeat(i % 7));
  return folder;
};
const namesOf = (files: number): string[] => Array.from({ length: files }, (_, i) => `f${i}`);

/** The handles of both file systems look at names themselves as well. */
const opened = async (folder: string, create = createNodeFileSystem): Promise<DirectoryHandle & GlancedDirectory> =>
  (await create().openRoot(folder)) as DirectoryHandle & GlancedDirectory;

/** Counts the names that are looked at here, and may lie about where the directory is. */
const watched = (
  inner: GlancedDirectory,
  fastPath: () => GlancePlace | undefined = () => placeOf(inner),
): GlancedDirectory & { looks: number } => ({
  looks: 0,
  fastPath,
  glance(name, prefix) {
    this.looks++;
    return inner.glance(name, prefix);
  },
});

const threads: StatThread[] = [];
afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.stop()));
});
const startThread = (): StatThread | undefined => {
  const thread = StatThread.start(60_000);
  if (thread !== undefined) threads.push(thread);
  return thread;
};

/** A queue whose thread is there and has answered. */
const busyQueue = async (warmUp: GlancedDirectory): Promise<StatQueue> => {
  const queue = new StatQueue(new EventLoopTurns(), startThread, 1);
  await queue.look(warmUp, ['f0']);
  expect(queue.namesAhead).toBeGreaterThan(0);
  return queue;
};

const NOW_MS = Date.now() + 60_000;

/** Everything that an entry is made of. */
const entryOf = (look: Glance | undefined): unknown => {
  if (look === null || look === undefined) return look;
  if (look instanceof Error) return errnoOf(look);
  const { type, sizeBytes, mtimeNs, ctimeNs, inode } = look;
  return { type, sizeBytes, mtimeNs, ctimeNs, inode, entry: type === 'file' && fileEntryOf('p', look, NOW_MS) };
};

const severalAtOnce = (queue: StatQueue, jobs: readonly (readonly [GlancedDirectory, readonly string[]])[]) =>
  Promise.all(jobs.map(([directory, names]) => queue.look(directory, names)));

describe.each([
  ['a disk held by descriptors', createNodeFileSystem],
  ['a disk held by paths', createPortableFileSystem],
])('StatQueue on %s', (_name, create) => {
  it('says with a thread what it says without one, to the nanosecond', async () => {
    const folder = folderOf('folder', 600);
    fs.symlinkSync('f1', path.join(folder, 'link'));
    fs.mkdirSync(path.join(folder, 'directory'));
    fs.writeFileSync(path.join(folder, 'späte Ärzte 😀'), 'x');
    fs.utimesSync(path.join(folder, 'f3'), -1.5, -1.5);
    fs.utimesSync(path.join(folder, 'f4'), 4_000_000_000.123, 4_000_000_000.123);
    const directory = await opened(folder, create);
    const names = [...namesOf(600), 'link', 'directory', 'späte Ärzte 😀', 'missing', 'n'.repeat(300)];
    const alone = await new StatQueue(new EventLoopTurns(), () => undefined).look(directory, names);
    const counted = watched(directory);
    const queue = await busyQueue(counted);
    const before = counted.looks;
    const jobs = [0, 1, 2, 3].map(() => [counted, names] as const);
    for (const answers of await severalAtOnce(queue, jobs)) {
      expect(answers.map(entryOf)).toEqual(alone.map(entryOf));
    }
    // What the thread cannot see is looked at here, and two of the four are not given to it.
    expect(counted.looks - before).toBeLessThan(3 * names.length);
    await directory.close();
  });
});

describe('StatQueue', () => {
  it('believes nothing of a thread that looked into another directory', async () => {
    const [folder, other] = [folderOf('folder', 40), folderOf('other', 80)];
    const directory = await opened(folder);
    const place = placeOf(directory) as GlancePlace;
    // The path is that of the other directory, as if the two had been exchanged.
    const moved = watched(directory, () => ({ ...place, prefix: `${other}/` }));
    const queue = await busyQueue(directory);
    const first = watched(directory);
    const [, , , answers] = await severalAtOnce(queue, [
      [first, namesOf(40)],
      [first, namesOf(40)],
      [first, namesOf(40)],
      [moved, namesOf(80)],
    ]);
    expect(answers?.filter((answer) => answer !== null)).toHaveLength(40);
    await directory.close();
  });

  it('looks at everything itself when the thread ends in the middle', async () => {
    const directory = await opened(folderOf('folder', 300));
    const startAndStop = (): StatThread | undefined => {
      const thread = startThread();
      void thread?.stop();
      return thread;
    };
    const queue = new StatQueue(new EventLoopTurns(), startAndStop, 1);
    for (let round = 0; round < 3; round++) {
      const jobs = Array.from({ length: 6 }, () => [directory, namesOf(300)] as const);
      for (const answers of await severalAtOnce(queue, jobs)) {
        expect(answers.map((answer) => (answer as FileLook).type)).toEqual(Array(300).fill('file'));
      }
    }
    await directory.close();
  });

  it('tries no other thread when one ended that never answered', async () => {
    const directory = await opened(folderOf('folder', 30));
    const ended = startThread();
    await ended?.stop();
    let started = 0;
    const startEnded = (): StatThread | undefined => {
      started++;
      return ended;
    };
    const queue = new StatQueue(new EventLoopTurns(), startEnded, 1);
    for (let round = 0; round < 3; round++) await queue.look(directory, namesOf(30));
    expect(started).toBe(1);
    expect(queue.namesAhead).toBe(0);
    await directory.close();
  });

  it('starts another thread when one that was of use has ended', async () => {
    const directory = await opened(folderOf('folder', 300));
    const queue = await busyQueue(directory);
    await severalAtOnce(
      queue,
      Array.from({ length: 6 }, () => [directory, namesOf(300)] as const),
    );
    const [first] = threads;
    expect(first?.hasAnswered).toBe(true);
    await first?.stop();
    expect(queue.namesAhead).toBe(0);
    await queue.look(directory, ['f0']);
    expect(queue.namesAhead).toBeGreaterThan(0);
    expect(threads).toHaveLength(2);
    await directory.close();
  });

  it('answers where no path is known to lead, or that cannot be found out', async () => {
    const directory = await opened(folderOf('folder', 20));
    const queue = await busyQueue(directory);
    const nowhere = watched(directory, () => undefined);
    const failing = watched(directory, () => {
      throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
    });
    const all = await severalAtOnce(
      queue,
      [nowhere, failing, nowhere, failing, nowhere].map((one) => [one, namesOf(21)] as const),
    );
    for (const answers of all) {
      expect(answers.slice(0, 20).every((answer) => (answer as FileLook).type === 'file')).toBe(true);
      expect(answers[20]).toBeNull();
    }
    await directory.close();
  });
});

describe('StatThread', () => {
  it('ends by itself when nothing is asked of it', async () => {
    const thread = StatThread.start(1);
    expect(thread).toBeDefined();
    await thread?.ended;
    expect(thread?.hasEnded).toBe(true);
    expect(await thread?.look([])).toBeUndefined();
  });
});
