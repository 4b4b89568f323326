import type { FileType } from '../../replica/local/file-system.js';

/** One state of a file's content. The bytes are never changed in place. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly mtimeNs: bigint;
}

/** A name in a directory, as it was written. */
export interface Slot {
  readonly name: string;
  readonly inode: Inode;
}

/** A file, directory, link or special file of a simulated disk, in its volatile and its durable state. */
export class Inode {
  readonly number: bigint;
  readonly type: FileType;
  mode: number;
  ctimeNs: bigint;
  links = 0;
  /** Nobody may read it: opening it, or listing it, gives `EACCES`. */
  unreadable = false;
  /** Nothing may be created, renamed or removed in it. */
  unwritable = false;
  content: Content;
  durable: Content;
  /** Volatile names of a directory, by folded name. */
  slots = new Map<string, Slot>();
  /** Names of a directory that survive a loss of power. */
  durableSlots = new Map<string, Slot>();
  /** Where a symbolic link leads. */
  readonly target: string | undefined;

  constructor(number: bigint, type: FileType, mode: number, timeNs: bigint, target?: string) {
    this.number = number;
    this.type = type;
    this.mode = mode;
    this.ctimeNs = timeNs;
    this.target = target;
    this.content = { bytes: EMPTY, mtimeNs: timeNs };
    this.durable = this.content;
  }
}

const EMPTY = new Uint8Array(0);
