import type { Clock } from '../../core/runtime.js';
import type { Side } from '../../core/side.js';
import { PathError } from '../../errors.js';
import type { ChangeOptions, Source, TrashReason } from '../replica.js';
import type { Trash, TrashItem } from '../trash.js';
import { memorySource, readWhole } from './memory-source.js';

/** A trash in memory. */
export class MemoryTrash implements Trash {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #items = new Map<string, { readonly item: TrashItem; readonly content: Uint8Array }>();
  #count = 0;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  async keep(
    path: string,
    source: Source,
    options: ChangeOptions & { readonly reason: TrashReason },
  ): Promise<TrashItem> {
    const content = await readWhole(source, options.signal);
    await source.verify(options.signal);
    return this.put(path, content, source.entry.modifiedMs, options.reason, 'remote');
  }

  /** Keeps a version that is at hand; used by the replica at the moment in which it goes. */
  put(path: string, content: Uint8Array, modifiedMs: number | undefined, reason: TrashReason, origin: Side): TrashItem {
    const id = String(this.#count++).padStart(9, '0');
    const trashedAtMs = this.#clock.nowMs();
    const item: TrashItem = {
      id,
      path,
      sizeBytes: content.length,
      trashedAtMs,
      modifiedMs,
      reason,
      origin,
      runId: 'memory',
    };
    this.#items.set(id, { item, content });
    return item;
  }

  async list(): Promise<TrashItem[]> {
    return Array.from(this.#items.values(), ({ item }) => item);
  }

  async open(id: string): Promise<Source> {
    const found = this.#items.get(id);
    if (found === undefined) throw new PathError('ERR_TRASH_ITEM_NOT_FOUND', `The trash has no item "${id}".`);
    const { path, sizeBytes, modifiedMs } = found.item;
    return memorySource(
      { kind: 'file', path, sizeBytes, fingerprint: `trash-${id}`, modifiedMs, modifiedSource: 'mtime' },
      found.content,
    );
  }

  async purge(select: (item: TrashItem) => boolean): Promise<number> {
    const gone = (await this.list()).filter(select);
    for (const { id } of gone) this.#items.delete(id);
    return gone.length;
  }
}
