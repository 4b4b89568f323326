import { withDefaults, type ResolvedSyncOptions } from '../../src/s3/default-options.js';
import type { SyncOptions } from '../../src/s3/index.js';

/** The options of a pair that a test opens by itself. */
export function defaultOptionsForTests(options: Omit<SyncOptions, 'onProgress'>): ResolvedSyncOptions {
  return withDefaults(options);
}
