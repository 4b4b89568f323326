import type { SyncOptions } from './sync-options.js';
import { optionTable } from './option-table.js';

type Defaulted =
  | 'readonly'
  | 'conflict'
  | 'maxDelete'
  | 'concurrency'
  | 'partSizeMiB'
  | 'trashDays'
  | 'probe'
  | 'allowOverlap';

/** {@link SyncOptions} in which everything that has a fixed default is filled in. */
export type ResolvedSyncOptions = Omit<SyncOptions, Defaulted> & Required<Pick<SyncOptions, Defaulted>>;

/** Fills in the defaults of the table. The options must have been checked. */
export function withDefaults(options: SyncOptions = {}): ResolvedSyncOptions {
  return {
    ...options,
    readonly: options.readonly ?? optionTable.readonly.default,
    conflict: options.conflict ?? optionTable.conflict.default,
    maxDelete: options.maxDelete ?? optionTable.maxDelete.default,
    concurrency: options.concurrency ?? optionTable.concurrency.default,
    partSizeMiB: options.partSizeMiB ?? optionTable.partSizeMiB.default,
    trashDays: options.trashDays ?? optionTable.trashDays.default,
    probe: options.probe ?? optionTable.probe.default,
    allowOverlap: options.allowOverlap ?? optionTable.allowOverlap.default,
  };
}
