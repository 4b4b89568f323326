import type { S3Client } from '@aws-sdk/client-s3';
import type { ConnectOptions } from './connect-options.js';
import type { SyncOptions } from './sync-options.js';

/** Options of {@link Monitor}: those of {@link sync}, its own, and those of {@link connect} or a ready client. */
export interface MonitorOptions extends SyncOptions, Omit<ConnectOptions, 'bucket'> {
  /**
   * How long the monitor waits between two cycles, in seconds, from 0.1 to 2,000,000.
   *
   * Default: 60. With `watch`, a local change is carried at once, without a look at anything else; changes in the bucket are
   * seen by the next cycle, which looks at the bucket alone while everything that changes in the folder is heard. Everything is
   * looked at every ten minutes in any case, and in the first and the last cycle.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * await using monitor = await s3.Monitor.start('pictures', 'photos', { delaySeconds: 10 });
   * ```
   */
  readonly delaySeconds?: number;
  /**
   * Deletes the folder and the sync information when the monitor stops, if the last cycle succeeded for every file;
   * otherwise they stay and an `error` event says why. Under `readonly`, edits that were never uploaded keep the folder
   * too, unless this is `'force'`.
   *
   * Default: `false`.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * await using monitor = await s3.Monitor.start('jobs', '/tmp/job-7', { remove: true });
   * ```
   */
  readonly remove?: boolean | 'force';
  /**
   * Watches the folder, so that a local change is carried over at once.
   *
   * Default: `true`. What changed is looked at by itself, a tenth of a second after it was last written; everything is looked at
   * when that is not enough (a folder moved, a file became a folder, many files are gone, a pattern file changed), and every ten
   * minutes. Where not all changes are heard (a network disk, one of a program, any system but Linux) it is every `delaySeconds`;
   * when watching is not possible, the monitor says so once and goes on with that alone.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * await using monitor = await s3.Monitor.start('pictures', '/mnt/nas', { watch: false });
   * ```
   */
  readonly watch?: boolean;
  /**
   * A ready client of the AWS SDK (version 3), instead of the options of `connect`. The monitor does not destroy it.
   *
   * Default: the monitor connects by itself when it starts.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await using monitor = await s3.Monitor.start('pictures', 'photos', { client });
   * ```
   */
  readonly client?: S3Client;
}
