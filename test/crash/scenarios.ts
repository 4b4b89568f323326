import type { SyncOptions } from '../../src/s3/sync-options.js';
import type { Command } from './run-command.js';

/** What a scenario does by hand, on both sides: on a real disk, or on a simulated one. */
export interface ScenarioWorld {
  write(path: string, content: string, modifiedMs?: number): void;
  remove(path: string): void;
  makeDirectory(path: string): void;
  /** Gives a file or a folder another path. */
  rename(path: string, to: string): void;
  readonly bucket: {
    put(key: string, content: string, modifiedMs?: number): Promise<void>;
    /** Puts an object of so many bytes a part there, as another machine does with a large file. */
    putInParts(key: string, content: string, partBytes: number): Promise<void>;
    remove(key: string): Promise<void>;
    /** Copies an object within the bucket, and removes the old one. */
    rename(key: string, to: string): Promise<void>;
  };
}

/** Old enough not to be taken for a file that is still being written. */
export const OLD_MS = Date.UTC(2024, 0, 1);

/** One operation in which the process is killed at every step. */
export interface Scenario {
  readonly name: string;
  /** What both sides have agreed on before; `undefined`: the pair has never been synchronised. */
  readonly agreed?: (world: ScenarioWorld) => Promise<void> | void;
  /** What is different when the command is called. */
  readonly change?: (world: ScenarioWorld) => Promise<void> | void;
  /** Default: sync. */
  readonly command?: Command;
  readonly options?: SyncOptions;
  readonly probes?: boolean;
  /** Large files are divided into pieces of so many bytes. */
  readonly pieceBytes?: number;
  /** Bytes of content that come down when nobody is killed. */
  readonly fetchedBytes?: number;
  /** What is called after the kill. Default: the same command. */
  readonly again?: Command;
  /** Paths at which a file has to stand in the end, whatever came between. */
  readonly stands?: readonly string[];
  /** What a person does between the kill and the next run. */
  readonly between?: (world: ScenarioWorld) => Promise<void> | void;
  /** Taken by `npm test` as well, one scenario of each kind: the steps between two truths, at which it kills in any case. */
  readonly dangers?: readonly string[];
  /** Contents of which each has to be somewhere at every instant. */
  readonly kept: readonly string[];
}

const MIB = 1024 * 1024;
const MINUTE_MS = 60_000;

/** Content of six MiB, which goes in two parts. */
function large(mark: string): string {
  return mark.repeat(Math.ceil((6 * MIB) / mark.length)).slice(0, 6 * MIB);
}

const V1 = 'one: the version both agreed on';
const LOCAL = 'two: what was written in the folder';
const REMOTE = 'three: what was written in the bucket, and longer';
const OTHER = 'a file that nobody touches';
const BIG1 = large('big one ');
const BIG2 = large('big two ');

/** Files of several pieces: of each the marks say what it holds. */
const PIECE = 64;
function pieces(...marks: readonly string[]): string {
  return marks.map((mark) => `${mark} `.repeat(PIECE).slice(0, PIECE)).join('');
}
const LONG1 = pieces('the first', 'second', 'third', 'fourth', 'the end');
const LONG1_EDITED = pieces('the first', 'second', 'another', 'fourth', 'the end');
const LONG2 = pieces('other', 'content', 'of the', 'same', 'length');

/** Two files, so that no side is ever empty. */
function agreedOn(path: string, content = V1): (world: ScenarioWorld) => void {
  return (world) => {
    world.write(path, content);
    world.write('other', OTHER);
  };
}

function bothChanged(path: string, newer: 'local' | 'bucket'): (world: ScenarioWorld) => Promise<void> {
  return async (world) => {
    world.write(path, LOCAL, OLD_MS + (newer === 'local' ? 2 : 1) * MINUTE_MS);
    await world.bucket.put(path, REMOTE, OLD_MS + (newer === 'local' ? 1 : 2) * MINUTE_MS);
  };
}

/** Every operation there is. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'first sync, the store is tried out',
    change: async (world) => {
      world.write('a/local', LOCAL);
      await world.bucket.put('b/remote', REMOTE);
      world.write('both', V1);
      await world.bucket.put('both', V1);
    },
    probes: true,
    kept: [LOCAL, REMOTE, V1],
  },
  {
    name: 'upload of a new file',
    agreed: agreedOn('f'),
    change: (world) => world.write('a/b/new', LOCAL),
    kept: [V1, LOCAL],
  },
  {
    name: 'upload of an edit',
    agreed: agreedOn('f'),
    change: (world) => world.write('f', LOCAL),
    dangers: ['s3:PUT f answered #1'],
    kept: [LOCAL, OTHER],
  },
  {
    name: 'upload in parts',
    agreed: agreedOn('f'),
    change: (world) => world.write('big', BIG1),
    dangers: ['s3:POST big?uploads answered #1', 's3:PUT big?partNumber=2&uploadId answered #1'],
    kept: [V1, BIG1],
  },
  {
    name: 'upload of an edit in parts',
    agreed: agreedOn('big', BIG1),
    change: (world) => world.write('big', BIG2),
    kept: [BIG2, OTHER],
  },
  {
    name: 'upload of an edit of one part among many',
    agreed: agreedOn('long', LONG1),
    change: (world) => world.write('long', LONG1_EDITED),
    pieceBytes: PIECE,
    dangers: ['s3:PUT long?partNumber=4&uploadId copy answered #1', 's3:POST long?uploadId answered #1'],
    kept: [LONG1_EDITED, OTHER],
  },
  {
    name: 'upload of an edit of one part among many, then it is taken back',
    agreed: agreedOn('long', LONG1),
    change: (world) => world.write('long', LONG1_EDITED),
    between: (world) => world.write('long', LONG1, OLD_MS + MINUTE_MS),
    pieceBytes: PIECE,
    kept: [OTHER],
  },
  {
    name: 'upload in parts, then the file is edited',
    agreed: agreedOn('f'),
    change: (world) => world.write('big', BIG1),
    between: (world) => world.write('big', BIG2, OLD_MS + MINUTE_MS),
    kept: [V1],
  },
  {
    name: 'upload in parts, then the file is deleted',
    agreed: agreedOn('f'),
    change: (world) => world.write('big', BIG1),
    between: (world) => world.remove('big'),
    kept: [V1],
  },
  {
    name: 'upload of an edit where conditions are not known',
    agreed: agreedOn('f'),
    change: (world) => world.write('f', LOCAL),
    options: { probe: false },
    probes: true,
    kept: [LOCAL, OTHER],
  },
  {
    name: 'download of a new file',
    agreed: agreedOn('f'),
    change: (world) => world.bucket.put('a/b/new', REMOTE, OLD_MS),
    dangers: ['db:batch b(put) #1'],
    kept: [V1, REMOTE],
  },
  {
    name: 'download in ranges',
    agreed: agreedOn('f'),
    change: (world) => world.bucket.put('long', LONG1, OLD_MS),
    pieceBytes: PIECE,
    dangers: ['fs:write .filecloudsync/tmp/* #7', 'fs:link .filecloudsync/tmp/* #2'],
    kept: [V1, LONG1],
  },
  {
    name: 'download of an edit in ranges',
    agreed: agreedOn('long', LONG1),
    change: (world) => world.bucket.put('long', LONG2, OLD_MS),
    pieceBytes: PIECE,
    kept: [LONG2, OTHER],
  },
  {
    name: 'download of an edit of one part among many',
    agreed: agreedOn('long', LONG1),
    change: (world) => world.bucket.putInParts('long', LONG1_EDITED, PIECE),
    pieceBytes: PIECE,
    fetchedBytes: PIECE,
    dangers: ['fs:write .filecloudsync/tmp/* #9', 'fs:rename long #1'],
    kept: [LONG1, LONG1_EDITED, OTHER],
  },
  {
    name: 'download of an edit of one part among many, then the file is edited',
    agreed: agreedOn('long', LONG1),
    change: (world) => world.bucket.putInParts('long', LONG1_EDITED, PIECE),
    between: (world) => world.write('long', LONG2, OLD_MS + MINUTE_MS),
    pieceBytes: PIECE,
    kept: [OTHER],
  },
  {
    name: 'download in ranges, then another version stands there',
    agreed: agreedOn('f'),
    change: (world) => world.bucket.put('long', LONG1, OLD_MS),
    between: (world) => world.bucket.put('long', LONG2, OLD_MS + MINUTE_MS),
    pieceBytes: PIECE,
    kept: [V1],
  },
  {
    name: 'download in ranges, then the object is deleted',
    agreed: agreedOn('f'),
    change: (world) => world.bucket.put('long', LONG1, OLD_MS),
    between: (world) => world.bucket.remove('long'),
    pieceBytes: PIECE,
    kept: [V1],
  },
  {
    name: 'download of an edit',
    agreed: agreedOn('a/f'),
    change: (world) => world.bucket.put('a/f', REMOTE, OLD_MS),
    dangers: ['fs:link .filecloudsync/tmp/* #2', 'fs:rename a/f #1'],
    kept: [V1, REMOTE],
  },
  {
    name: 'download of a large edit',
    agreed: agreedOn('a/big', BIG1),
    change: (world) => world.bucket.put('a/big', BIG2, OLD_MS),
    kept: [BIG1, BIG2],
  },
  {
    name: 'download of an edit, then the file is deleted in the bucket',
    agreed: agreedOn('a/f'),
    change: (world) => world.bucket.put('a/f', REMOTE, OLD_MS),
    between: (world) => world.bucket.remove('a/f'),
    kept: [V1],
  },
  {
    name: 'delete in the folder',
    agreed: agreedOn('a/b/f'),
    change: (world) => world.bucket.remove('a/b/f'),
    dangers: ['db:batch b(del) #1'],
    kept: [V1, OTHER],
  },
  {
    name: 'delete in the bucket',
    agreed: agreedOn('a/f'),
    change: (world) => world.remove('a'),
    dangers: ['s3:DELETE a/f unsent #1', 's3:DELETE a/f answered #1'],
    kept: [OTHER],
  },
  {
    name: 'delete in the bucket, then the file is written again',
    agreed: agreedOn('a/f'),
    change: (world) => world.remove('a'),
    between: (world) => world.write('a/f', LOCAL),
    kept: [OTHER],
  },
  {
    name: 'a file that is written again under another name',
    agreed: agreedOn('a/f'),
    change: (world) => {
      world.remove('a');
      // Some disks give the inode of a file that is gone to the next: with the old time it would pass for the very file.
      world.write('b/g', V1, OLD_MS + 5000);
    },
    kept: [V1, OTHER],
  },
  {
    name: 'a file that is renamed in the folder',
    agreed: agreedOn('a/f'),
    change: (world) => world.rename('a/f', 'b/g'),
    dangers: ['s3:PUT b/g copy answered #1', 's3:DELETE a/f answered #1', 'db:batch b(put) #1'],
    stands: ['b/g'],
    kept: [V1, OTHER],
  },
  {
    name: 'a file that is renamed in the bucket',
    agreed: agreedOn('a/f'),
    change: (world) => world.bucket.rename('a/f', 'b/g'),
    dangers: ['fs:rename a/f #1', 'db:batch b(put) #1'],
    stands: ['b/g'],
    kept: [V1, OTHER],
  },
  {
    name: 'a folder that is renamed, with no other file beside it',
    agreed: (world) => {
      for (let i = 0; i < 3; i++) world.write(`old/${i}`, `${V1} ${i}`);
    },
    change: (world) => world.rename('old', 'new'),
    options: { concurrency: 1 },
    kept: Array.from({ length: 3 }, (_, i) => `${V1} ${i}`),
  },
  {
    name: 'a large file that is renamed in the folder, then edited',
    agreed: agreedOn('big', BIG1),
    change: (world) => world.rename('big', 'large'),
    between: (world) => world.write('large', BIG2, OLD_MS + MINUTE_MS),
    kept: [OTHER],
  },
  {
    name: 'conflict, the newer one is in the folder',
    agreed: agreedOn('f'),
    change: bothChanged('f', 'local'),
    dangers: ['s3:PUT f unsent #1'],
    kept: [LOCAL, REMOTE],
  },
  {
    name: 'conflict, the newer one is in the bucket',
    agreed: agreedOn('f'),
    change: bothChanged('f', 'bucket'),
    kept: [LOCAL, REMOTE],
  },
  {
    name: 'conflict, the folder wins',
    agreed: agreedOn('f'),
    change: bothChanged('f', 'bucket'),
    options: { conflict: 'local' },
    kept: [LOCAL, REMOTE],
  },
  {
    name: 'conflict, the bucket wins',
    agreed: agreedOn('f'),
    change: bothChanged('f', 'local'),
    options: { conflict: 'bucket' },
    kept: [LOCAL, REMOTE],
  },
  {
    name: 'conflict, both are kept',
    agreed: agreedOn('d/f.txt'),
    change: bothChanged('d/f.txt', 'local'),
    options: { conflict: 'keep-both' },
    dangers: ['fs:rename d/f.txt #1'],
    kept: [LOCAL, REMOTE],
  },
  {
    name: 'conflict of two new files, both are kept',
    agreed: agreedOn('g'),
    change: bothChanged('f', 'local'),
    options: { conflict: 'keep-both' },
    kept: [LOCAL, REMOTE],
  },
  {
    name: 'conflict that waits',
    agreed: agreedOn('f'),
    change: bothChanged('f', 'local'),
    options: { conflict: 'manual' },
    dangers: ['db:batch f(put) #1'],
    kept: [LOCAL, REMOTE],
  },
  {
    name: 'conflict that waited is resolved',
    agreed: agreedOn('f'),
    change: bothChanged('f', 'local'),
    options: { conflict: 'manual' },
    command: { do: 'resolve', path: 'f', answer: 'bucket' },
    kept: [LOCAL, REMOTE],
  },
  {
    name: 'a file in the folder makes room for a directory',
    agreed: agreedOn('f'),
    change: async (world) => {
      world.write('x', LOCAL);
      await world.bucket.put('x/y', REMOTE, OLD_MS);
    },
    kept: [LOCAL, REMOTE, V1],
  },
  {
    name: 'an object makes room for a directory',
    agreed: agreedOn('f'),
    change: async (world) => {
      world.write('x/y', LOCAL);
      await world.bucket.put('x', REMOTE, OLD_MS);
    },
    dangers: ['s3:DELETE x unsent #1'],
    kept: [LOCAL, REMOTE, V1],
  },
  {
    name: 'a file becomes a directory',
    agreed: agreedOn('x'),
    change: (world) => {
      world.remove('x');
      world.write('x/y', LOCAL);
    },
    dangers: ['s3:DELETE x answered #1'],
    kept: [LOCAL, OTHER],
  },
  {
    name: 'an object becomes a directory',
    agreed: agreedOn('x'),
    change: async (world) => {
      await world.bucket.remove('x');
      await world.bucket.put('x/y', REMOTE, OLD_MS);
    },
    kept: [V1, REMOTE, OTHER],
  },
  {
    name: 'a new file where an empty directory stands',
    agreed: agreedOn('f'),
    change: async (world) => {
      world.makeDirectory('x/y');
      await world.bucket.put('x', REMOTE, OLD_MS);
    },
    kept: [V1, REMOTE],
  },
  {
    name: 'deleted on both sides',
    agreed: agreedOn('f'),
    change: async (world) => {
      world.remove('f');
      await world.bucket.remove('f');
    },
    kept: [OTHER],
  },
  {
    name: 'a path that is excluded',
    agreed: agreedOn('f'),
    change: (world) => world.write('.filecloudsyncignore', 'f\n'),
    kept: [V1, OTHER],
  },
  {
    name: 'the bucket is only read',
    agreed: agreedOn('f'),
    change: bothChanged('f', 'local'),
    options: { readonly: true },
    dangers: ['fs:link .filecloudsync/tmp/* #2'],
    kept: [LOCAL, REMOTE],
  },
  {
    name: 'many things at once',
    agreed: (world) => {
      for (let i = 0; i < 6; i++) world.write(`old/${i}`, `${V1} ${i}`);
    },
    change: async (world) => {
      world.write('old/0', LOCAL);
      await world.bucket.put('old/1', REMOTE, OLD_MS);
      world.remove('old/2');
      await world.bucket.remove('old/3');
      world.write('new/local', `${LOCAL} new`);
      await world.bucket.put('new/remote', `${REMOTE} new`, OLD_MS);
    },
    options: { concurrency: 4 },
    kept: [LOCAL, REMOTE, `${LOCAL} new`, `${REMOTE} new`, ...[1, 3, 4, 5].map((i) => `${V1} ${i}`)],
  },
  {
    name: 'the trash is emptied',
    agreed: agreedOn('f'),
    change: (world) => world.bucket.put('f', REMOTE, OLD_MS),
    command: { do: 'purge' },
    dangers: ['fs:unlink .filecloudsync/trash/*/item.json #1'],
    kept: [REMOTE, OTHER],
  },
  {
    name: 'download of an edit that is taken back in the bucket',
    agreed: agreedOn('a/f'),
    change: (world) => world.bucket.put('a/f', REMOTE, OLD_MS),
    between: (world) => world.bucket.put('a/f', V1, OLD_MS),
    stands: ['a/f'],
    dangers: ['fs:link .filecloudsync/tmp/* #2'],
    kept: [V1, OTHER],
  },
  {
    name: 'a version is restored, then no more is asked for than a sync',
    agreed: agreedOn('f'),
    change: (world) => world.bucket.put('f', REMOTE, OLD_MS),
    command: { do: 'restore-oldest' },
    again: { do: 'sync' },
    stands: ['f'],
    dangers: ['fs:link .filecloudsync/tmp/* #2'],
    kept: [V1, REMOTE, OTHER],
  },
  {
    name: 'a version is restored',
    agreed: agreedOn('f'),
    change: (world) => world.bucket.put('f', REMOTE, OLD_MS),
    command: { do: 'restore-oldest' },
    dangers: ['fs:link .filecloudsync/tmp/* #2'],
    kept: [V1, REMOTE, OTHER],
  },
  {
    name: 'a plan',
    agreed: agreedOn('f'),
    change: bothChanged('f', 'local'),
    command: { do: 'plan' },
    kept: [LOCAL, REMOTE],
  },
  {
    name: 'the pair is forgotten',
    agreed: agreedOn('f'),
    change: (world) => world.write('f', LOCAL),
    command: { do: 'forget' },
    dangers: ['state:remove /pairs/*/identity.json #1'],
    kept: [V1, LOCAL],
  },
  {
    name: 'the folder is removed',
    agreed: agreedOn('a/f'),
    change: (world) => world.write('b', LOCAL),
    command: { do: 'remove-folder' },
    kept: [V1, LOCAL, OTHER],
  },
];
