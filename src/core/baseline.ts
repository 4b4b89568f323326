import type { Digest } from './digest.js';
import type { Fingerprint } from './entry.js';

/** What both sides of one path last agreed on. */
export interface BaselineRow {
  readonly path: string;
  readonly sizeBytes: number;
  /** The local file as it was when both sides agreed. `null`: it must be hashed before it is believed (a racy file). */
  readonly local: Fingerprint | null;
  /** The object as it was when both sides agreed. */
  readonly remote: Fingerprint;
  /** Digest of the agreed content, when one is known. */
  readonly digest: Digest | undefined;
  /** When the row was written, in milliseconds since 1970. */
  readonly recordedAtMs: number;
  /**
   * A download was about to move the old local file out of the way. When the local file is absent, it was
   * not deleted by anybody: the row then counts as absent.
   */
  readonly replacing?: boolean;
}
