import type { DirectoryHandle, FileStat, NewFile, Way } from './file-system.js';
import { leadsOnStill, type Folder, type Place } from './folder.js';
import type { Lease } from './leased.js';

/** A directory that is held open together with all above it. */
export interface OpenedDirectory {
  readonly handle: DirectoryHandle;
  readonly identity: string;
  readonly way: Way;
}

/** The place of one path in a directory that others hold as well. */
export class SharedPlace implements Place {
  readonly #folder: Folder;
  readonly #opened: OpenedDirectory;
  readonly #lease: Lease<unknown>;
  readonly name: string;
  /** The next to take a place there opens everything anew. */
  readonly forget: () => void;

  constructor(folder: Folder, opened: OpenedDirectory, lease: Lease<unknown>, name: string, forget: () => void) {
    this.#folder = folder;
    this.#opened = opened;
    this.#lease = lease;
    this.name = name;
    this.forget = forget;
  }

  /** Gives it back. To be called once; never throws. `undefined`: there is nothing to wait for. */
  release(): Promise<void> | undefined {
    return this.#lease.release();
  }

  get parent(): DirectoryHandle {
    return this.#opened.handle;
  }

  get identity(): string {
    return this.#opened.identity;
  }

  /**
   * What stands at the path now, no link followed on the way; `undefined` when a directory on the way is not the one that is
   * held open, so that only a walk from the root can tell. Throws `HaltError` like {@link Folder.open}.
   */
  async lookAgain(): Promise<FileStat | null | undefined> {
    return (await this.#isInPlace()) ? await this.parent.lstat(this.name) : undefined;
  }

  /** Makes a file in another directory and gives it this place, if the path leads here still, as {@link DirectoryHandle.placeFile}. */
  placeFile(
    from: DirectoryHandle,
    name: string,
    content: NewFile,
    onTaken?: () => void,
  ): Promise<FileStat | undefined> | undefined {
    const { handle: directory, way } = this.#opened;
    return from.placeFile?.(name, content, { directory, name: this.name, way }, onTaken);
  }

  async #isInPlace(): Promise<boolean> {
    // Where the disk takes several names for one, the way back through them would have to be compared as well.
    if (this.#folder.checksNames) return false;
    await this.#folder.assertInPlace();
    return leadsOnStill(this.#opened.way);
  }
}
