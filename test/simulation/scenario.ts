import type { ConflictPolicyName } from '../../src/core/conflict.js';
import type { DialectName } from '../../src/testing/s3/dialects.js';
import type { FaultRule } from '../../src/testing/s3/faults.js';

/** What one simulated computer is like. */
export interface MachinePlan {
  readonly conflict: ConflictPolicyName;
  readonly readonly: boolean;
  /** How far its clock is off. */
  readonly skewMs: number;
  /** How coarse its disk keeps times; 0: nanoseconds. */
  readonly granularityMs: number;
  /** Goes on with one session from cycle to cycle, as a monitor does, instead of beginning anew each time. */
  readonly watch: boolean;
  readonly concurrency: number;
  /** The share of its cycles that look only at what was heard of since the last one: some of what people did, and names besides. */
  readonly touched: number;
  /** The share of its other cycles that believe the folder to be as it was agreed, whatever people did. */
  readonly polls: number;
  /** The trait of a disk without hard links. */
  readonly noHardLinks: boolean;
  /** Its disk is reached as where another thread makes small files. */
  readonly makesMany: boolean;
}

/**
 * How the content of a write is made. `same`: as long as what stands there. `parts`: more than one part. `before`: what stands
 * there with something put in before it.
 */
export type SizeChoice = 'short' | 'same' | 'parts' | 'before' | 'empty';

/** One thing somebody does, at a time after the start. `at` is a machine, by number. */
export type Act = { readonly ms: number } & (
  | {
      readonly act: 'write';
      readonly at: number;
      readonly path: string;
      readonly how: 'in-place' | 'replace';
      readonly size: SizeChoice;
      /** The time that the file is given: that of the write, the one it had, or one of the past. */
      readonly time: 'now' | 'kept' | 'back';
    }
  | { readonly act: 'remove'; readonly at: number; readonly path: string }
  | { readonly act: 'rename'; readonly at: number; readonly path: string; readonly to: string }
  | { readonly act: 'mkdir'; readonly at: number; readonly path: string }
  | { readonly act: 'symlink'; readonly at: number; readonly path: string }
  | { readonly act: 'lock'; readonly at: number; readonly path: string }
  | { readonly act: 'unmount'; readonly at: number }
  | { readonly act: 'mount'; readonly at: number }
  | { readonly act: 'clock'; readonly at: number; readonly byMs: number }
  | { readonly act: 'exclude'; readonly at: number; readonly prefix: string | null }
  | { readonly act: 'stop'; readonly at: number; readonly how: 'soft' | 'hard' }
  | { readonly act: 'put'; readonly path: string; readonly size: SizeChoice }
  | { readonly act: 'delete'; readonly path: string }
  | { readonly act: 'hostile'; readonly path: string }
);

/** The end of a machine's process, just before one of its operations. */
export interface Crash {
  readonly at: number;
  /** How many operations the machine has begun in all. */
  readonly operation: number;
  /** Not there, but soon after the next operation that begins so: at the places where a crash hurts most. */
  readonly after?: { readonly begins: 'rename' | 'link' | 'unlink' | 'PUT' | 'DELETE' | 'sync'; readonly by: number };
  readonly kind: 'process' | 'power';
  /** What becomes of the state database besides. */
  readonly damage: 'none' | 'flip' | 'lose' | 'gone' | 'mark' | 'old';
}

/** A failure of a disk: of some operations in a row. */
export interface DiskFault {
  readonly at: number;
  readonly operation: number;
  readonly count: number;
  readonly errno: 'EIO' | 'ENOSPC' | 'EMFILE' | 'EACCES' | 'EROFS';
}

/** A failure of the network of one machine. */
export interface NetworkFault {
  readonly at: number;
  readonly rule: FaultRule;
}

/** A whole run as data: replayed it gives the same trace, and its parts can be taken away one by one. */
export interface Scenario {
  /** Determines the order of steps. */
  readonly seed: number;
  readonly dialect: DialectName;
  /** Whether the store is tried out, was tried out before, or is not trusted with anything. */
  readonly probe: 'now' | 'before' | 'never';
  readonly partSizeBytes: number;
  /** Keys on a page of a listing. */
  readonly pageKeys: number;
  readonly machines: readonly MachinePlan[];
  readonly acts: readonly Act[];
  readonly crashes: readonly Crash[];
  readonly diskFaults: readonly DiskFault[];
  readonly networkFaults: readonly NetworkFault[];
  /** At rest nothing is left to do: asked for in some runs only, because it costs a round. */
  readonly provesRest: boolean;
}

/** A scenario as somebody can read it, and as it can be pasted into a test. */
export function describeScenario(scenario: Scenario): string {
  const { acts, crashes, diskFaults, networkFaults, machines, ...rest } = scenario;
  const list = (name: string, items: readonly unknown[]): string =>
    items.length === 0
      ? `  "${name}": []`
      : `  "${name}": [\n${items.map((item) => `    ${JSON.stringify(item)}`).join(',\n')}\n  ]`;
  const head = JSON.stringify(rest).slice(1, -1);
  return `{\n  ${head},\n${[
    list('machines', machines),
    list('acts', acts),
    list('crashes', crashes),
    list('diskFaults', diskFaults),
    list('networkFaults', networkFaults),
  ].join(',\n')}\n}`;
}
