import { FileCloudSyncError } from '../errors.js';
import { compareDigests, schemeOf } from '../core/digest.js';
import type { FileEntry } from '../core/entry.js';
import { mergeJoin } from '../core/merge-join.js';
import type { BaselineRow } from '../core/baseline.js';
import type { Entry } from '../core/entry.js';
import type { Replica, ScanPage } from '../replica/replica.js';
import type { StateStore } from '../store/state-store.js';
import { expecting } from '../transfer/expecting.js';

/** A local replica that can remove its own folder. */
export type RemovableLocal = Replica & { destroy(): Promise<void> };

/** Options of {@link removeFolder}. */
export interface RemoveFolderOptions {
  readonly folder: string;
  /** Files that were never uploaded go as well. */
  readonly unsynced: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Deletes a folder whose files are as both sides last agreed.
 *
 * First everything is looked at, and anything else than an agreed file keeps the folder whole. Then the memory is dropped, so that
 * no later run takes the deletions for a person's. Then each file goes under the fingerprint that was seen.
 *
 * @throws FileCloudSyncError `ERR_FOLDER_KEPT` naming what keeps it.
 */
export async function removeFolder(
  local: RemovableLocal,
  store: StateStore,
  options: RemoveFolderOptions,
): Promise<void> {
  for await (const _file of agreedFiles(local, store, options));
  const rows: BaselineRow[] = [];
  // The fingerprints outlive the memory here: they are what the deletions are held to.
  for await (const page of store.baseline.scan()) rows.push(...page);
  const agreed = new Map(rows.map((row) => [row.path, row]));
  await store.baseline.clear();
  for await (const page of everything(local, options)) {
    for (const entry of page) {
      const file = asFile(entry, options.folder);
      const row = agreed.get(file.path);
      if (!options.unsynced && (row === undefined || !(await isAgreed(local, file, row))))
        throw kept(options.folder, file.path);
      const removed = await local.remove(file.path, expecting(file), {
        reason: 'removed',
        ...(options.signal && { signal: options.signal }),
      });
      if (removed.outcome === 'stale') throw kept(options.folder, file.path);
    }
  }
  await local.destroy();
}

/** Walks the folder beside the baseline; throws at the first thing that is not an agreed file. */
async function* agreedFiles(
  local: Replica,
  store: StateStore,
  options: RemoveFolderOptions,
): AsyncGenerator<FileEntry> {
  const nothing = (async function* (): AsyncGenerator<readonly Entry[]> {})();
  for await (const page of mergeJoin({
    local: everything(local, options),
    remote: nothing,
    baseline: store.baseline.scan(),
  })) {
    for (const triple of page) {
      if (triple.local === null) continue;
      const file = asFile(triple.local, options.folder);
      if (options.unsynced) continue;
      if (triple.baseline === undefined || !(await isAgreed(local, file, triple.baseline)))
        throw kept(options.folder, file.path);
      yield file;
    }
  }
}

async function* everything(local: Replica, { folder, signal }: RemoveFolderOptions): AsyncGenerator<readonly Entry[]> {
  const filter = { includesFile: () => true, mayContain: () => true };
  const pages: AsyncIterable<ScanPage> = local.scan({ filter, ...(signal && { signal }) });
  for await (const { entries, problems } of pages) {
    const [problem] = problems;
    if (problem !== undefined && !problem.path.startsWith('.filecloudsync')) throw kept(folder, problem.path);
    yield entries;
  }
}

function asFile(entry: Entry, folder: string): FileEntry {
  if (entry.kind === 'file') return entry;
  throw kept(folder, entry.path);
}

async function isAgreed(local: Replica, file: FileEntry, row: BaselineRow): Promise<boolean> {
  if (row.local === file.fingerprint && file.racy !== true) return true;
  const scheme = row.digest === undefined ? undefined : schemeOf(row.digest);
  if (scheme === undefined || row.sizeBytes !== file.sizeBytes) return false;
  return compareDigests(await local.digest(file, scheme), row.digest) === 'same';
}

function kept(folder: string, path: string): FileCloudSyncError {
  return new FileCloudSyncError(
    'ERR_FOLDER_KEPT',
    `The folder ${folder} was to be deleted, but stays: "${path}" is not as both sides last agreed. Sync it, or move it elsewhere.`,
    { data: { folder, path } },
  );
}
