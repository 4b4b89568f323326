import type { ConflictPolicy } from '../core/conflict.js';
import type { SessionListener } from '../session/event.js';

/** Options of {@link sync}, {@link checkChanges} and {@link Monitor}. */
export interface SyncOptions {
  /**
   * Only keys below this prefix take part; the folder holds them without it.
   *
   * Default: the prefix in the address (`s3://bucket/prefix`), else none. A missing `/` at the end is added.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * // The object `2026/a.jpg` is the file `photos/a.jpg`.
   * const client = await s3.connect();
   * await s3.sync(client, 'pictures', 'photos', { prefix: '2026/' });
   * ```
   */
  readonly prefix?: string;
  /**
   * Exact keys (without the prefix) that take part; all others stay as they are, and what is known about them too.
   *
   * Default: all. An empty list selects nothing.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'pictures', 'photos', { files: ['a.jpg', 'trip/b.jpg'] });
   * ```
   */
  readonly files?: Iterable<string>;
  /**
   * Patterns in the syntax of `.gitignore`; only paths that match one of them take part.
   *
   * Default: all. A path that stops taking part is left alone on both sides, never deleted.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'pictures', 'photos', { include: ['*.jpg', 'raw/'] });
   * ```
   */
  readonly include?: readonly string[];
  /**
   * Patterns in the syntax of `.gitignore`; paths that match do not take part, whatever `include` says.
   *
   * Default: none, beside those in a file `.filecloudsyncignore` in the folder.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'pictures', 'photos', { exclude: ['*.tmp', '/cache/'] });
   * ```
   */
  readonly exclude?: readonly string[];
  /**
   * Nothing is ever written to the bucket, not even a probe.
   *
   * Default: `false`. Consequence: local edits, creations and deletions stay as they are and are told as held; a later
   * call without it uploads them. When the bucket's copy of a locally edited file changes, it arrives, and the local
   * one goes to the trash.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'pictures', 'photos', { readonly: true });
   * ```
   */
  readonly readonly?: boolean;
  /**
   * What to do when both sides changed a file differently: `'newest'`, `'local'` or `'bucket'` wins and the other
   * version goes to the trash; `'keep-both'` keeps the other under a conflict name; `'manual'` leaves both as they are
   * until a person decides. Or a function that is asked for each conflict.
   *
   * Default: `'newest'`; a tie or an unknown time keeps both.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'notes', 'notes', {
   *   conflict: ({ path }) => (path.endsWith('.log') ? 'bucket' : 'keep-both'),
   * });
   * ```
   */
  readonly conflict?: ConflictPolicy;
  /**
   * Share of the known files of one side that one run may delete, from 0 to 1.
   *
   * Default: 0.5. Counted once more than 10 files are concerned. A side that had two or more known files and now has
   * none halts the run in any case, unless this is 1.
   * Consequence: a run that would delete more stops before it changes anything, with `HaltError`.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'pictures', 'photos', { maxDelete: 0.1 });
   * ```
   */
  readonly maxDelete?: number;
  /**
   * How many files are carried at once, from 1 to 256.
   *
   * Default: 32, not counting small files that came and wait for the disk. More is faster for small files and far-away services,
   * and takes more memory.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'pictures', 'photos', { concurrency: 64 });
   * ```
   */
  readonly concurrency?: number;
  /**
   * Size of the parts of a large upload, in MiB, from 5 to 5120.
   *
   * Default: 8. Files larger than one part are sent in parts; the size is doubled for a file that would need more than
   * 10,000 of them. Each file in transfer holds a few parts in memory.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'videos', 'videos', { partSizeMiB: 64 });
   * ```
   */
  readonly partSizeMiB?: number;
  /**
   * Bytes a second, in each direction: a number, or text with a unit (`'500kB'`, `'10MiB'`).
   *
   * Default: no limit.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'videos', 'videos', { bandwidth: '2MiB' });
   * ```
   */
  readonly bandwidth?: number | string;
  /**
   * After how many days a version leaves the trash for good. `Infinity`: never.
   *
   * Default: 30. 0 empties the trash at the end of every run.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'pictures', 'photos', { trashDays: 365 });
   * ```
   */
  readonly trashDays?: number;
  /**
   * Finds out, once per endpoint and bucket, whether the service honours conditional requests, with a scratch key
   * under `.filecloudsync/` that is removed again. AWS's own endpoints are known and not probed.
   *
   * Default: `true`. `false` takes the careful way: contents are checked again before and after each write.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'pictures', 'photos', { probe: false });
   * ```
   */
  readonly probe?: boolean;
  /**
   * Folder in which the state of all pairs is kept.
   *
   * Default: `$FILECLOUDSYNC_STATE_DIR`, else the platform's state directory. A lost state is rebuilt by a run that
   * deletes nothing.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'pictures', 'photos', { stateDir: '/var/lib/photos-sync' });
   * ```
   */
  readonly stateDir?: string;
  /**
   * Syncs a folder although it is, contains, or lies in a folder that is synced with another bucket or prefix.
   *
   * Default: `false`; such a folder is refused, because two buckets would be mixed without anybody having asked for it.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'second-copy', 'photos', { allowOverlap: true });
   * ```
   */
  readonly allowOverlap?: boolean;
  /**
   * Ends the call when it is aborted: it rejects with the signal's reason. What was done is recorded.
   *
   * Default: none.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'pictures', 'photos', { signal: AbortSignal.timeout(60_000) });
   * ```
   */
  readonly signal?: AbortSignal;
  /**
   * Is told what a run does, as it does it: see {@link SessionEvent}. What it throws is ignored.
   *
   * Default: none.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * const client = await s3.connect();
   * await s3.sync(client, 'pictures', 'photos', {
   *   onProgress: (event) => {
   *     if (event.type === 'done') console.log(event.action, event.path);
   *   },
   * });
   * ```
   */
  readonly onProgress?: SessionListener;
}
