import type { FileEntry } from '../../core/entry.js';
import { PathError, throwIfAborted } from '../../errors.js';
import type { ChangeOptions, Source, TrashReason } from '../replica.js';
import type { Trash, TrashItem } from '../trash.js';
import type { DirectoryHandle, FileStat } from './file-system.js';
import { errnoOf } from './file-system.js';
import { fileEntryOf, fingerprintOf, isSameFileMoved } from './fingerprint.js';
import type { Place } from './folder.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';
import { assertVersion, LocalSource } from './local-source.js';
import { putBack } from './put-back.js';
import { stageFile } from './stage-file.js';
import { CONTENT_NAME, decodeTrashNote, encodeTrashNote, isTrashId, SIDECAR_NAME, trashId } from './trash-item.js';
import type { TrashNote } from './trash-item.js';

/** A version that was moved out of its place into the trash. */
export interface Taken {
  readonly item: TrashItem;
  /** Gives it its place back, unless something stands there by now; then it stays in the trash. */
  restore(): Promise<void>;
  /** Takes the version out of the trash for good, when it has a name elsewhere. */
  drop(): Promise<void>;
  /** Closes the item. Must be called once. */
  close(): Promise<void>;
}

/** Options of {@link LocalTrash.take}. */
export interface TakeOptions {
  readonly path: string;
  /** The version that is meant. */
  readonly entry: FileEntry;
  readonly reason: TrashReason;
}

/**
 * The trash in `.filecloudsync/trash`: a folder for each version, with its content and a description.
 * The description is durable before the content enters, so that a crash leaves nothing unexplained.
 */
export class LocalTrash implements Trash {
  readonly #context: LocalContext;
  /** Items that are being filled by this instance. */
  readonly #open = new Set<string>();

  constructor(context: LocalContext) {
    this.#context = context;
  }

  /**
   * Moves what stands at a place into the trash, and looks at what arrived.
   *
   * `undefined`: it was not the version that was meant. Then it has its place back, or stays in the trash as
   * `unexpected` when the place was taken meanwhile.
   */
  async take(place: Place, options: TakeOptions): Promise<Taken | undefined> {
    const { path, entry, reason } = options;
    const { id, directory, note } = await this.#begin(path, reason, 'local', entry.modifiedMs);
    let settled = false;
    try {
      // RACE: what is written to the open file from here on arrives in the trash with it, and is not lost.
      try {
        await place.parent.rename(place.name, directory, CONTENT_NAME);
      } catch (error) {
        await this.#remove(id, directory);
        if (errnoOf(error) === 'ENOENT') return undefined;
        throw pathErrorOf(error, path, 'move to the trash');
      }
      const stat = await directory.lstat(CONTENT_NAME);
      if (stat === null || !isSameFileMoved(stat, entry.fingerprint)) {
        await this.#giveBack(id, directory, place, note);
        return undefined;
      }
      settled = true;
      return {
        item: { ...note, sizeBytes: stat.sizeBytes },
        restore: () => this.#giveBack(id, directory, place, note),
        drop: async () => {
          await directory.unlink(CONTENT_NAME);
          await this.#remove(id, directory);
        },
        close: async () => {
          this.#open.delete(id);
          await directory.close();
        },
      };
    } finally {
      if (!settled) {
        this.#open.delete(id);
        await directory.close();
      }
    }
  }

  async keep(
    path: string,
    source: Source,
    options: ChangeOptions & { readonly reason: TrashReason },
  ): Promise<TrashItem> {
    const staged = await stageFile(this.#context, path, source, options);
    try {
      await source.verify(options.signal);
      throwIfAborted(options.signal);
      const { id, directory, note } = await this.#begin(path, options.reason, 'remote', source.entry.modifiedMs);
      try {
        await staged.directory.rename(staged.name, directory, CONTENT_NAME);
        await directory.sync();
        return { ...note, sizeBytes: source.entry.sizeBytes };
      } finally {
        this.#open.delete(id);
        await directory.close();
      }
    } catch (error) {
      throw pathErrorOf(error, path, 'keep in the trash');
    } finally {
      await staged.discard();
    }
  }

  async list(): Promise<TrashItem[]> {
    const items: TrashItem[] = [];
    await this.#each(async (id, directory) => {
      const found = await this.#read(id, directory);
      if (found !== undefined) items.push(found.item);
    });
    return items;
  }

  async open(id: string): Promise<Source> {
    if (!isTrashId(id)) throw notFound(id);
    const trash = await this.#context.folder.privateFolder('trash').catch((error: unknown) => {
      throw pathErrorOf(error, TRASH_PATH, 'open');
    });
    try {
      const directory = await trash.openDirectory(id);
      try {
        const found = await this.#read(id, directory);
        if (found === undefined) throw notFound(id);
        const entry: FileEntry = fileEntryOf(found.item.path, found.stat, this.#context.diskNowMs());
        const file = await directory.openFile(CONTENT_NAME);
        try {
          assertVersion(entry, await file.stat());
        } catch (error) {
          await file.close();
          throw error;
        }
        return new LocalSource(file, entry, { fingerprintAtPath: async () => fingerprintOf(await file.stat()) });
      } finally {
        await directory.close();
      }
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') throw notFound(id);
      throw pathErrorOf(error, id, 'open the trash item');
    } finally {
      await trash.close();
    }
  }

  async purge(select: (item: TrashItem) => boolean): Promise<number> {
    let count = 0;
    await this.#each(async (id, directory) => {
      const found = await this.#read(id, directory);
      if (found === undefined || !select(found.item)) return;
      // The content goes first: what is left of an interrupted purge is a description, which `cleanUp` removes.
      await directory.unlink(CONTENT_NAME);
      await this.#remove(id, directory);
      count += 1;
    });
    return count;
  }

  /** Removes descriptions without content, which interrupted runs left. */
  async cleanUp(): Promise<void> {
    await this.#each(async (id, directory) => {
      if (this.#open.has(id)) return;
      const names = await directory.list();
      if (names.every((item) => item.type === 'file' && (item.name === SIDECAR_NAME || item.name === NEW_SIDECAR))) {
        await this.#remove(id, directory);
      } else if (names.some((item) => item.name === NEW_SIDECAR)) {
        await directory.unlink(NEW_SIDECAR);
      }
    });
  }

  async #begin(
    path: string,
    reason: TrashReason,
    origin: 'local' | 'remote',
    modifiedMs: number | undefined,
  ): Promise<{ id: string; directory: DirectoryHandle; note: TrashNote }> {
    const { folder, runtime, runId } = this.#context;
    const trashedAtMs = runtime.clock.nowMs();
    const id = trashId(trashedAtMs, runtime.random.id(10));
    const note: TrashNote = { id, path, trashedAtMs, modifiedMs, reason, origin, runId };
    this.#open.add(id);
    try {
      const trash = await folder.privateFolder('trash');
      try {
        await trash.makeDirectory(id, 0o700);
        const directory = await trash.openDirectory(id);
        try {
          await writeSidecar(directory, SIDECAR_NAME, note);
          await Promise.all([directory.sync(), this.#context.syncDirectory(trash)]);
          return { id, directory, note };
        } catch (error) {
          await this.#remove(id, directory);
          await directory.close();
          throw error;
        }
      } finally {
        await trash.close();
      }
    } catch (error) {
      this.#open.delete(id);
      throw pathErrorOf(error, path, 'make room in the trash for');
    }
  }

  async #giveBack(id: string, directory: DirectoryHandle, place: Place, note: TrashNote): Promise<void> {
    if (await putBack(directory, CONTENT_NAME, place)) {
      await place.parent.sync(); // For disks without links, where it was a rename.
      await this.#remove(id, directory);
      return;
    }
    await writeSidecar(directory, NEW_SIDECAR, { ...note, reason: 'unexpected' });
    await directory.rename(NEW_SIDECAR, directory, SIDECAR_NAME);
    await directory.sync();
  }

  /** Removes an item without content. Never throws: what stays is found by `cleanUp`. */
  async #remove(id: string, directory: DirectoryHandle): Promise<void> {
    try {
      for (const name of [NEW_SIDECAR, SIDECAR_NAME]) {
        if ((await directory.lstat(name)) !== null) await directory.unlink(name);
      }
      const trash = await this.#context.folder.privateFolder('trash');
      try {
        await trash.removeDirectory(id);
      } finally {
        await trash.close();
      }
    } catch {
      // An item that holds content cannot be removed by this at all.
    }
  }

  async #each(visit: (id: string, directory: DirectoryHandle) => Promise<void>): Promise<void> {
    try {
      await this.#visitAll(visit);
    } catch (error) {
      throw pathErrorOf(error, TRASH_PATH, 'go through');
    }
  }

  async #visitAll(visit: (id: string, directory: DirectoryHandle) => Promise<void>): Promise<void> {
    const trash = await this.#context.folder.privateFolder('trash');
    try {
      const ids = (await trash.list()).filter((item) => item.type === 'directory' && isTrashId(item.name));
      for (const { name } of ids.sort((a, b) => (a.name < b.name ? -1 : 1))) {
        let directory: DirectoryHandle;
        try {
          directory = await trash.openDirectory(name);
        } catch (error) {
          if (errnoOf(error) === undefined) throw error;
          continue;
        }
        try {
          await visit(name, directory);
        } finally {
          await directory.close();
        }
      }
    } finally {
      await trash.close();
    }
  }

  async #read(id: string, directory: DirectoryHandle): Promise<{ item: TrashItem; stat: FileStat } | undefined> {
    try {
      const stat = await directory.lstat(CONTENT_NAME);
      if (stat?.type !== 'file') return undefined;
      const file = await directory.openFile(SIDECAR_NAME);
      try {
        const { sizeBytes } = await file.stat();
        if (sizeBytes > MAX_SIDECAR_BYTES) return undefined;
        const bytes = new Uint8Array(sizeBytes);
        const count = await file.read(bytes, 0);
        const note = decodeTrashNote(id, bytes.subarray(0, count));
        return note === undefined ? undefined : { item: { ...note, sizeBytes: stat.sizeBytes }, stat };
      } finally {
        await file.close();
      }
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return undefined;
    }
  }
}

const TRASH_PATH = '.filecloudsync/trash';
const NEW_SIDECAR = 'item.json.new';
const MAX_SIDECAR_BYTES = 64 * 1024;

async function writeSidecar(directory: DirectoryHandle, name: string, note: TrashNote): Promise<void> {
  const file = await directory.createFile(name);
  try {
    await file.write(encodeTrashNote(note), 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

function notFound(id: string): PathError {
  return new PathError(
    'ERR_TRASH_ITEM_NOT_FOUND',
    `There is no version ${JSON.stringify(id)} in the trash. List the trash to see the ids.`,
    { data: { id } },
  );
}
