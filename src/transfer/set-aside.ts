import { conflictName } from '../core/path.js';
import type { FileEntry } from '../core/entry.js';
import type { Side } from '../core/side.js';
import type { Outcome } from '../replica/replica.js';
import type { TransferContext } from './context.js';
import { expecting } from './expecting.js';

/** What became of a file that was to get a conflict name. */
export type SetAside = Outcome<{ readonly copyPath: string }>;

/** How often a new conflict name is tried when the one before was taken. */
const NAME_ATTEMPTS = 5;

/**
 * Gives a file a conflict name on its own side, so that both versions are kept.
 *
 * The name is remembered first: a run that was cut off while the file had both names goes on with it, instead of making
 * one more copy. Then the baseline row goes, durably: were it still there after a crash, the empty place could be taken
 * for a deletion.
 */
export async function setAside(context: TransferContext, side: Side, entry: FileEntry): Promise<SetAside> {
  const replica = side === 'local' ? context.local : context.remote;
  const known = await context.asides.get(entry.path);
  for (let attempt = 1; ; attempt++) {
    const copyPath = attempt === 1 && known !== undefined ? known : newName(context, entry.path);
    await context.asides.put(entry.path, copyPath);
    await context.baseline.delete([entry.path], { sync: true });
    const moved = await replica.move(entry.path, copyPath, expecting(entry), { signal: context.signal });
    if (moved.outcome === 'done') {
      await context.asides.delete(entry.path);
      return { outcome: 'done', copyPath };
    }
    const taken = (await replica.observe(copyPath, context.signal)) !== null;
    if (!taken) await context.asides.delete(entry.path);
    if (!taken || attempt === NAME_ATTEMPTS) return { outcome: 'stale', message: moved.message };
  }
}

function newName(context: TransferContext, path: string): string {
  return conflictName(path, {
    machine: context.machine,
    timeMs: context.runtime.clock.nowMs(),
    id: context.runtime.random.id(4),
    rules: context.nameRules,
  });
}
