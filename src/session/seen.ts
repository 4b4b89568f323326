import type { BaselineRow } from '../core/baseline.js';
import type { Decision } from '../core/decision.js';
import type { Digest } from '../core/digest.js';
import type { FileEntry, Fingerprint } from '../core/entry.js';
import type { Mutable } from '../core/mutable.js';

/** One side of a path as it was seen. `modifiedMs` is in milliseconds since 1970, left out when it is not known. */
export interface SeenFile {
  readonly sizeBytes: number;
  readonly fingerprint: Fingerprint;
  readonly modifiedMs?: number;
  readonly digest?: Digest;
}

/** What both sides of a path last agreed on. `local` is `null` when it had to be hashed before it was believed. */
export interface SeenBaseline {
  readonly sizeBytes: number;
  readonly local: Fingerprint | null;
  readonly remote: Fingerprint;
  readonly recordedAtMs: number;
  readonly digest?: Digest;
}

/** The three states that a decision was based on; `null`: no file stood there, or nothing was agreed on. */
export interface Seen {
  readonly baseline: SeenBaseline | null;
  readonly local: SeenFile | null;
  readonly remote: SeenFile | null;
}

/** Gives the three states of a decision in the form in which they are told. */
export function seenOf({ baseline, local, remote }: Decision): Seen {
  return {
    baseline: baseline === undefined ? null : seenBaseline(baseline),
    local: local === null ? null : seenFile(local),
    remote: remote === null ? null : seenFile(remote),
  };
}

function seenFile({ sizeBytes, fingerprint, modifiedMs, digest }: FileEntry): SeenFile {
  const seen: Mutable<SeenFile> = { sizeBytes, fingerprint };
  if (modifiedMs !== undefined) seen.modifiedMs = modifiedMs;
  if (digest !== undefined) seen.digest = digest;
  return seen;
}

function seenBaseline({ sizeBytes, local, remote, recordedAtMs, digest }: BaselineRow): SeenBaseline {
  const seen: Mutable<SeenBaseline> = { sizeBytes, local, remote, recordedAtMs };
  if (digest !== undefined) seen.digest = digest;
  return seen;
}
