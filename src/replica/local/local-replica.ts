import type { NameRules } from '../../core/path.js';
import type { Runtime } from '../../core/runtime.js';
import { FileCloudSyncError, PathError, UsageError } from '../../errors.js';
import type { Capabilities, PrepareOptions, Replica, ScanOptions, ScanPage } from '../replica.js';
import type { Trash, TrashItem } from '../trash.js';
import { cleanUpLocal, dropUnusedStages } from './clean-up.js';
import { destroyFolder } from './destroy-folder.js';
import { createDirectorySyncs } from './directory-syncs.js';
import { digestFile } from './digest-file.js';
import type { FileSystem } from './file-system.js';
import { errnoOf } from './file-system.js';
import { identityOf } from './fingerprint.js';
import { Folder } from './folder.js';
import { createFolderStamp, type FolderStamp } from './folder-stamp.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import { openLocalSource } from './local-source.js';
import { LocalTrash } from './local-trash.js';
import { moveFile } from './move-file.js';
import { observePath } from './observe-path.js';
import { probeDisk } from './probe-disk.js';
import { SharedPlaces } from './shared-places.js';
import { removeFile } from './remove-file.js';
import { hasFileBelow } from './has-below.js';
import { createSharedDirectory } from './shared-directory.js';
import { scanBelow, scanFolder } from './scan-folder.js';
import { IGNORE_FILE_NAME } from './filter.js';
import { writeFile } from './write-file.js';

/** Options of {@link createLocalReplica}. */
export interface LocalReplicaOptions {
  /** Absolute path of the folder. */
  readonly root: string;
  readonly fileSystem: FileSystem;
  readonly runtime: Runtime;
  /** Which names the disk takes. */
  readonly pathRules: NameRules;
  /** Names the run that is at work, in staged files and in the trash: letters and digits, unique among runs. */
  readonly runId: string | (() => string);
  /** How long the trash keeps a version, in days. Default 30. */
  readonly trashDays?: number;
  /** How many ranges of one file are fetched at once. Default 4. */
  readonly rangeConcurrency?: number;
  /**
   * Whether a large file that was fetched in part stays in `tmp`, so that the next call for the same version goes on with it.
   * Then `cleanUp` has to be called at the end of each cycle as well. Default `false`.
   */
  readonly keepsStages?: boolean;
  /** How a file is divided while it is fetched, unless its digest says it. Default 8 MiB. */
  readonly stageRangeBytes?: number;
  /**
   * Called just before the old version of a file is moved out of the way, so that its absence after a crash is not taken
   * for a deletion. What it notes has to be durable when it resolves.
   */
  readonly beforeReplace?: (path: string) => Promise<void>;
  /** Tells the stamps of several pairs of one folder apart: letters and digits. */
  readonly pairId?: string;
}

/** A folder on this machine. */
export interface LocalReplica extends Replica {
  readonly side: 'local';
  readonly trash: Trash;
  /** Kept beside the trash, so that a memory that is older than the folder is noticed. */
  readonly stamp: FolderStamp;
  /** Walks what lies below one directory, like `scan`; gives nothing when it is not there. Throws `PathError` when it is no directory or cannot be read. */
  scanBelow(directoryPath: string, options: ScanOptions): AsyncIterable<ScanPage>;
  /** Device and inode of the folder: another value means another folder, or another disk. */
  rootIdentity(): Promise<string>;
  /** Removes the folder itself with its trash, once no file is left in it. Throws `ERR_FOLDER_KEPT` when something is. */
  destroy(): Promise<void>;
  /** Text of the `.filecloudsyncignore` file; `undefined` when there is none. Throws `PathError` when it cannot be read. */
  readIgnoreFile(): Promise<string | undefined>;
  /** Deletes for good what the trash has kept for longer than `trashDays`; answers how many versions. */
  purgeExpired(): Promise<number>;
}

const DAY_MS = 86_400_000;
/** Files of this length come whole. */
const SMALL_BYTES = 256 * 1024;
const MAX_IGNORE_FILE_BYTES = 1024 * 1024;

/** Makes the replica of a folder. Nothing is touched before `prepare`; the folder is never created. */
export function createLocalReplica(options: LocalReplicaOptions): LocalReplica {
  const { runtime, runId, trashDays = 30 } = options;
  const folder = new Folder(options.root, options.pathRules, options.fileSystem);
  let clockOffsetMs = 0;
  const context: LocalContext = {
    folder,
    places: new SharedPlaces(folder),
    staging: createSharedDirectory(() => folder.privateFolder('tmp')),
    syncDirectory: createDirectorySyncs(),
    runtime,
    get runId() {
      return typeof runId === 'string' ? runId : runId();
    },
    diskNowMs: () => runtime.clock.nowMs() + clockOffsetMs,
    rangeConcurrency: options.rangeConcurrency ?? 4,
    keepsStages: options.keepsStages ?? false,
    stageRangeBytes: options.stageRangeBytes ?? 8 * 1024 * 1024,
    stages: new Set(),
    pairId: options.pairId ?? '',
    beforeReplace: options.beforeReplace ?? (async () => {}),
  };
  const trash = new LocalTrash(context);

  return {
    side: 'local',
    trash,
    stamp: createFolderStamp(context, options.pairId === undefined ? 'stamp' : `stamp-${options.pairId}`),

    async prepare({ readonly }: PrepareOptions): Promise<Capabilities> {
      await checkRoot(folder);
      const likely = options.pathRules === 'linux';
      folder.checksNames = !likely;
      const known = { conditionalWrite: 'all', conditionalDelete: true } as const;
      const remarks = [...options.fileSystem.remarks];
      if (readonly) return { ...known, caseSensitive: likely, normalizationSensitive: likely, remarks };
      const found = await tryDisk(context);
      clockOffsetMs = found.clockOffsetMs;
      folder.checksNames = !found.caseSensitive || !found.normalizationSensitive;
      folder.hasHardLinks = found.hardLinks;
      if (!found.hardLinks) {
        remarks.push(
          'The disk of the folder has no hard links: a file that appears in the very instant in which a new one is put at the same place is replaced.',
        );
      }
      return {
        ...known,
        caseSensitive: found.caseSensitive,
        normalizationSensitive: found.normalizationSensitive,
        remarks,
      };
    },

    scan: (scanOptions) => scanFolder(context, scanOptions),
    scanBelow: (directoryPath, scanOptions) => scanBelow(context, directoryPath, scanOptions),
    observe: (path) => observePath(context, path),
    hasBelow: (path, signal) => hasFileBelow(context, path, signal),
    open: (entry) => openLocalSource(context, entry),

    async digest(entry, scheme, signal) {
      const source = await openLocalSource(context, entry);
      try {
        const { hasher } = context.runtime;
        const digest = await digestFile(source.file, entry.sizeBytes, scheme, { hasher, signal });
        await source.verify();
        return digest;
      } catch (error) {
        throw pathErrorOf(error, entry.path, 'read');
      } finally {
        await source.close();
      }
    },

    schemeFor: () => ({ partSizeBytes: undefined }),
    expectWrites({ files, bytes }) {
      if (bytes <= files * SMALL_BYTES) folder.expectFiles(files);
    },
    write: (path, source, precondition, writeOptions = {}) =>
      writeFile(context, trash, path, source, precondition, writeOptions),
    remove: (path, precondition, changeOptions = {}) => removeFile(context, trash, path, precondition, changeOptions),
    move: (path, to, precondition, changeOptions = {}) =>
      moveFile(context, trash, path, to, precondition, changeOptions),
    identityOf,
    cleanUp: ({ cycleEnded } = {}) => (cycleEnded === true ? dropUnusedStages(context) : cleanUpLocal(context, trash)),
    rootIdentity: () =>
      folder.identity().catch((error: unknown) => {
        throw rootErrorOf(error, folder.path);
      }),
    destroy: () => destroyFolder(folder, options.fileSystem),
    readIgnoreFile: () => readIgnoreFile(folder),

    async purgeExpired() {
      const before = runtime.clock.nowMs() - trashDays * DAY_MS;
      return await trash.purge((item: TrashItem) => item.trashedAtMs < before);
    },

    async close() {},
  };
}

async function checkRoot(folder: Folder): Promise<void> {
  try {
    const root = await folder.open();
    try {
      await root.lstat('.filecloudsync');
    } finally {
      await root.close();
    }
  } catch (error) {
    throw rootErrorOf(error, folder.path);
  }
}

function rootErrorOf(error: unknown, path: string): unknown {
  switch (errnoOf(error)) {
    case 'ENOENT':
      return new UsageError(
        'ERR_FOLDER_MISSING',
        `The folder ${path} does not exist. It is never created: an absent folder may be a disk that is not mounted. Mount it, create the folder, or correct the path.`,
        { cause: error },
      );
    case 'ENOTDIR':
      return new UsageError('ERR_FOLDER_NOT_A_DIRECTORY', `${path} is not a folder. Give the path of a folder.`, {
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new UsageError(
        'ERR_FOLDER_NOT_READABLE',
        `The folder ${path} cannot be read by this user. Give the right to read it.`,
        { cause: error },
      );
    default:
      return errnoOf(error) === undefined ? error : pathErrorOf(error, path, 'open the folder');
  }
}

async function tryDisk(context: LocalContext): ReturnType<typeof probeDisk> {
  const { folder, runId, runtime } = context;
  try {
    const trash = await folder.privateFolder('trash');
    await trash.close();
    const tmp = await folder.privateFolder('tmp');
    try {
      return await probeDisk(tmp, `${runId}-${runtime.random.id(6)}`, runtime.clock);
    } finally {
      await tmp.close();
    }
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS') {
      throw new UsageError(
        'ERR_FOLDER_NOT_WRITABLE',
        `Nothing can be written in ${folder.path} (${errno}). Give the right to write in it, and in .filecloudsync if it is there.`,
        { cause: error },
      );
    }
    if (error instanceof FileCloudSyncError || errno === undefined) throw error;
    throw pathErrorOf(error, '.filecloudsync', 'prepare');
  }
}

async function readIgnoreFile(folder: Folder): Promise<string | undefined> {
  const root = await folder.open();
  try {
    const stat = await root.lstat(IGNORE_FILE_NAME);
    if (stat === null) return undefined;
    if (stat.type !== 'file' || stat.sizeBytes > MAX_IGNORE_FILE_BYTES) {
      throw new PathError(
        'ERR_IGNORE_FILE_UNUSABLE',
        `${IGNORE_FILE_NAME} has to be a text file of at most 1 MiB, not a link or a folder. Correct it or delete it: without it, what to leave out is not known.`,
      );
    }
    const file = await root.openFile(IGNORE_FILE_NAME);
    try {
      const bytes = new Uint8Array(stat.sizeBytes);
      const count = await file.read(bytes, 0);
      return new TextDecoder().decode(bytes.subarray(0, count));
    } finally {
      await file.close();
    }
  } catch (error) {
    throw pathErrorOf(error, IGNORE_FILE_NAME, 'read');
  } finally {
    await root.close();
  }
}
