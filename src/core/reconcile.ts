import type { BaselineRow } from './baseline.js';
import { copyWith } from './copy-with.js';
import type { Action, Decision, HoldReason, RuleId } from './decision.js';
import type { Entry, FileEntry } from './entry.js';
import type { Triple } from './triple.js';

/** Options of {@link reconcile}. */
export interface ReconcileOptions {
  /** Nothing may be written to the remote side. */
  readonly readonly: boolean;
}

/**
 * Decides what is to be done at one path. Pure; the rule ids are those of the table in the design, one line each.
 *
 * Invariants, from here on:
 * - a side that could not be looked at, or was not, leads to no transition (R16 - R18);
 * - a side is deleted only where it is as both last agreed (R06, R07), so whatever somebody wrote since then stays;
 * - a side is overwritten only where it is as both last agreed (R02, R03), or after the contents were compared (R04, R05, R13, R14);
 * - under `readonly` no decision writes the remote side.
 *
 * A `compare` decision has the rule R05 or R14 until the contents are known; equal contents make it R04 or R13.
 * Of a racy file nobody knows whether it was modified: it counts as modified, and {@link isUncertain} tells the executor to hash it first.
 */
export function reconcile(triple: Triple, options: ReconcileOptions): Decision {
  const { local, remote } = triple;
  if (local?.kind === 'problematic' || remote?.kind === 'problematic') return held(triple, 'R16', 'problem');
  const localTracked = !isUntracked(local);
  const remoteTracked = !isUntracked(remote);
  if (!localTracked && !remoteTracked) return forget(triple, 'R17');
  if (!localTracked || !remoteTracked) return held(triple, 'R18', 'untracked');
  const row = agreed(triple);
  const decision = row === undefined ? withoutBaseline(triple) : withBaseline(triple, row);
  return options.readonly ? protectRemote(decision) : decision;
}

/**
 * Tells whether the local file may well be the agreed one although it counts as modified: the executor hashes it, and when
 * the content is the agreed one, decides again with {@link believed}.
 */
export function isUncertain(decision: Decision): boolean {
  const { local, baseline } = decision;
  if (local === null || baseline === undefined || baseline.sizeBytes !== local.sizeBytes) return false;
  return baseline.local === null || (local.racy === true && baseline.local === local.fingerprint);
}

/** The same state, once the local content was found to be the agreed one: `reconcile` then sees it as unchanged. */
export function believed(decision: Decision): Triple {
  const { path, local, remote, baseline } = decision;
  if (local === null || baseline === undefined) return { path, local, remote, baseline };
  const { racy: _, ...certain } = local;
  return { path, local: certain, remote, baseline: { ...baseline, local: local.fingerprint } };
}

/** The rule of a `compare` decision, once it is known whether the two contents are the same. */
export function ruleOnceCompared(decision: Decision, contents: 'same' | 'different'): RuleId {
  if (contents === 'different') return decision.rule;
  return decision.rule === 'R05' ? 'R04' : 'R13';
}

/**
 * Tells, without making a decision, whether {@link reconcile} finds a path to be as both sides last agreed (R01), with no file
 * to be hashed for it.
 */
export function isAgreed(local: Entry, remote: Entry, row: BaselineRow): boolean {
  return (
    local.kind === 'file' &&
    remote.kind === 'file' &&
    row.local === local.fingerprint &&
    row.remote === remote.fingerprint &&
    local.racy !== true
  );
}

type State = 'unchanged' | 'modified' | 'deleted';

/** By the state of the local side, then of the remote one. */
const WITH_BASELINE: Readonly<Record<State, Readonly<Record<State, readonly [RuleId, Action]>>>> = {
  unchanged: { unchanged: ['R01', 'nothing'], modified: ['R02', 'download'], deleted: ['R06', 'delete-local'] },
  modified: { unchanged: ['R03', 'upload'], modified: ['R05', 'compare'], deleted: ['R08', 'upload'] },
  deleted: { unchanged: ['R07', 'delete-remote'], modified: ['R09', 'download'], deleted: ['R10', 'forget'] },
};

function withBaseline(triple: Triple, row: BaselineRow): Decision {
  const local = localState(triple.local, row);
  const remote = remoteState(triple.remote, row);
  const [rule, action] = WITH_BASELINE[local][remote];
  return decide(triple, rule, action);
}

function withoutBaseline(triple: Triple): Decision {
  const local = fileOf(triple.local) === null ? 'absent' : 'created';
  const remote = fileOf(triple.remote) === null ? 'absent' : 'created';
  switch (`${local} ${remote}` as const) {
    case 'created absent':
      return decide(triple, 'R11', 'upload');
    case 'absent created':
      return decide(triple, 'R12', 'download');
    case 'created created':
      return decide(triple, 'R14', 'compare');
    case 'absent absent':
      return forget(triple, 'R10');
  }
}

function localState(entry: Entry | null, row: BaselineRow): State {
  const file = fileOf(entry);
  if (file === null) return 'deleted';
  return row.local === file.fingerprint && file.racy !== true ? 'unchanged' : 'modified';
}

function remoteState(entry: Entry | null, row: BaselineRow): State {
  const file = fileOf(entry);
  if (file === null) return 'deleted';
  return row.remote === file.fingerprint ? 'unchanged' : 'modified';
}

/**
 * The row that counts. A download that was cut short had moved the local file out of its own way: nobody deleted it,
 * and the remote version is to come again.
 */
function agreed(triple: Triple): BaselineRow | undefined {
  const { baseline } = triple;
  return baseline?.replacing === true && fileOf(triple.local) === null ? undefined : baseline;
}

/** What would write the remote side is held as not uploaded; a conflict is compared, and the bucket wins it. */
function protectRemote(decision: Decision): Decision {
  switch (decision.action) {
    case 'upload':
    case 'delete-remote':
    case 'set-aside':
      return copyWith(decision, { action: 'hold', hold: 'readonly' } as const);
    case 'nothing':
    case 'download':
    case 'compare':
    case 'delete-local':
    case 'forget':
    case 'move-local':
    case 'move-remote':
    case 'hold':
      return decision;
  }
}

function isUntracked(entry: Entry | null): boolean {
  return entry?.kind === 'untracked' || entry?.kind === 'symlink';
}

function fileOf(entry: Entry | null): FileEntry | null {
  return entry?.kind === 'file' ? entry : null;
}

function decide(triple: Triple, rule: RuleId, action: Action): Decision {
  const local = fileOf(triple.local);
  // A directory is only met when one path is decided again. What stands below it belongs to other paths of the next cycle.
  if (action === 'download' && triple.local?.kind === 'directory') return held(triple, 'R15', 'kind-conflict');
  return { path: triple.path, rule, action, local, remote: fileOf(triple.remote), baseline: triple.baseline };
}

function forget(triple: Triple, rule: RuleId): Decision {
  return decide(triple, rule, triple.baseline === undefined ? 'nothing' : 'forget');
}

function held(triple: Triple, rule: RuleId, hold: HoldReason): Decision {
  const { path, local, remote, baseline } = triple;
  return { path, rule, action: 'hold', local: fileOf(local), remote: fileOf(remote), baseline, hold };
}
