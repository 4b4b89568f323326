import type { Decision, RuleId } from '../core/decision.js';
import type { FileEntry } from '../core/entry.js';
import { StaleError } from '../errors.js';
import type { TransferContext } from './context.js';
import { deleteLocal, deleteRemote } from './delete.js';
import { download } from './download.js';
import { moveLocal, moveRemote, type MovedFile } from './move.js';
import type { PathOutcome } from './path-outcome.js';
import { recordAgreement } from './record.js';
import { sameContent } from './same-content.js';
import { setAside } from './set-aside.js';
import { settle } from './settle.js';
import { upload } from './upload.js';

/**
 * Carries out one decision, with the state it was based on as its precondition.
 *
 * @throws PathError when this path could not be handled; any other error when a whole side cannot be used.
 */
export async function carry(context: TransferContext, decision: Decision): Promise<PathOutcome> {
  try {
    return await carryUnguarded(context, decision);
  } catch (error) {
    if (error instanceof StaleError) return { type: 'again', paths: pathsOf(decision), message: error.message };
    throw error;
  }
}

function carryUnguarded(context: TransferContext, decision: Decision): Promise<PathOutcome> {
  const { action, rule, path } = decision;
  switch (action) {
    case 'upload':
      refuseUnderReadonly(context, decision);
      return upload(context, rule, present(decision, 'local'), decision.remote);
    case 'download':
      return download(context, rule, decision.local, present(decision, 'remote'));
    case 'compare':
      return compare(context, decision);
    case 'delete-local':
      return deleteLocal(context, rule, present(decision, 'local'));
    case 'delete-remote':
      refuseUnderReadonly(context, decision);
      return deleteRemote(context, rule, present(decision, 'remote'));
    case 'move-local':
      return moveLocal(context, decision, present(decision, 'remote'), renamed(decision, 'local'));
    case 'move-remote':
      refuseUnderReadonly(context, decision);
      return moveRemote(context, decision, present(decision, 'local'), renamed(decision, 'remote'));
    case 'forget':
      return context.baseline.delete([path]).then(() => ({ type: 'done', rule }));
    case 'set-aside':
      return makeRoom(context, decision);
    case 'nothing':
    case 'hold':
      return Promise.resolve({ type: 'done', rule });
    default:
      return action satisfies never;
  }
}

/** Gives a file another name, because a directory has to stand at its path. */
async function makeRoom(context: TransferContext, decision: Decision): Promise<PathOutcome> {
  const { path, setAsideSide: side = 'local' } = decision;
  if (side === 'remote') refuseUnderReadonly(context, decision);
  const aside = await setAside(context, side, present(decision, side));
  if (aside.outcome === 'stale') return { type: 'again', paths: [path], message: aside.message };
  return {
    type: 'again',
    paths: [path, aside.copyPath],
    conflict: { path, type: 'kind', resolution: 'keep-both', copyPath: aside.copyPath },
    message: `${path} made room for a directory.`,
  };
}

async function compare(context: TransferContext, decision: Decision): Promise<PathOutcome> {
  const local = present(decision, 'local');
  const remote = present(decision, 'remote');
  const comparison = await sameContent(context, local, remote);
  if (comparison.verdict === 'different') return settle(context, decision.rule, local, remote);
  await recordAgreement(context, local, remote, comparison.digest);
  const converged: RuleId = decision.rule === 'R14' ? 'R13' : 'R04';
  return { type: 'done', rule: converged };
}

function pathsOf({ path, from }: Decision): readonly string[] {
  return from === undefined ? [path] : [from.path, path];
}

/** What a move takes along: the file at its old path, and what both sides had agreed on there. */
function renamed({ path, action, from }: Decision, side: 'local' | 'remote'): MovedFile {
  if (from?.baseline === undefined) throw new TypeError(`a decision to ${action} ${path} does not say from where`);
  return { rule: from.rule, file: present(from, side), baseline: from.baseline };
}

function present(decision: Decision, side: 'local' | 'remote'): FileEntry {
  const entry = decision[side];
  if (entry === null) throw new TypeError(`a decision to ${decision.action} ${decision.path} has no ${side} file`);
  return entry;
}

/** The last wall behind `reconcile`: a planner's mistake must not write to a bucket that is only read. */
function refuseUnderReadonly(context: TransferContext, decision: Decision): void {
  if (context.readonly)
    throw new TypeError(`a decision to ${decision.action} ${decision.path} was made under readonly`);
}
