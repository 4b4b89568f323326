import type { LocalReplica, LocalReplicaOptions } from '../../src/replica/local/local-replica.js';
import type { DiskTraits } from '../../src/testing/fs/simulated-disk.js';
import { preparedReplica, simulatedWorld } from './local-world.js';

/** A replica on a simulated disk, and every operation that it asks of the disk. */
export interface TracedWorld {
  readonly world: ReturnType<typeof simulatedWorld>;
  readonly replica: LocalReplica;
  /** What was asked since the replica was prepared, with `STAGED` and `ITEM` for names that are chosen at random. */
  readonly trace: string[];
  /** Those of the trace that change the disk or make a change durable. */
  changes(): string[];
  /** Lets a person act, or the disk fail with an errno, just before the `nth` operation of that name. */
  before(operation: string, act: string | (() => void), nth?: number): void;
}

/** Makes a {@link TracedWorld}. Nothing else happens on the disk. */
export async function tracedWorld(
  options: Partial<LocalReplicaOptions> & Pick<DiskTraits, 'noHardLinks' | 'makesMany'> = {},
): Promise<TracedWorld> {
  const { noHardLinks = false, makesMany = false, ...rest } = options;
  const world = simulatedWorld({ noHardLinks, makesMany });
  const replica = await preparedReplica(world, rest);
  const trace: string[] = [];
  const acts: { readonly operation: string; readonly act: string | (() => void); left: number }[] = [];
  let failure: string | undefined;
  world.disk.step = (raw) => {
    const operation = plain(raw);
    trace.push(operation);
    for (const each of acts) {
      if (each.operation !== operation || --each.left !== 0) continue;
      if (typeof each.act === 'string') failure = each.act;
      else each.act();
    }
  };
  world.disk.fault = () => {
    const code = failure;
    failure = undefined;
    return code;
  };
  return {
    world,
    replica,
    trace,
    changes: () =>
      trace.filter((operation) =>
        /^(createFile|write|setModified|setMode|sync|makeDirectory|link|rename|unlink|removeDirectory) /.test(
          operation,
        ),
      ),
    before: (operation, act, nth = 1) => void acts.push({ operation, act, left: nth }),
  };
}

function plain(operation: string): string {
  return operation
    .replace('/folder/.filecloudsync/', '')
    .replace(/ \/folder\/?/, ' ')
    .replace(/tmp\/run1-\w+/, 'tmp/STAGED')
    .replace(/trash\/\w+-\w+/, 'trash/ITEM');
}
