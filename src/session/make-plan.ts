import type { Decision } from '../core/decision.js';
import { guard, type GuardVerdict } from '../core/guard.js';
import type { PassOver } from '../core/merge-join.js';
import { isAgreed } from '../core/reconcile.js';
import type { ScanMark } from '../replica/replica.js';
import type { CycleContext } from './cycle-context.js';
import { decideContext } from './decide-context.js';
import { decide } from './decide.js';
import { findRenames, type RenameContext } from './find-renames.js';
import type { Findings } from './last-poll.js';
import { hasAnyFile, observeSides } from './observe-sides.js';
import type { Report } from './report.js';
import { Tally } from './tally.js';
import { WholeLookNeeded } from './whole-look-needed.js';

/** Renames are handed on so many at once. */
const RENAME_BATCH = 500;

/** A finished plan in numbers, with the guard's verdict on it. */
export interface PlanVerdict {
  readonly tally: Tally;
  readonly verdict: GuardVerdict;
  /** Which folder was looked at. */
  readonly rootIdentity: string;
  /** The folder is another one than in the last cycle. */
  readonly rootChanged: boolean;
}

/** What {@link makePlan} does besides answering. */
export interface MakePlanOptions {
  readonly report: Report;
  /** Takes each page of decisions, without those that ask for nothing. */
  readonly onDecisions: (decisions: readonly Decision[]) => Promise<void>;
  /** Where the decisions can be read again once all were taken, to find the renames among them. */
  readonly renames: Pick<RenameContext, 'tables' | 'decisions'> & {
    /** Takes renames; each stands in the place of its two halves. */
    readonly onRenames: (renames: readonly Decision[]) => Promise<void>;
  };
  /** Nothing is touched, not even the baseline. */
  readonly dry: boolean;
}

/** Observes both sides, decides for every path, and lets the guard look at the whole. Changes no file on either side. */
export async function makePlan(
  context: CycleContext,
  { report, onDecisions, renames, dry }: MakePlanOptions,
): Promise<PlanVerdict> {
  const { ports, options, notedRoot } = context;
  const rootIdentity = await ports.local.rootIdentity();
  const { tally, agreedPath } = context.known ?? (await lookAndDecide(context, { report, dry, onDecisions }));
  if (context.poll === true && agreedPath !== undefined) await assertStands(context, agreedPath);
  await takeRenames(context, report, tally, renames);
  if ((options.files !== undefined || context.touched !== undefined) && tally.counts.known > 0)
    await lookForOthers(context, tally);
  // A folder that lost its stamp was exchanged or wiped; only who allows every deletion may mean what is missing in it.
  const lostStamp = context.folderLostStamp === true && options.maxDelete < 1;
  const rootChanged = lostStamp || (notedRoot !== undefined && notedRoot !== rootIdentity);
  return { tally, rootIdentity, rootChanged, verdict: judge(context, tally, rootChanged) };
}

/** Looks at both sides and decides for every path. */
async function lookAndDecide(
  context: CycleContext,
  { report, dry, onDecisions }: Omit<MakePlanOptions, 'renames'>,
): Promise<Findings> {
  const { filter } = context.options;
  const tally = new Tally();
  let agreedPath: string | undefined;
  const passOver: PassOver = (local, remote, row) => {
    if (!isAgreed(local, remote, row) || !filter.includesFile(row.path)) return false;
    tally.addAgreed();
    agreedPath ??= row.path;
    return true;
  };
  let isQuiet = true;
  let mark: ScanMark | undefined;
  const onMark = context.onQuiet && ((made: ScanMark): void => void (mark = made));
  const triples = observeSides(context, report, tally, { remember: !dry, onMark, passOver });
  for await (const page of decide(decideContext(context, report, dry), triples)) {
    const asking: Decision[] = [];
    for (const decision of page) {
      tally.add(decision);
      if (!canBeJudged(context, decision)) throw new WholeLookNeeded(decision.rule);
      if (decision.action !== 'nothing') asking.push(decision);
      // What was looked at in the folder, because it was not as agreed, may be another the next time.
      isQuiet &&= decision.action === 'nothing' && decision.baseline === undefined;
    }
    if (asking.length > 0) await onDecisions(asking);
  }
  // A problem is told by each look that meets it.
  if (isQuiet && mark !== undefined && report.counts.errors + report.counts.notices === 0)
    context.onQuiet?.({ tally, agreedPath }, mark);
  return { tally, agreedPath };
}

/** Finds the renames before the guard judges: what only moved counts as no deletion. */
async function takeRenames(
  { ports, signal }: CycleContext,
  report: Report,
  tally: Tally,
  { tables, decisions, onRenames }: MakePlanOptions['renames'],
): Promise<void> {
  const { local, remote } = ports;
  const onHash = (): void => report.hashed();
  let found: Decision[] = [];
  for (const origin of ['local', 'remote'] as const) {
    if (!tally.mayHoldRenames(origin)) continue;
    const search = { local, remote, tables, decisions, onHash, ...(signal !== undefined && { signal }) };
    for await (const each of findRenames(search, origin)) {
      if (each.type === 'settled') {
        tally.forgive(each.gone);
        continue;
      }
      tally.addRename(each.decision);
      found.push(each.decision);
      if (found.length < RENAME_BATCH) continue;
      await onRenames(found);
      found = [];
    }
    if (found.length > 0) await onRenames(found);
    found = [];
  }
}

function canBeJudged({ touched, poll }: CycleContext, decision: Decision): boolean {
  if (poll === true) return isOfRemote(decision);
  return touched === undefined || canStandAlone(decision);
}

/** What was done on the remote side where the folder is as it was agreed. Anything else that is found there was not expected. */
function isOfRemote({ action, rule }: Decision): boolean {
  return action === 'nothing' || rule === 'R02' || rule === 'R06' || rule === 'R12';
}

/** The guard counts what is believed of the folder: one such file has to stand, or it may well be empty. */
async function assertStands({ ports, signal }: CycleContext, path: string): Promise<void> {
  if ((await ports.local.observe(path, signal))?.kind !== 'file') throw new WholeLookNeeded('a file is gone');
}

/**
 * What may be done at one path of the folder without having seen all others: carry what was written or deleted there, or
 * compare it. What was done on the remote side, and what concerns other paths too, is found by a look at everything.
 */
function canStandAlone({ action, rule, hold, makesRoom }: Decision): boolean {
  if (makesRoom === true) return false;
  switch (action) {
    case 'nothing':
    case 'upload':
    case 'compare':
    case 'delete-remote':
      return true;
    case 'forget':
      return rule === 'R10';
    case 'hold':
      return hold === 'readonly';
    case 'download':
    case 'delete-local':
    case 'set-aside':
    case 'move-local':
    case 'move-remote':
      return false;
    default:
      return action satisfies never;
  }
}

/** Lets the guard look at what was counted and, where anything is to be deleted, at what was since it last looked at everything. */
export function judge(context: CycleContext, { counts }: Tally, rootChanged: boolean): GuardVerdict {
  const { options, deletedBefore = 0 } = context;
  // A few files at a time must not come to more than all of them at once: what was deleted since everything was last judged counts.
  // It was judged when it was carried: a plan that deletes nothing comes to no more than was allowed then.
  const deletesNow = counts.local.deletionsCaused > 0 || counts.remote.deletionsCaused > 0;
  const deletionsCaused = counts.local.deletionsCaused + (deletesNow ? deletedBefore : 0);
  const local = { ...counts.local, deletionsCaused };
  const known = counts.known === 0 ? 0 : counts.known + deletedBefore;
  return guard(
    { ...counts, known, local },
    { maxDelete: options.maxDelete, rootChanged: { local: rootChanged, remote: false } },
  );
}

/**
 * Only the asked paths were looked at: whether a side has no file at all is seen by walking it until its first one, and
 * then all files that are known count as gone.
 */
async function lookForOthers(context: CycleContext, { counts }: Tally): Promise<void> {
  for (const side of ['local', 'remote'] as const) {
    if (counts[side].filesSeen > 0) continue;
    if (await hasAnyFile(context.ports[side], context)) counts[side].filesSeen = 1;
    else counts.known = Math.max(counts.known, await countKnown(context));
  }
}

async function countKnown({ ports, options }: CycleContext): Promise<number> {
  let known = 0;
  for await (const rows of ports.store.baseline.scan()) {
    for (const { path } of rows) if (options.filter.includesFile(path)) known++;
  }
  return known;
}
