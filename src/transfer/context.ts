import type { BaselineRow } from '../core/baseline.js';
import type { Fingerprint } from '../core/entry.js';
import type { PartDigests } from '../core/part-digests.js';
import type { ConflictPolicy } from '../core/conflict.js';
import type { NameRules } from '../core/path.js';
import type { Runtime } from '../core/runtime.js';
import type { Replica } from '../replica/replica.js';
import type { Trash } from '../replica/trash.js';

/** A local replica with the trash that lives beside it. */
export type LocalSide = Replica & { readonly trash: Trash };

/** The baseline as a transfer needs it: rows are replaced or dropped. */
export interface BaselinePort {
  put(rows: readonly BaselineRow[], options?: { readonly sync?: boolean }): Promise<void>;
  delete(paths: readonly string[], options?: { readonly sync?: boolean }): Promise<void>;
}

/** Remembers the parts of large objects. */
export interface PartsPort {
  get(path: string, fingerprint: Fingerprint): Promise<PartDigests | undefined>;
  put(path: string, fingerprint: Fingerprint, parts: PartDigests): Promise<void>;
}

/** Remembers under which conflict name a path is being set aside, so that a run that was cut off goes on with the same name. */
export interface AsidePort {
  get(path: string): Promise<string | undefined>;
  put(path: string, copyPath: string): Promise<void>;
  delete(path: string): Promise<void>;
}

/** What carrying out decisions needs, and nothing else. */
export interface TransferContext {
  readonly local: LocalSide;
  readonly remote: Replica;
  readonly baseline: BaselinePort;
  readonly parts: PartsPort;
  readonly asides: AsidePort;
  readonly runtime: Runtime;
  /** Nothing is ever written to the remote replica. */
  readonly readonly: boolean;
  readonly conflict: ConflictPolicy;
  /** Names this machine in conflict copies. */
  readonly machine: string;
  readonly nameRules: NameRules;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes: (path: string, direction: 'up' | 'down', count: number) => void;
  /** Called when nothing is waited for any more but a disk that takes many files at a time: others can be begun meanwhile. */
  readonly onArrived?: () => void;
  /** Called for each file whose content is hashed or read to be compared. */
  readonly onHash: (path: string) => void;
}
