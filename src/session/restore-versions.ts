import { PathError } from '../errors.js';
import type { TrashItem } from '../replica/trash.js';
import type { LocalSide } from '../transfer/context.js';
import { expectingOrNothing } from '../transfer/expecting.js';

/** Names versions in the trash. */
export type RestoreSelection =
  | { readonly ids: readonly string[] }
  | { readonly paths: readonly string[] }
  | { readonly runId: string };

/** How often a path is looked at again when it changes while a version is being put back. */
const ATTEMPTS = 3;

/**
 * Puts versions from the trash back at their paths; what stands there now goes to the trash in exchange.
 *
 * Of several versions of one path the one asked for by id is taken, else the newest.
 *
 * @throws PathError `ERR_TRASH_ITEM_NOT_FOUND` when nothing matches one of the names, before anything is put back.
 */
export async function restoreVersions(
  local: LocalSide,
  selection: RestoreSelection,
  signal?: AbortSignal,
): Promise<TrashItem[]> {
  const items = select(await local.trash.list(), selection);
  for (const item of items) await restoreOne(local, item, signal);
  return items;
}

function select(items: readonly TrashItem[], selection: RestoreSelection): TrashItem[] {
  if ('ids' in selection)
    return selection.ids.map((id) =>
      found(
        items.find((item) => item.id === id),
        id,
      ),
    );
  if ('paths' in selection) {
    return selection.paths.map((path) =>
      found(
        items.findLast((item) => item.path === path),
        path,
      ),
    );
  }
  // The first version of a path that a run put away is the one that stood there before the run.
  const first = new Map<string, TrashItem>();
  for (const item of items) if (item.runId === selection.runId && !first.has(item.path)) first.set(item.path, item);
  if (first.size === 0) found(undefined, `run ${selection.runId}`);
  return Array.from(first.values());
}

function found(item: TrashItem | undefined, name: string): TrashItem {
  if (item !== undefined) return item;
  throw new PathError(
    'ERR_TRASH_ITEM_NOT_FOUND',
    `The trash has nothing for ${name}. List it to see what was kept: the names are ids, paths or runs as shown there.`,
    { data: { name } },
  );
}

async function restoreOne(local: LocalSide, item: TrashItem, signal: AbortSignal | undefined): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const standing = await local.observe(item.path, signal);
    if (standing?.kind === 'problematic') {
      throw new PathError(standing.problem.code, standing.problem.message, { data: { path: item.path } });
    }
    if (standing !== null && standing.kind !== 'file') {
      throw new PathError(
        'ERR_RESTORE_BLOCKED',
        `${item.path} cannot be put back: a ${standing.kind} stands there. Move it away and restore again; the version stays in the trash.`,
      );
    }
    const source = await local.trash.open(item.id);
    try {
      const written = await local.write(item.path, source, expectingOrNothing(standing), {
        reason: 'replaced',
        signal,
      });
      if (written.outcome === 'done') return;
      if (attempt === ATTEMPTS) {
        throw new PathError(
          'ERR_RESTORE_BLOCKED',
          `${item.path} cannot be put back: the file that stands there keeps changing. Close the program that writes it and restore again.`,
        );
      }
    } finally {
      await source.close();
    }
  }
}
