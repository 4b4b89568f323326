import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '../core/runtime.js';
import { DirectoryWatcher } from '../replica/local/directory-watcher.js';
import { createPathFilter } from '../replica/local/filter.js';
import type { FolderWatcher } from '../session/watch.js';
import { connect } from './connect.js';
import type { ConnectOptions } from './connect-options.js';
import { openRealPair, type OpenPair } from './open-port.js';
import type { SyncOptions } from './sync-options.js';
import { systemRuntime } from './system-runtime.js';

/** What a monitor needs from outside, so that its time and its failures can be played through. */
export interface MonitorPorts {
  readonly open: OpenPair;
  readonly connect: (options: ConnectOptions) => Promise<S3Client>;
  readonly clock: Clock;
  readonly watchFolder: (folder: string, options: Pick<SyncOptions, 'exclude' | 'files'>) => FolderWatcher;
  /** Tells a person of an error for which nobody listens. */
  readonly warn: (message: string, code: string) => void;
}

/** The ports of this process. */
export const processMonitorPorts: MonitorPorts = {
  open: openRealPair,
  connect,
  clock: systemRuntime.clock,
  watchFolder: (folder, { exclude, files }) =>
    new DirectoryWatcher(
      folder,
      createPathFilter({
        ...(exclude !== undefined && { exclude }),
        ...(files !== undefined && { files: [...files] }),
      }),
    ),
  warn: (message, code) => process.emitWarning(message, { type: 'FileCloudSyncWarning', code }),
};
