import type { Decision } from '../core/decision.js';
import { halvesOf } from '../core/rename.js';
import type { Phase } from '../store/state-store.js';
import { runAll, type AtWork } from '../transfer/run-all.js';
import { carryOut, wait, type CarryState } from './carry-out.js';
import type { CycleContext } from './cycle-context.js';
import { decideAgain, haltIfJudgedSo } from './decide-again.js';
import { isWholeLook } from './is-whole-look.js';
import { makePlan, type PlanVerdict } from './make-plan.js';
import type { Report } from './report.js';
import type { CycleResult } from './result.js';
import { ROOT_FACT } from './root-fact.js';
import { transferContext } from './transfer-context.js';
import { WaitingConflicts } from './waiting-conflicts.js';
import { WholeLookNeeded } from './whole-look-needed.js';

/** In this order: what makes room, renames, what carries content, and deletions last, so that an interruption leaves more rather than less. */
const PHASES: readonly Phase[] = ['room', 'move', 'transfer', 'delete'];

/** How often paths that changed under our hands are decided again within one cycle. */
const MAX_ROUNDS = 5;

/**
 * Runs one cycle: observe, plan, guard, carry out, record.
 *
 * Invariants:
 * - until the guard has seen the whole plan, nothing is changed on either side;
 * - a finished transition is in the baseline before the next of that path begins;
 * - whatever ends the cycle early, what was recorded stays true, and the same call goes on from there.
 *
 * @param report - takes what is done; it may know already what was done before the memory was found to be damaged.
 * @throws HaltError when the guard forbids the plan; what makes a side unusable; the reason of an aborted signal.
 */
export async function runCycle(context: CycleContext, report: Report): Promise<CycleResult> {
  const { ports, options } = context;
  const { store, runtime, runId } = ports;
  const startedAtMs = runtime.clock.nowMs();
  report.begin(runId);
  await store.journal.begin();
  const waiting = new WaitingConflicts(store.facts);
  const atWork: AtWork = { count: 0 };
  const state: CarryState = {
    context,
    report,
    waiting,
    transfer: transferContext(context, report, atWork),
    atWork,
    waitingPaths: new Set(),
    again: new Map(),
    noRoom: new Map(),
  };
  const plan = await makePlan(context, {
    report,
    dry: false,
    onDecisions: (decisions) => journalDecisions(state, decisions),
    renames: {
      tables: store.journal,
      decisions: (half) => store.journal.read(half === 'gone' ? 'delete' : 'transfer'),
      onRenames: (renames) => journalRenames(state, renames),
    },
  });
  const touchedPaths = context.touched?.length;
  const isWhole = isWholeLook({ touchedPaths, poll: context.poll });
  if (!isWhole && plan.verdict.verdict === 'halt') throw new WholeLookNeeded(plan.verdict.code);
  haltIfJudgedSo(plan.verdict);
  // Before the first row: a run that is cut off must not leave rows of which nobody knows to which folder they belong.
  await store.facts.put(ROOT_FACT, plan.rootIdentity);
  const totals = plan.tally.totals();
  report.tell({ type: 'plan', totals });
  ports.local.expectWrites?.({ files: totals.downloads, bytes: totals.downloadBytes });

  for (const phase of PHASES) await carryPhase(state, store.journal.read(phase));
  for (let round = 1; round <= MAX_ROUNDS && state.again.size > 0; round++) await carryAgain(state, plan);
  for (const [path, message] of state.again) {
    report.problem({
      path,
      side: 'local',
      code: 'ERR_STILL_CHANGING',
      message: `${path} kept changing while it was being synchronised (${message}) It is tried again in the next cycle.`,
      severity: 'notice',
    });
  }

  await store.journal.clear();
  await dropSettledConflicts(state);
  if (options.files === undefined && isWhole) await cleanUp(context);
  const endedAtMs = runtime.clock.nowMs();
  const result = report.result({
    runId,
    touchedPaths,
    poll: context.poll,
    tally: plan.tally,
    rebuilt: store.rebuilt,
    startedAtMs,
    endedAtMs,
  });
  report.tell({ type: 'end', result });
  return result;
}

/** Only a cycle that saw every path knows what nobody will go on with. */
async function cleanUp({ ports, options, signal }: CycleContext): Promise<void> {
  await ports.local.cleanUp({ cycleEnded: true, signal });
  if (!options.readonly) await ports.remote.cleanUp({ cycleEnded: true, signal });
}

/** Puts decisions on the journal by phase; what is held is only told. */
async function journalDecisions(state: CarryState, decisions: readonly Decision[]): Promise<void> {
  const byPhase: Record<Phase, Decision[]> = { room: [], move: [], transfer: [], delete: [] };
  for (const decision of decisions) {
    state.report.decision(decision);
    if (decision.action === 'hold') await hold(state, decision);
    else byPhase[phaseOf(decision)].push(decision);
  }
  for (const phase of PHASES) {
    if (byPhase[phase].length > 0) await state.context.ports.store.journal.append(phase, byPhase[phase]);
  }
}

/** Puts renames on the journal, in the place of their halves. */
async function journalRenames({ context, report }: CarryState, renames: readonly Decision[]): Promise<void> {
  const { journal } = context.ports.store;
  for (const rename of renames) report.decision(rename);
  await journal.append('move', renames);
  const halves = renames.flatMap((rename) => halvesOf(rename) ?? []);
  for (const phase of ['transfer', 'delete'] as const) {
    const paths = halves.filter((half) => phaseOf(half) === phase).map(({ path }) => path);
    await journal.remove(phase, paths);
  }
}

function phaseOf({ action, makesRoom }: Decision): Phase {
  if (makesRoom === true) return 'room';
  if (action === 'move-local' || action === 'move-remote') return 'move';
  return action === 'delete-local' || action === 'delete-remote' ? 'delete' : 'transfer';
}

async function hold(state: CarryState, decision: Decision): Promise<void> {
  state.report.hold(decision);
  if (decision.hold !== 'kind-conflict') return;
  const conflict = { path: decision.path, type: 'kind', resolution: 'manual' } as const;
  await state.waiting.put({
    conflict,
    local: decision.local?.fingerprint ?? null,
    remote: decision.remote?.fingerprint ?? null,
    sinceMs: state.context.ports.runtime.clock.nowMs(),
  });
  wait(state, conflict);
}

async function carryPhase(state: CarryState, pages: AsyncIterable<readonly Decision[]>): Promise<void> {
  const { softSignal, signal, options } = state.context;
  const stop = softSignal ?? signal;
  await runAll(pages, (decision, leave) => carryOut(state, decision, leave), {
    concurrency: options.concurrency,
    atWork: state.atWork,
    ...(stop === undefined ? {} : { stop }),
  });
  signal?.throwIfAborted();
  softSignal?.throwIfAborted();
}

/** Observes and decides once more what was not as it had been seen; deletions count against the same guard. */
async function carryAgain(state: CarryState, plan: PlanVerdict): Promise<void> {
  const paths = Array.from(state.again.keys());
  state.again.clear();
  for (const [path, why] of state.noRoom) if (why === 'stale') state.noRoom.delete(path);
  const decisions: Decision[] = [];
  for (const decision of await decideAgain(state, plan, paths)) {
    state.report.decision(decision);
    if (decision.action === 'hold') await hold(state, decision);
    else decisions.push(decision);
  }
  for (const phase of PHASES) {
    const ofPhase = decisions.filter((decision) => phaseOf(decision) === phase);
    if (ofPhase.length > 0) await carryPhase(state, pageOf(ofPhase));
  }
}

async function* pageOf<T>(items: readonly T[]): AsyncGenerator<readonly T[]> {
  yield items;
}

/** A conflict that was not met again has dissolved: one side gave way, or somebody settled it. */
async function dropSettledConflicts({ context, waiting, waitingPaths }: CarryState): Promise<void> {
  // Those that a poll meets it leaves to a look at everything.
  const paths = context.poll === true ? [] : (context.touched?.map(({ path }) => path) ?? context.options.files);
  const scope = paths === undefined ? undefined : new Set(paths);
  for (const { conflict } of await waiting.list()) {
    if (waitingPaths.has(conflict.path)) continue;
    if (scope === undefined || scope.has(conflict.path)) await waiting.delete(conflict.path);
  }
}
