import type { FileEntry } from './entry.js';
import type { Side } from './side.js';

/** Named ways to settle a conflict. */
export type ConflictPolicyName = 'newest' | 'local' | 'bucket' | 'keep-both' | 'manual';

/** What a policy function is told. */
export interface ConflictQuestion {
  readonly path: string;
  readonly local: FileEntry;
  readonly remote: FileEntry;
}

/** How one conflict is settled: a side wins and the other version goes to the trash, both are kept, or it waits for a person. */
export type ConflictAnswer = 'local' | 'bucket' | 'keep-both' | 'manual';

/** A policy: one of the names, or a function asked for each conflict. */
export type ConflictPolicy =
  | ConflictPolicyName
  | ((conflict: ConflictQuestion) => ConflictAnswer | Promise<ConflictAnswer>);

/** A conflict that was met in a cycle. */
export interface Conflict {
  readonly path: string;
  /** `content`: two versions of one file (R05, R14). `kind`: a file where the other side has a directory (R15). */
  readonly type: 'content' | 'kind';
  /** How it was settled; `manual`: it waits for a person. */
  readonly resolution: ConflictAnswer;
  /** The conflict copy that was made, when both were kept. */
  readonly copyPath?: string;
  /** The side whose version went to the trash, when one did. */
  readonly trashed?: Side;
}
