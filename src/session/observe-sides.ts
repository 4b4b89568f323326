import type { Entry } from '../core/entry.js';
import { mergeJoin, type PassOver } from '../core/merge-join.js';
import type { Problem } from '../core/problem.js';
import type { Triple } from '../core/triple.js';
import type { Replica, ScanMark, ScanPage } from '../replica/replica.js';
import { askRemote } from './ask-remote.js';
import { believedFolder } from './believed-folder.js';
import type { CycleContext } from './cycle-context.js';
import { lookAtFolder } from './look-at-folder.js';
import type { Report } from './report.js';
import { observePaths } from './scope.js';
import type { Tally } from './tally.js';

/** Options of {@link observeSides}. */
export interface ObserveOptions {
  /** The replicas may note what makes the next look faster. Default: `false`. */
  readonly remember?: boolean;
  /** Given a mark of what was seen of the remote side. */
  readonly onMark?: ((mark: ScanMark) => void) | undefined;
  /** Takes what needs no decision out of a walk of everything, as for {@link mergeJoin}. Exact and touched paths are all given. */
  readonly passOver?: PassOver;
}

/** Up to this many exact paths are looked at one by one; more are picked from a walk of both sides. */
const OBSERVED_SINGLY = 200;

/**
 * Looks at both sides and the baseline: all of it in lock step, or only the paths asked for or touched, or the remote side alone.
 *
 * Touches neither side. Throws when either side could not be seen whole: then no plan is made.
 */
export function observeSides(
  context: CycleContext,
  report: Report,
  tally: Tally,
  { remember = false, onMark, passOver }: ObserveOptions = {},
): AsyncIterable<readonly Triple[]> {
  const { ports, options, signal, touched, poll } = context;
  if (touched !== undefined) return onePage(askRemote(context, touched));
  if (options.files !== undefined && options.files.length <= OBSERVED_SINGLY) {
    return observePaths(
      options.files,
      { local: ports.local, remote: ports.remote, baseline: ports.store.baseline },
      signal,
    );
  }
  const onProblem = (problem: Problem): void => report.problem(problem);
  const onPage = (): void =>
    report.tell({ type: 'scan', localFiles: tally.localFiles, remoteFiles: tally.remoteFiles });
  const scan = { filter: options.filter, signal, remember };
  const remote = entriesOf(ports.remote.scan({ ...scan, onMark }), onProblem, onPage);
  const rows = ports.store.baseline.scan();
  if (poll === true) return lookAtFolder(context, mergeJoin({ ...believedFolder(rows), remote }, undefined, passOver));
  const streams = { local: entriesOf(ports.local.scan(scan), onProblem, onPage), remote, baseline: rows };
  return mergeJoin(streams, undefined, options.files === undefined ? passOver : undefined);
}

async function* onePage(page: Promise<readonly Triple[]>): AsyncGenerator<readonly Triple[]> {
  yield await page;
}

/** Whether anything that counts as a file stands on a side; looks no further than the first page that has one. */
export async function hasAnyFile(replica: Replica, context: CycleContext): Promise<boolean> {
  for await (const page of replica.scan({ filter: context.options.filter, signal: context.signal })) {
    if (page.entries.some((entry) => entry.kind === 'file')) return true;
  }
  return false;
}

async function* entriesOf(
  pages: AsyncIterable<ScanPage>,
  onProblem: (problem: Problem) => void,
  onPage: () => void,
): AsyncGenerator<readonly Entry[]> {
  for await (const page of pages) {
    for (const problem of page.problems) onProblem(problem);
    onPage();
    yield page.entries;
  }
}
