import type { Entry } from '../core/entry.js';
import type { Triple } from '../core/triple.js';
import type { CycleContext } from './cycle-context.js';
import type { TouchedPath } from './look-at-touched.js';
import { ancestorsOf, hasRowBelow } from './surroundings-of-path.js';
import { WholeLookNeeded } from './whole-look-needed.js';

/** How many paths are asked about together. */
const ASKED_AT_ONCE = 32;

/** Asks the remote side about touched paths. In byte order, in one page. Throws {@link WholeLookNeeded} where kinds may collide there. */
export async function askRemote(context: CycleContext, touched: readonly TouchedPath[]): Promise<readonly Triple[]> {
  const { ports, signal } = context;
  const triples: Triple[] = [];
  const clear = new Set<string>();
  for (let start = 0; start < touched.length; start += ASKED_AT_ONCE) {
    signal?.throwIfAborted();
    const page = touched.slice(start, start + ASKED_AT_ONCE);
    const directories = new Set(page.flatMap((each) => (each.baseline === undefined ? ancestorsOf(each.path) : [])));
    const asked = await Promise.all([
      ...page.map(async (each) => ({ ...each, remote: await observeRemote(context, each) })),
      ...Array.from(directories, async (directory) => {
        if (clear.has(directory)) return;
        clear.add(directory);
        // Where something below it is agreed to stand, an object there changes nothing that a whole look would decide otherwise.
        if (await hasRowBelow(ports.store.baseline, directory)) return;
        if ((await ports.remote.observe(directory, signal)) !== null)
          throw new WholeLookNeeded('an object above a file');
      }),
    ]);
    for (const each of asked) if (each !== undefined) triples.push(each);
  }
  return triples;
}

async function observeRemote({ ports, signal }: CycleContext, { path, local }: TouchedPath): Promise<Entry | null> {
  const remote = await ports.remote.observe(path, signal);
  if (remote === null && local !== null && (await ports.remote.hasBelow(path, signal)))
    throw new WholeLookNeeded('objects below a file');
  return remote;
}
