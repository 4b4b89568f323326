import type { Decision } from '../core/decision.js';
import type { Mutable } from '../core/mutable.js';
import { halvesOf } from '../core/rename.js';
import { showPath } from '../core/path.js';
import type { Side } from '../core/side.js';
import { FileCloudSyncError, isAbort, PathError } from '../errors.js';
import { carry } from '../transfer/carry.js';
import type { BaselinePort, TransferContext } from '../transfer/context.js';
import type { PathOutcome } from '../transfer/path-outcome.js';
import type { AtWork } from '../transfer/run-all.js';
import type { CycleContext } from './cycle-context.js';
import { problemOf } from './problem-of.js';
import type { SessionEvent } from './event.js';
import type { Report } from './report.js';
import type { WaitingConflicts } from './waiting-conflicts.js';

/** What the carrying of a cycle's decisions gathers. */
export interface CarryState {
  readonly context: CycleContext;
  readonly transfer: TransferContext;
  readonly report: Report;
  readonly atWork: AtWork;
  readonly waiting: WaitingConflicts;
  /** Paths with a conflict that waits, met in this cycle. */
  readonly waitingPaths: Set<string>;
  /** Paths to observe and decide again, with why. */
  readonly again: Map<string, string>;
  /** Paths at which a file, or a directory, should have made room for the other and did not, with what became of that. */
  readonly noRoom: Map<string, 'failed' | 'stale'>;
}

/**
 * Carries out one decision and reports it. What goes wrong at this path alone becomes a problem.
 *
 * @param leave - called when nothing is waited for but the disk, which takes many files at a time, or what records it.
 * @returns whether it was done.
 * @throws what makes a whole side unusable, and the signal's reason.
 */
export async function carryOut(state: CarryState, decision: Decision, leave: () => void): Promise<boolean> {
  const { report } = state;
  const { path, action, rule } = decision;
  if (waitsForRoom(state, decision)) return false;
  if (action === 'compare' && (await stillWaiting(state, decision))) return false;
  const sizeBytes = plannedBytes(decision);
  const from = decision.from?.path;
  report.tell(
    from === undefined
      ? { type: 'start', path, action, rule, sizeBytes }
      : { type: 'start', path, action, rule, from, sizeBytes },
  );
  let outcome: PathOutcome;
  try {
    outcome = await carry(leavingEarly(state.transfer, leave), decision);
  } catch (error) {
    if (isAbort(error) || state.context.signal?.aborted === true) throw error;
    if (error instanceof FileCloudSyncError && !(error instanceof PathError)) throw error;
    if (decision.makesRoom === true) state.noRoom.set(path, 'failed');
    report.problem(problemOf(error, path, sideOf(decision)));
    return false;
  }
  switch (outcome.type) {
    case 'done':
      if (outcome.change !== undefined) report.change(outcome.change);
      if (outcome.conflict !== undefined) report.conflict(outcome.conflict);
      report.tell(doneEvent(decision, outcome, sizeBytes));
      if (outcome.gone !== undefined) tellGone(state, decision, outcome.gone);
      return true;
    case 'apart':
      return carryApart(state, decision, leave);
    case 'again':
      if (outcome.conflict !== undefined) report.conflict(outcome.conflict);
      else if (decision.makesRoom === true) state.noRoom.set(path, 'stale');
      for (const each of outcome.paths) state.again.set(each, outcome.message);
      return false;
    case 'waiting':
      await state.waiting.put({
        conflict: outcome.conflict,
        local: outcome.local.fingerprint,
        remote: outcome.remote.fingerprint,
        sinceMs: state.context.ports.runtime.clock.nowMs(),
      });
      wait(state, outcome.conflict);
      return false;
    default:
      return outcome satisfies never;
  }
}

/**
 * Whether a path is to be left alone because another has not made room for it: a bucket would take both, and no disk could
 * hold what it then has.
 */
function waitsForRoom({ noRoom, again, report }: CarryState, decision: Decision): boolean {
  if (noRoom.size === 0 || decision.makesRoom === true) return false;
  const { path } = decision;
  for (const [other, why] of noRoom) {
    if (!path.startsWith(`${other}/`) && !other.startsWith(`${path}/`)) continue;
    const message = `${showPath(other)} did not make room for ${showPath(path)}`;
    if (why === 'stale') again.set(path, `${message}.`);
    else
      report.problem({
        path,
        side: sideOf(decision),
        code: 'ERR_KIND_CONFLICT',
        message: `${message}, which is told there: ${showPath(path)} is left alone. The next run tries again.`,
        severity: 'error',
      });
    return true;
  }
  return false;
}

/** The same context, whose user leaves when it comes to wait for the disk together with others, or to record what was reached. */
function leavingEarly(transfer: TransferContext, leave: () => void): TransferContext {
  const inner = transfer.baseline;
  const baseline: BaselinePort = {
    put(rows, options) {
      if (options?.sync !== true) leave();
      return inner.put(rows, options);
    },
    delete(paths, options) {
      if (options?.sync !== true) leave();
      return inner.delete(paths, options);
    },
  };
  // One field after the other: this is made for each file, and a copy of all fields costs ten times as much.
  return {
    local: transfer.local,
    remote: transfer.remote,
    baseline,
    parts: transfer.parts,
    asides: transfer.asides,
    runtime: transfer.runtime,
    readonly: transfer.readonly,
    conflict: transfer.conflict,
    machine: transfer.machine,
    nameRules: transfer.nameRules,
    signal: transfer.signal,
    onBytes: transfer.onBytes,
    onArrived: leave,
    onHash: transfer.onHash,
  };
}

function doneEvent(
  { path, action, from }: Decision,
  { rule, change }: Extract<PathOutcome, { type: 'done' }>,
  sizeBytes: number,
): SessionEvent {
  const event: Mutable<Extract<SessionEvent, { type: 'done' }>> =
    from === undefined
      ? { type: 'done', path, action, rule, sizeBytes }
      : { type: 'done', path, action, rule, from: from.path, sizeBytes };
  if (change !== undefined) event.change = change;
  return event;
}

/** The old path of a rename: its file is gone there as well. */
function tellGone(
  { report }: CarryState,
  { action }: Decision,
  { rule, change }: NonNullable<Extract<PathOutcome, { type: 'done' }>['gone']>,
): void {
  report.change(change);
  report.tell({ type: 'done', path: change.path, action, rule, sizeBytes: 0, change });
}

/** A rename that the other side cannot make: the content is carried, and only then the deletion. */
async function carryApart(state: CarryState, decision: Decision, leave: () => void): Promise<boolean> {
  const [made, gone] = halvesOf(decision) ?? [];
  if (made === undefined || gone === undefined) throw new TypeError(`the decision about ${decision.path} is no rename`);
  const stay = (): void => undefined;
  if (await carryOut(state, made, stay)) return carryOut(state, gone, leave);
  // What is decided anew for one half is decided anew for the other: else nobody would say that it was left.
  const why = state.again.get(made.path);
  if (why !== undefined) state.again.set(gone.path, why);
  return false;
}

/** Reports a conflict that waits. */
export function wait(state: CarryState, conflict: Parameters<Report['conflict']>[0]): void {
  state.waitingPaths.add(conflict.path);
  state.report.conflict(conflict);
}

/** The same two versions as when the conflict was put aside need not be read again to know that they differ. */
async function stillWaiting(state: CarryState, { path, local, remote }: Decision): Promise<boolean> {
  if (state.context.options.conflict !== 'manual') return false;
  const known = await state.waiting.get(path);
  if (known === undefined || known.local !== local?.fingerprint || known.remote !== remote?.fingerprint) return false;
  wait(state, known.conflict);
  return true;
}

function plannedBytes({ action, local, remote }: Decision): number {
  if (action === 'upload') return local?.sizeBytes ?? 0;
  if (action === 'download') return remote?.sizeBytes ?? 0;
  return 0;
}

function sideOf({ action }: Decision): Side {
  return action === 'upload' || action === 'delete-remote' || action === 'move-remote' ? 'remote' : 'local';
}
