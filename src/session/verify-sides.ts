import type { FileEntry } from '../core/entry.js';
import type { Triple } from '../core/triple.js';
import { PathError, StaleError } from '../errors.js';
import { runAll } from '../transfer/run-all.js';
import { sameContent } from '../transfer/same-content.js';
import type { CycleContext } from './cycle-context.js';
import { observeSides } from './observe-sides.js';
import { Report } from './report.js';
import type { Divergence, Verification } from './result.js';
import { Tally } from './tally.js';
import { transferContext } from './transfer-context.js';

/** How many files are compared at once. */
const COMPARE_CONCURRENCY = 4;

/**
 * Compares both sides and the baseline, and names every divergence. Changes nothing.
 *
 * @param sample share of the files whose content is compared, 0 to 1; existence and size are always compared.
 */
export async function verifySides(context: CycleContext, sample: number): Promise<Verification> {
  const report = new Report(context.onEvent);
  const divergences: Divergence[] = [];
  const transfer = transferContext(context, report);
  const counts = { checked: 0, compared: 0 };
  const tell = (path: string, type: Divergence['type'], message: string): void => {
    divergences.push({ path, type, message });
  };

  const verifyOne = async (triple: Triple): Promise<void> => {
    const { path, local, remote } = triple;
    if (triple.subtree === true || !context.options.filter.includesFile(path)) return;
    if (local?.kind === 'problematic' || remote?.kind === 'problematic') {
      for (const entry of [local, remote]) if (entry?.kind === 'problematic') report.problem(entry.problem);
      tell(path, 'unreadable', `${path} could not be looked at on one side; see the problems.`);
      return;
    }
    const ours = local?.kind === 'file' ? local : null;
    const theirs = remote?.kind === 'file' ? remote : null;
    if (ours === null && theirs === null) return;
    counts.checked++;
    if (ours === null) return tell(path, 'missing-local', `${path} stands in the bucket, and not in the folder.`);
    if (theirs === null) return tell(path, 'missing-remote', `${path} stands in the folder, and not in the bucket.`);
    if (ours.sizeBytes !== theirs.sizeBytes) {
      return tell(
        path,
        'content',
        `${path} has ${ours.sizeBytes} bytes in the folder and ${theirs.sizeBytes} in the bucket.`,
      );
    }
    if (context.ports.runtime.random.next() >= sample) return;
    await compareOne(triple, ours, theirs);
  };

  const compareOne = async ({ path, baseline }: Triple, ours: FileEntry, theirs: FileEntry): Promise<void> => {
    try {
      const { verdict } = await sameContent(transfer, ours, theirs);
      counts.compared++;
      if (verdict === 'different')
        tell(path, 'content', `${path} has the same size and different content on the two sides.`);
      else if (baseline === undefined)
        tell(path, 'baseline', `${path} is the same on both sides; the next sync records that.`);
    } catch (error) {
      if (!(error instanceof PathError) && !(error instanceof StaleError)) throw error;
      tell(path, 'unreadable', error instanceof StaleError ? `${path} changed while it was compared.` : error.message);
    }
  };

  await runAll(observeSides(context, report, new Tally()), verifyOne, {
    concurrency: COMPARE_CONCURRENCY,
    ...(context.signal === undefined ? {} : { stop: context.signal }),
  });
  context.signal?.throwIfAborted();
  return { checkedFiles: counts.checked, comparedFiles: counts.compared, divergences, problems: report.problems };
}
