import type { TransferContext } from '../transfer/context.js';
import type { CycleContext } from './cycle-context.js';
import type { Report } from './report.js';

/** What the transfers of one cycle work with. */
export function transferContext({ ports, options, signal }: CycleContext, report: Report): TransferContext {
  return {
    local: ports.local,
    remote: ports.remote,
    baseline: ports.store.baseline,
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
