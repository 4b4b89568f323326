import { CALLS, type Cause, CAUSES, makePairing, MEMORIES, type Pairing, SIZES } from './ways-to-vanish.js';

interface Way {
  readonly words: string;
  readonly cause: Cause;
  readonly size: number;
  readonly call: (typeof CALLS)[number];
  readonly memory: (typeof MEMORIES)[number];
}

function allWays(): Way[] {
  const ways: Way[] = [];
  for (const cause of CAUSES) {
    for (const size of SIZES) {
      if (size < (cause.from ?? 0)) continue;
      for (const call of CALLS) {
        for (const memory of MEMORIES) {
          // Whoever empties a side and allows every deletion gets what was asked for, as far as anything is remembered.
          const isRemembered = memory.isLost !== true || (cause.takesStamp === true && memory.isWhole === true);
          if (cause.couldBeMeant === true && call.allowsAll === true && isRemembered) continue;
          // One deleted file among many that are there is a deletion.
          if (cause.from !== undefined && call.words === 'for one file by name') continue;
          // A list of files is both the call and the cause.
          if (cause.options?.files !== undefined && call.words.includes('by name')) continue;
          ways.push({
            words: `${cause.words}: ${size} files, ${call.words}, ${memory.words}`,
            cause,
            size,
            call,
            memory,
          });
        }
      }
    }
  }
  return ways;
}

interface Seen {
  readonly error: Error | undefined;
  readonly words: string;
}

async function run({ machine }: Pairing, options: Parameters<Pairing['machine']['sync']>[0]): Promise<Seen> {
  machine.events.length = 0;
  const error = await machine.sync(options).then(
    () => undefined,
    (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown))),
  );
  return { error, words: [error?.message ?? '', ...machine.words()].join('\n') };
}

/** What a way did wrong, in words. */
async function tryWay({ cause, size, call, memory }: Way): Promise<string[]> {
  const pairing = await makePairing(size);
  const { service, machine, paths } = pairing;
  const content = new Map(paths.map((path) => [path, `content of ${path}`]));
  const wrong: string[] = [];
  memory.apply(pairing);
  await cause.apply(pairing);
  const { error, words } = await run(pairing, { ...call.options(pairing), ...cause.options });
  if (error !== undefined && !('code' in error))
    wrong.push(`threw what nobody foresaw: ${error.stack ?? error.message}`);
  const objects = await service.objects();
  if (cause.side !== 'remote')
    for (const [path, text] of content) if (objects.get(path) !== text) wrong.push(`the bucket lost ${path}`);
  if (cause.side !== 'local') {
    const files = machine.files();
    for (const [path, text] of content) if (files.get(path) !== text) wrong.push(`the folder lost ${path}`);
  }
  // With nothing remembered an empty side is filled again, and nobody has to be told.
  const isSilent = memory.isLost === true && error === undefined;
  // Under readonly a deletion is held, each as an event of its own: nothing is about to go.
  const isHeld = call.words === 'under readonly' && cause.side === 'local' && cause.from !== undefined;
  if (cause.told !== undefined && !isSilent && !isHeld && !cause.told.test(words) && !isOutOfSight(cause, call.words))
    wrong.push(`said: ${words === '' ? 'nothing' : words}`);
  await cause.undo?.(pairing);
  if (cause.undo === undefined && cause.side !== 'filter') return wrong;
  service.clock.pass(60_000);
  const after = await run(pairing, {});
  if (after.error !== undefined) wrong.push(`does not go on afterwards: ${after.error.message}`);
  const [left, right] = [machine.files(), await service.objects()];
  for (const [path, text] of content) {
    if (left.get(path) !== text || right.get(path) !== text)
      wrong.push(`${path} is not whole on both sides afterwards`);
  }
  return wrong;
}

/** Named files are looked at one by one: what only shows in a listing, or in another path, is not met. */
function isOutOfSight(cause: Cause, call: string): boolean {
  if (!call.includes('by name')) return false;
  return cause.side === 'remote'
    ? /page|list|answer|document|prefix|status 200|login/.test(cause.words)
    : /list|scan|run|subfolders|backup|part/.test(cause.words);
}

/** Enough to see what is wrong. */
const MOST_SHOWN = 20;

/** How many ways there are. */
export const VANISHING_WAYS = allWays().length;

/** Tries `count` of the ways for a side to vanish, every `stride`-th from `first` on (they go round); throws what went wrong. */
export async function proveVanishedSides(
  first: number,
  count: number,
  stride: number,
): Promise<{ readonly ways: number }> {
  const ways = allWays();
  const failures: string[] = [];
  for (let i = 0; i < count && failures.length < MOST_SHOWN; i++) {
    const way = ways[(first + i * stride) % ways.length];
    if (way === undefined) continue;
    for (const wrong of await tryWay(way)) failures.push(`${way.words}: ${wrong}`);
  }
  if (failures.length > 0) throw new Error(`${failures.length} failures:\n${failures.slice(0, MOST_SHOWN).join('\n')}`);
  return { ways: count };
}
