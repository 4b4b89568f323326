import type { FileType } from '../../replica/local/file-system.js';
import { Inode } from './simulated-inode.js';
import type { Slot } from './simulated-inode.js';

/** What a loss of power keeps of what was not synced: everything, nothing, or a choice made with random numbers in [0, 1). */
export type CrashKeep = 'all' | 'durable' | (() => number);

/** How a simulated disk treats names and links. */
export interface DiskTraits {
  /** `A` and `a` are one file. */
  readonly caseInsensitive?: boolean;
  /** Unicode forms of one name are one file. */
  readonly normalizationInsensitive?: boolean;
  /** `link` fails with `EPERM`, as on FAT. */
  readonly noHardLinks?: boolean;
  /** Small files are made as by another thread: each with one call, many at a time. */
  readonly makesMany?: boolean;
  /** Times are rounded down to this many milliseconds. Default 0.000001. */
  readonly timeGranularityMs?: number;
}

/** One change of names that takes effect as a whole. */
interface NameChange {
  readonly changes: readonly { readonly directory: Inode; readonly key: string; readonly slot: Slot | undefined }[];
}

/**
 * An inode tree with two layers: what the running system sees, and what survives a loss of power.
 *
 * Content becomes durable when its file is synced. Names become durable when one of their directories is synced:
 * a rename between two directories is one step and is kept or lost whole. Changes of one directory survive in the
 * order in which they were made, as on journalling disks; changes of unrelated directories in any order.
 */
export class SimulatedDisk {
  readonly root: Inode;
  readonly traits: DiskTraits;
  readonly #nowMs: () => number;
  #log: NameChange[] = [];
  #dirty = new Set<Inode>();
  #nextNumber = 2n;

  constructor(nowMs: () => number, traits: DiskTraits) {
    this.#nowMs = nowMs;
    this.traits = traits;
    this.root = this.create('directory', 0o755);
    this.root.links = 1;
  }

  nowNs(): bigint {
    const grain = this.traits.timeGranularityMs;
    const ms = this.#nowMs();
    if (grain !== undefined && grain >= 1) return BigInt(Math.floor(ms / grain) * grain) * 1_000_000n;
    const whole = Math.floor(ms);
    return BigInt(whole) * 1_000_000n + BigInt(Math.floor((ms - whole) * 1e6));
  }

  fold(name: string): string {
    let folded = name;
    if (this.traits.normalizationInsensitive === true) folded = folded.normalize('NFC');
    if (this.traits.caseInsensitive === true) folded = folded.toLowerCase();
    return folded;
  }

  create(type: FileType, mode: number, target?: string): Inode {
    return new Inode(this.#nextNumber++, type, mode, this.nowNs(), target);
  }

  get(directory: Inode, name: string): Inode | undefined {
    return directory.slots.get(this.fold(name))?.inode;
  }

  /** Whether what stands under a name would stand there after a loss of power. */
  isDurable(directory: Inode, name: string): boolean {
    return directory.durableSlots.get(this.fold(name))?.inode === this.get(directory, name);
  }

  /** Changes names in the volatile layer, as one step. `inode: undefined` takes the name away. */
  change(...changes: readonly { directory: Inode; name: string; inode: Inode | undefined }[]): void {
    const now = this.nowNs();
    const logged = changes.map(({ directory, name, inode }) => {
      const key = this.fold(name);
      const old = directory.slots.get(key)?.inode;
      if (old !== undefined) {
        old.links -= 1;
        old.ctimeNs = now;
      }
      const slot = inode === undefined ? undefined : { name, inode };
      if (slot === undefined) directory.slots.delete(key);
      else {
        directory.slots.set(key, slot);
        slot.inode.links += 1;
        slot.inode.ctimeNs = now;
      }
      directory.content = { bytes: directory.content.bytes, mtimeNs: now };
      directory.ctimeNs = now;
      return { directory, key, slot };
    });
    this.#log.push({ changes: logged });
  }

  /** Replaces a file's content in the volatile layer. */
  setContent(inode: Inode, bytes: Uint8Array, mtimeNs: bigint): void {
    inode.content = { bytes, mtimeNs };
    inode.ctimeNs = this.nowNs();
    this.#dirty.add(inode);
  }

  syncFile(inode: Inode): void {
    inode.durable = inode.content;
    this.#dirty.delete(inode);
  }

  /** Makes the names of a directory durable, with every earlier change that they depend on. */
  syncDirectory(directory: Inode): void {
    const affected = new Set([directory]);
    const kept: NameChange[] = [];
    const flushed: NameChange[] = [];
    for (let i = this.#log.length - 1; i >= 0; i--) {
      const entry = this.#log[i] as NameChange;
      if (entry.changes.some((change) => affected.has(change.directory))) {
        for (const change of entry.changes) affected.add(change.directory);
        flushed.push(entry);
      } else {
        kept.push(entry);
      }
    }
    this.#log = kept.reverse();
    for (const entry of flushed.reverse()) applyDurably(entry);
  }

  /** Loses power: what was not synced is kept as told, and the durable state becomes the only one. */
  crash(keep: CrashKeep): void {
    const blocked = new Set<Inode>();
    for (const entry of this.#log) {
      const free = entry.changes.every((change) => !blocked.has(change.directory));
      if (free && (keep === 'all' || (keep !== 'durable' && keep() < 0.5))) applyDurably(entry);
      else for (const change of entry.changes) blocked.add(change.directory);
    }
    for (const inode of this.#dirty) inode.durable = survivingContent(inode, keep);
    this.#log = [];
    this.#dirty.clear();
    restore(this.root);
    countLinks(this.root);
  }
}

function applyDurably(entry: NameChange): void {
  for (const { directory, key, slot } of entry.changes) {
    if (slot === undefined) directory.durableSlots.delete(key);
    else directory.durableSlots.set(key, slot);
  }
}

/** Unsynced content may survive, be lost, or be torn: its length is there and some of its bytes are zeros. */
function survivingContent(inode: Inode, keep: CrashKeep): Inode['content'] {
  if (keep === 'all') return inode.content;
  if (keep === 'durable') return inode.durable;
  const choice = keep();
  if (choice < 0.34) return inode.content;
  if (choice < 0.67) return inode.durable;
  const bytes = new Uint8Array(inode.content.bytes);
  bytes.fill(0, Math.floor(keep() * bytes.length));
  return { bytes, mtimeNs: inode.content.mtimeNs };
}

function restore(directory: Inode): void {
  directory.slots = new Map(directory.durableSlots);
  for (const { inode } of directory.slots.values()) {
    inode.content = inode.durable;
    if (inode.type === 'directory') restore(inode);
    else inode.links = 0;
  }
}

function countLinks(directory: Inode): void {
  for (const { inode } of directory.slots.values()) {
    if (inode.type === 'directory') {
      inode.links = 1;
      countLinks(inode);
    } else {
      inode.links += 1;
    }
  }
}
