import type { ChangeOptions, Source, TrashReason } from './replica.js';

/** One version that was kept. */
export interface TrashItem {
  /** Stable id, to name it in `restore`; sorts by time. */
  readonly id: string;
  /** The path it had. */
  readonly path: string;
  readonly sizeBytes: number;
  /** When it was put here, in milliseconds since 1970. */
  readonly trashedAtMs: number;
  readonly modifiedMs: number | undefined;
  readonly reason: TrashReason;
  /** The side the version came from. */
  readonly origin: 'local' | 'remote';
  /** The run that put it here; all items of a run share it. */
  readonly runId: string;
}

/** Where versions go that lost or were replaced. Lives with the local replica, in `.filecloudsync/trash`. */
export interface Trash {
  /** Keeps a version that stands on the other side only. Durable when it resolves. */
  keep(path: string, source: Source, options: ChangeOptions & { readonly reason: TrashReason }): Promise<TrashItem>;
  /** All items, oldest first. Items that cannot be read are left out, never deleted. */
  list(): Promise<TrashItem[]>;
  /** Opens the content of an item; throws `PathError` `ERR_TRASH_ITEM_NOT_FOUND`. */
  open(id: string): Promise<Source>;
  /** Deletes items for good; answers how many. */
  purge(select: (item: TrashItem) => boolean): Promise<number>;
}
