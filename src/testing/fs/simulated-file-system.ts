import type { Clock } from '../../core/runtime.js';
import type { DirectoryHandle, FileStat, FileSystem } from '../../replica/local/file-system.js';
import { SimulatedDisk } from './simulated-disk.js';
import type { CrashKeep, DiskTraits } from './simulated-disk.js';
import { errnoError, SimulatedDirectory, statOf } from './simulated-handles.js';
import type { Gate } from './simulated-handles.js';
import type { Inode } from './simulated-inode.js';
import { SimulatedUser } from './simulated-user.js';

/** As many as Linux follows on one way. */
const MOST_LINKS = 40;

/** Options of {@link SimulatedFileSystem}. */
export interface SimulatedFileSystemOptions extends DiskTraits {
  /** The virtual clock. Default: a counter that goes on by one millisecond with each look. */
  readonly clock?: Pick<Clock, 'nowMs'>;
  /** Called before every operation; may wait, so that a scheduler can interleave, or throw, or crash the disk. */
  readonly step?: (operation: string) => void | Promise<void>;
  /** The absolute path of the directory that `openRoot` answers. Default `/folder`; it stands on the disk. */
  readonly root?: string;
}

/**
 * A disk in memory for simulations: an inode tree with a volatile and a durable layer, a virtual clock, and faults.
 * Deterministic: the same calls, steps and random numbers give the same states.
 *
 * The engine works through {@link FileSystem}; tests play the user through {@link user}, at once and without steps.
 *
 * @example
 * ```ts
 * const disk = new SimulatedFileSystem();
 * disk.user.writeFile('notes/today.txt', 'hello');
 * const folder = await disk.openRoot(disk.root);
 * disk.failNth(1, 'EIO');
 * await folder.list().catch((error: unknown) => console.log(error));
 * ```
 */
export class SimulatedFileSystem implements FileSystem {
  readonly remarks: readonly string[] = [];
  /** What a person does to the files meanwhile. Durable at once. Paths are relative to the root of the folder. */
  readonly user: SimulatedUser;
  /** Where the folder is. */
  readonly root: string;
  /** How many operations were begun. */
  operations = 0;
  /** How many directories and files are open: whatever the engine has finished, it leaves none. */
  openHandles = 0;
  /**
   * Asked before every operation: an errno name makes it fail. A write that fails so has written half.
   * Not asked for `close`.
   */
  fault: ((operation: string, number: number) => string | undefined) | undefined;
  /** May be exchanged at any time. */
  step: ((operation: string) => void | Promise<void>) | undefined;

  readonly #disk: SimulatedDisk;
  readonly #gate: Gate;
  #epoch = 0;
  #tick = 0;

  constructor(options: SimulatedFileSystemOptions = {}) {
    const { clock } = options;
    this.root = options.root ?? '/folder';
    this.step = options.step;
    this.#disk = new SimulatedDisk(
      clock === undefined ? () => 1_700_000_000_000 + this.#tick++ : () => clock.nowMs(),
      options,
    );
    this.user = new SimulatedUser(this.#disk, this.root);
    this.user.makeDirectory('');
    this.#gate = {
      enter: (operation, epoch) => this.#enter(operation, epoch),
      alive: (epoch) => epoch === this.#epoch,
      find: (path) => this.user.find(path),
      opened: (count) => {
        this.openHandles += count;
      },
    };
  }

  async openRoot(path: string): Promise<DirectoryHandle> {
    const epoch = this.#epoch;
    const inode = await this.#rootAt(path, 'openRoot', epoch);
    if (inode.unreadable) throw errnoError('EACCES', path);
    return new SimulatedDirectory(this.#disk, this.#gate, epoch, inode, path);
  }

  async statRoot(path: string): Promise<FileStat> {
    return statOf(await this.#rootAt(path, 'statRoot', this.#epoch));
  }

  async lstatByPath(path: string): Promise<FileStat | null> {
    const failure = await this.#enter(`lstatByPath ${path}`, this.#epoch);
    if (failure !== undefined) throw errnoError(failure, path);
    const inode = this.user.find(path, MOST_LINKS);
    return inode === undefined ? null : statOf(inode);
  }

  announceFile(): boolean {
    return this.#disk.traits.makesMany === true;
  }

  async #rootAt(path: string, operation: string, epoch: number): Promise<Inode> {
    const failure = await this.#enter(`${operation} ${path}`, epoch);
    if (failure !== undefined) throw errnoError(failure, path);
    const inode = this.user.find(path);
    if (inode === undefined) throw errnoError('ENOENT', path);
    if (inode.type !== 'directory') throw errnoError('ENOTDIR', path);
    return inode;
  }

  /**
   * The machine stops. Whatever the engine holds open is dead: each later call on it throws `ECRASHED`.
   *
   * @param options.keep `all`: only the process died. `durable`: power was lost, and with it all that was not synced.
   * A function: power was lost, and these random numbers choose what survives.
   */
  crash(options: { readonly keep: CrashKeep }): void {
    this.#epoch += 1;
    this.openHandles = 0;
    this.#disk.crash(options.keep);
  }

  /** Makes the n-th operation from now on fail (1: the next one), or every one from there on. */
  failNth(n: number, code: string, options: { readonly sticky?: boolean } = {}): void {
    const at = this.operations + n;
    this.fault = (_, number) => (number === at || (options.sticky === true && number > at) ? code : undefined);
  }

  async #enter(operation: string, epoch: number): Promise<string | undefined> {
    if (epoch !== this.#epoch) throw errnoError('ECRASHED', operation);
    const turn = this.step?.(operation);
    if (turn !== undefined) await turn;
    if (epoch !== this.#epoch) throw errnoError('ECRASHED', operation);
    this.operations += 1;
    return this.fault?.(operation, this.operations);
  }
}
