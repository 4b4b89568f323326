import type { Decision, HoldReason } from './decision.js';
import type { Entry } from './entry.js';
import { showPath } from './path.js';
import type { Problem } from './problem.js';
import { reconcile } from './reconcile.js';
import type { Side } from './side.js';
import type { Triple } from './triple.js';

/** Options of {@link KindWalk}. */
export interface KindOptions {
  /** Nothing may be written to the remote side. */
  readonly readonly: boolean;
  /** A file where the other side has a directory: `set-aside` gives it a conflict name, `hold` leaves both to a person. */
  readonly kindConflicts: 'set-aside' | 'hold';
}

/** What a walk has to say so far. */
export interface KindResult {
  /** A path may come after paths below it; within one directory level the order is kept. */
  readonly decisions: readonly Decision[];
  /** One for each path that is held because of this rule. */
  readonly problems: readonly Problem[];
}

interface Node {
  triple: Triple;
  decision: Decision;
}

/**
 * Sees to it that no path becomes a file while something below it is a file (R15).
 *
 * Takes the decisions in the order of {@link mergeJoin} and holds back that of `x` until everything below `x/` has passed.
 * The stack holds paths of which each is a string prefix of the next (`x`, `x!`, `x!/y`), so it is no longer than a key.
 *
 * Invariants. Let a file *stand* on a side when it does so after its decision was carried out.
 * - Where `x` and `x/y` do not both stand on a side, the decisions stay as they are. A deletion on a side where the other
 *   of the two is to be written makes room: it is carried out first. (So `x` deleted and `x/y` created on one side, the
 *   other side being as agreed, is no conflict.)
 * - A decision is only ever changed to `hold` or `set-aside`: nothing is deleted or overwritten that was not before.
 * - What is held or set aside stands on no more sides than before, so a pair that was settled stays settled.
 * - The bucket may have both objects. One of them can be on the disk: the one that is, or was agreed; the other is held.
 * - On the disk nothing is written at `x` while anything stays below it, ignored and unreadable things included.
 * - Under `readonly` no remote file is set aside.
 */
export class KindWalk {
  readonly #options: KindOptions;
  readonly #stack: Node[] = [];
  #decisions: Decision[] = [];
  #problems: Problem[] = [];

  constructor(options: KindOptions) {
    this.#options = options;
  }

  /** Takes the next triple and what was decided about it. */
  enter(triple: Triple, decision: Decision): void {
    const key = triple.subtree === true ? `${triple.path}/` : triple.path;
    let top = this.#stack.at(-1);
    while (top !== undefined && !key.startsWith(top.triple.path)) {
      this.#leave();
      top = this.#stack.at(-1);
    }
    const node: Node = { triple, decision };
    for (const above of this.#stack) {
      if (key.charCodeAt(above.triple.path.length) !== SLASH) continue;
      if (above.triple.path === triple.path) return this.#join(above, triple);
      this.#settle(above, node);
    }
    if (triple.subtree === true) this.#decisions.push(node.decision);
    else this.#stack.push(node);
  }

  /** Gives what is decided for good, and forgets it. */
  take(): KindResult {
    const result = { decisions: this.#decisions, problems: this.#problems };
    this.#decisions = [];
    this.#problems = [];
    return result;
  }

  /** Nothing more will come: what is left is decided for good. */
  end(): void {
    while (this.#stack.length > 0) this.#leave();
  }

  #leave(): void {
    const node = this.#stack.pop();
    if (node !== undefined) this.#decisions.push(node.decision);
  }

  /** A directory at `x` that was not looked into: whether `x` was deleted is not known either. */
  #join(node: Node, whole: Triple): void {
    const { path, local, remote, baseline } = node.triple;
    // A side that only inherits what `whole` says has spoken for itself at `x`.
    node.triple = {
      path,
      local: ownDirectory(whole.local) ?? local,
      remote: ownDirectory(whole.remote) ?? remote,
      baseline,
    };
    node.decision = reconcile(node.triple, this.#options);
    for (const above of this.#stack) {
      if (path.startsWith(`${above.triple.path}/`)) this.#settle(above, node);
    }
  }

  #settle(x: Node, below: Node): void {
    if (isBarredBy(below.triple, x.decision)) this.#hold(x, 'kind-conflict', below);
    if (standsTogether(x.decision, below.decision)) this.#separate(x, below);
    else makeRoom(x, below);
  }

  #separate(x: Node, below: Node): void {
    const [above, under] = [x.decision, below.decision];
    if (above.remote !== null && under.remote !== null) return this.#collide(x, below);
    // What stands is a file on one side at least, and the bucket has one of the two at most.
    if (above.local === null) return this.#conflict(x, below, 'remote');
    if (under.local === null) return this.#conflict(x, below, 'local');
    // Both stand on one disk: the folder changed while it was walked.
    this.#hold(x, 'kind-conflict', below);
    this.#hold(below, 'kind-conflict', x);
  }

  /** The bucket has an object `x` and one below `x/`. */
  #collide(x: Node, below: Node): void {
    if (x.decision.action === 'hold' && x.decision.local === null) return;
    const diskHasDirectory = below.decision.local !== null;
    const fileComesFirst = x.decision.local !== null || (x.triple.baseline !== undefined && !diskHasDirectory);
    if (fileComesFirst) this.#hold(below, 'kind-collision', x);
    else this.#hold(x, 'kind-collision', below);
  }

  /** `x` is a file on one side only, and something below it on the other; neither is as agreed. */
  #conflict(x: Node, below: Node, side: Side): void {
    const movable = x.decision.action !== 'hold' || x.decision.hold === 'readonly';
    const allowed = this.#options.kindConflicts === 'set-aside' && !(side === 'remote' && this.#options.readonly);
    if (movable && allowed) {
      const { hold: _, ...decision } = x.decision;
      x.decision = { ...decision, rule: 'R15', action: 'set-aside', setAsideSide: side, makesRoom: true };
      return;
    }
    this.#hold(x, 'kind-conflict', below);
    this.#hold(below, 'kind-conflict', x);
  }

  #hold(node: Node, reason: HoldReason & `kind-${string}`, other: Node): void {
    if (node.decision.action === 'hold') return;
    const { makesRoom: _, ...decision } = node.decision;
    node.decision = { ...decision, rule: 'R15', action: 'hold', hold: reason };
    this.#problems.push(problemOf(node.decision, reason, other.triple.path));
  }
}

const SLASH = 0x2f;

function standsTogether(x: Decision, below: Decision): boolean {
  return (stands(x, 'local') && stands(below, 'local')) || (stands(x, 'remote') && stands(below, 'remote'));
}

/** Whether a file is at the path on that side once the decision was carried out. */
export function stands(decision: Decision, side: Side): boolean {
  switch (decision.action) {
    case 'upload':
    case 'download':
    case 'compare':
    case 'move-local':
    case 'move-remote':
      return true;
    case 'delete-local':
    case 'delete-remote':
      return false;
    case 'nothing':
    case 'forget':
    case 'hold':
      return decision[side] !== null;
    case 'set-aside':
      return decision.setAsideSide !== side && decision[side] !== null;
  }
}

/** Something that is no file, and stays, is in the way of writing `x`. */
function isBarredBy(below: Triple, x: Decision): boolean {
  const written = (side: Side): boolean => x[side] === null && stands(x, side);
  // An ignored object bars nothing in a bucket, an ignored file does on a disk.
  return (isNoFile(below.local) && written('local')) || (below.remote?.kind === 'problematic' && written('remote'));
}

function isNoFile(entry: Entry | null): boolean {
  return entry !== null && entry.kind !== 'file' && entry.kind !== 'directory';
}

function ownDirectory(entry: Entry | null): Entry | null {
  return entry !== null && 'subtree' in entry && entry.subtree ? entry : null;
}

function makeRoom(x: Node, below: Node): void {
  if (isRoomFor(x.decision, below.decision)) x.decision = { ...x.decision, rule: 'R15', makesRoom: true };
  else if (isRoomFor(below.decision, x.decision)) below.decision = { ...below.decision, rule: 'R15', makesRoom: true };
}

function isRoomFor(deletion: Decision, write: Decision): boolean {
  return (
    (deletion.action === 'delete-local' && write.action === 'download') ||
    (deletion.action === 'delete-remote' && write.action === 'upload')
  );
}

function problemOf(decision: Decision, reason: 'kind-conflict' | 'kind-collision', other: string): Problem {
  const { path } = decision;
  const side = decision.local === null ? 'remote' : 'local';
  const [a, b] = [showPath(path), showPath(other)];
  const message =
    reason === 'kind-collision'
      ? `The bucket has both ${a} and ${b}, and a disk can only have one of them: ${a} is left alone. Rename one of the two objects.`
      : `${a} cannot be a file and a directory at once, which ${b} asks for: both sides are left alone. Rename one of the two.`;
  const code = reason === 'kind-collision' ? 'ERR_KIND_COLLISION' : 'ERR_KIND_CONFLICT';
  return { path, side, code, message, severity: 'error' };
}
