/** What stands at one path of a generated state, on one side. Contents are numbers: equal numbers, equal bytes. */
export type Standing =
  | {
      readonly is: 'file';
      readonly content: number;
      /** The fingerprint is another one than recorded. */ readonly touched: boolean;
    }
  | { readonly is: 'symlink' | 'untracked' | 'untracked-tree' | 'problem' | 'problem-tree' };

/** One path of a three-tree state. */
export interface Item {
  readonly path: string;
  /** The agreed content. */
  readonly base: number | null;
  readonly local: Standing | null;
  readonly remote: Standing | null;
  /** The local file was saved in the instant it was recorded. */
  readonly racyRow: boolean;
  /** The local file may have been saved since the scan looked at it. */
  readonly racyEntry: boolean;
  /** A download was cut short here. */
  readonly replacing: boolean;
}

/** A three-tree state, and the options under which it is reconciled. */
export interface State {
  readonly items: readonly Item[];
  readonly readonly: boolean;
  /** The plan is searched for renames. */
  readonly renames: boolean;
  readonly kindConflicts: 'set-aside' | 'hold';
  readonly answer: 'local' | 'bucket' | 'keep-both' | 'manual';
}

/** A small fast generator of numbers in [0, 1) (mulberry32). */
export function randomOf(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const PATHS = [
  'a',
  'b',
  'b/c',
  'b/c/d',
  'b/e',
  'x',
  'x!',
  'x-1',
  'x-1/q',
  'x/y',
  'x/y/z',
  'x/y!',
  'x/w',
  'x0',
  '\uFF61',
  '\u{1F600}/k',
];
const NO_FILES = ['symlink', 'untracked', 'untracked-tree', 'problem', 'problem-tree'] as const;

/**
 * Makes a state as they come about: one tree that both sides agreed on, changed on each side by somebody, now and then by
 * the same hand. Directories are replaced by files and the reverse; the bucket may have `a` and `a/b`.
 */
export function stateOf(seed: number): State {
  const random = randomOf(seed);
  const chance = (probability: number): boolean => random() < probability;
  const pick = <T>(list: readonly T[], otherwise: T): T => list[Math.floor(random() * list.length)] ?? otherwise;
  let content = 0;
  const wildness = pick([0.1, 0.3, 0.6], 0.3);

  const base = new Map<string, number>();
  const count = 1 + Math.floor(random() * 7);
  for (let i = 0; i < count; i++) {
    const path = pick(PATHS, 'a');
    if (!touches(base.keys(), path)) base.set(path, ++content);
  }
  const local = new Map<string, Standing>();
  const remote = new Map<string, Standing>();
  for (const [path, agreed] of base) {
    for (const side of [local, remote]) {
      const dice = chance(wildness) ? random() : 1;
      if (dice < 0.35) continue;
      if (dice < 0.7) side.set(path, { is: 'file', content: ++content, touched: true });
      else side.set(path, { is: 'file', content: agreed, touched: dice < 0.8 });
    }
    // The same change came to both sides in another way.
    const there = remote.get(path);
    if (there !== undefined && chance(0.1))
      local.set(path, there.is === 'file' ? { ...there, touched: there.touched } : there);
  }
  const creations = Math.floor(random() * 4);
  for (let i = 0; i < creations; i++) {
    const path = pick(PATHS, 'a');
    const made: Standing = { is: 'file', content: ++content, touched: true };
    if (chance(0.6)) {
      makeRoomOn(local, path);
      local.set(path, made);
    }
    if (chance(0.5)) {
      if (chance(0.7)) makeRoomOn(remote, path);
      remote.set(path, chance(0.5) ? made : { is: 'file', content: ++content, touched: true });
    }
  }
  // What was agreed on at one path stands at another one.
  while (chance(0.4)) {
    const [from, agreed] = pick([...base], ['', 0]);
    const to = pick(PATHS, 'a');
    const side = pick([local, remote], local);
    if (from === '' || side.get(from) === undefined) continue;
    side.delete(from);
    if (side === local || chance(0.7)) makeRoomOn(side, to);
    side.set(to, { is: 'file', content: agreed, touched: true });
  }
  if (chance(0.3)) {
    const path = pick(PATHS, 'a');
    makeRoomOn(local, path);
    local.set(path, { is: pick(NO_FILES, 'problem') });
  }
  if (chance(0.2)) remote.set(pick(PATHS, 'a'), { is: pick(NO_FILES.slice(1), 'problem') });

  const items = PATHS.filter((path) => base.has(path) || local.has(path) || remote.has(path)).map((path): Item => ({
    path,
    base: base.get(path) ?? null,
    local: local.get(path) ?? null,
    remote: remote.get(path) ?? null,
    racyRow: chance(0.15),
    racyEntry: chance(0.1),
    replacing: chance(0.08),
  }));
  const kindConflicts = chance(0.7) ? 'set-aside' : 'hold';
  return {
    items,
    readonly: chance(0.25),
    renames: chance(0.7),
    kindConflicts,
    answer: pick(['local', 'bucket', 'keep-both', 'manual'], 'keep-both'),
  };
}

/** Whether one of the paths is the path itself, above it or below it. */
export function touches(paths: Iterable<string>, path: string): boolean {
  for (const other of paths) {
    if (other === path || other.startsWith(`${path}/`) || path.startsWith(`${other}/`)) return true;
  }
  return false;
}

function makeRoomOn(side: Map<string, Standing>, path: string): void {
  for (const other of side.keys()) if (touches([other], path)) side.delete(other);
}
