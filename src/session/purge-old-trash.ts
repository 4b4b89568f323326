import type { Trash } from '../replica/trash.js';
import type { FactStore } from '../store/state-store.js';

const FACT = 'trash-purged-at';
const DAY_MS = 24 * 60 * 60 * 1000;

/** Deletes versions for good that have been in the trash for longer than `trashDays`. Looks at most once a day. */
export async function purgeOldTrash(
  facts: FactStore,
  trash: Trash,
  { nowMs, trashDays }: { readonly nowMs: number; readonly trashDays: number },
): Promise<void> {
  if (!Number.isFinite(trashDays)) return;
  const last = await facts.get<number>(FACT);
  // A clock that was set back must not keep the trash from ever being looked at again.
  if (last !== undefined && last <= nowMs && nowMs - last < DAY_MS) return;
  await trash.purge((item) => nowMs - item.trashedAtMs > trashDays * DAY_MS);
  await facts.put(FACT, nowMs);
}
