import type { ConfiguredClient } from '../replica/s3/client-config.js';
import type { SessionListener } from '../session/event.js';
import { addressErrors } from './address.js';
import { optionErrors, throwUsageErrors } from './check-options.js';
import { withDefaults, type ResolvedSyncOptions } from './default-options.js';
import { shown } from './option-checks.js';
import type { OptionCall } from './option-row.js';
import type { Pair, PairCallOptions } from './pair.js';
import type { SyncOptions } from './sync-options.js';
import { clientErrors } from './with-bucket.js';

/** Opens a folder and a bucket for work: `openPair`, or something that behaves like it. */
export type OpenPair = (
  client: ConfiguredClient,
  bucket: string,
  folder: string,
  options: ResolvedSyncOptions,
) => Promise<Pair>;

/** The real `openPair`, loaded when it is first needed. */
export const openRealPair: OpenPair = async (...args) => (await import('./open-pair.js')).openPair(...args);

/** Begins to load what {@link openRealPair} needs. What fails of it fails there again, and is told there. */
export function preloadRealPair(): void {
  import('./open-pair.js').then(
    ({ preloadDatabase }) => preloadDatabase(),
    () => undefined,
  );
}

/** Everything that is wrong with the arguments that `sync`, `checkChanges` and `Monitor` share, one sentence each. */
export function pairErrors(call: OptionCall, bucket: unknown, folder: unknown, options: SyncOptions): string[] {
  const isFolder = typeof folder === 'string' && folder !== '' && !folder.includes('\0');
  const prefix = typeof options === 'object' && options !== null ? options.prefix : undefined;
  return [
    ...addressErrors(bucket, prefix),
    ...(isFolder ? [] : [`the folder must be a path, not ${shown(folder)}`]),
    ...optionErrors(call, options),
  ];
}

/** Throws one `UsageError` `ERR_USAGE` with everything that is wrong with a call. */
export function checkPairCall(
  call: OptionCall,
  client: unknown,
  bucket: unknown,
  folder: unknown,
  options: SyncOptions,
): void {
  throwUsageErrors(call, [...clientErrors(client), ...pairErrors(call, bucket, folder, options)]);
}

/** What a pair is opened with: the options with their defaults, but for `onProgress`, which is given to each call. */
export function openOptions(options: SyncOptions): ResolvedSyncOptions {
  const { onProgress: _given, ...others } = options;
  return withDefaults(others);
}

/** What a call on the pair is given out of the options. */
export function callOptions(signal: AbortSignal | undefined, onEvent: SessionListener | undefined): PairCallOptions {
  return { ...(signal !== undefined && { signal }), ...(onEvent !== undefined && { onEvent }) };
}
