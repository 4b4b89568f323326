import type { FactStore } from '../store/state-store.js';
import type { AsidePort, BaselinePort, TransferContext } from '../transfer/context.js';
import { gatherRows } from '../transfer/gather-rows.js';
import type { AtWork } from '../transfer/run-all.js';
import type { CycleContext } from './cycle-context.js';
import type { Report } from './report.js';

const ASIDE = 'set-aside:';

/** What the transfers of one cycle work with. @param atWork - how many of them are carried out at a time. */
export function transferContext(
  { ports, options, signal }: CycleContext,
  report: Report,
  atWork?: AtWork,
): TransferContext {
  return {
    local: ports.local,
    remote: ports.remote,
    baseline: baselineFor(ports, options, atWork),
    parts: ports.store.parts,
    asides: asidesIn(ports.store.facts),
    runtime: ports.runtime,
    readonly: options.readonly,
    conflict: options.conflict,
    machine: options.machine,
    nameRules: ports.nameRules,
    onBytes: (path, direction, count) => report.bytes(path, direction, count),
    onHash: () => report.hashed(),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** With one path at a time nobody comes to join a row, and the order of all steps is that of the paths. */
function baselineFor(
  { store, runtime }: CycleContext['ports'],
  { concurrency }: CycleContext['options'],
  atWork: AtWork | undefined,
): BaselinePort {
  return concurrency > 1 ? gatherRows(store.baseline, runtime.clock, atWork) : store.baseline;
}

function asidesIn(facts: FactStore): AsidePort {
  return {
    get: (path) => facts.get<string>(ASIDE + path),
    put: (path, copyPath) => facts.put(ASIDE + path, copyPath),
    delete: (path) => facts.delete(ASIDE + path),
  };
}
