import type { Decision } from './decision.js';
import { KindWalk, type KindOptions } from './kinds.js';
import { mergeJoin, type PassOver, type Streams } from './merge-join.js';
import type { Problem } from './problem.js';
import { reconcile } from './reconcile.js';

/** Options of {@link makePlan}. */
export interface PlanOptions extends KindOptions {
  /** Triples looked at for one page. Default 1000. */
  readonly pageSize?: number;
  /** As for {@link mergeJoin}. */
  readonly passOver?: PassOver;
}

/** A run of decisions. */
export interface PlanPage {
  /** One for each path that was not passed over, `nothing` included. A path may come after paths below it. */
  readonly decisions: readonly Decision[];
  /** Paths that are held by R15. What the replicas found is in their scans. */
  readonly problems: readonly Problem[];
}

/**
 * Makes the plan of a cycle from the three ordered streams: joins, decides path by path, and keeps files and directories apart.
 *
 * Memory: a few pages, whatever the number of files. Throws what the streams throw; a plan that did not come to its end is no plan.
 */
export async function* makePlan(streams: Streams, options: PlanOptions): AsyncGenerator<PlanPage, void, undefined> {
  const walk = new KindWalk(options);
  for await (const triples of mergeJoin(streams, options.pageSize, options.passOver)) {
    for (const triple of triples) walk.enter(triple, reconcile(triple, options));
    yield walk.take();
  }
  walk.end();
  yield walk.take();
}
