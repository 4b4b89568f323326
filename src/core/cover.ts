import type { Entry, ProblematicEntry, SymlinkEntry, UntrackedEntry } from './entry.js';
import type { Side } from './side.js';

/**
 * Knows, along an ordered walk of one side, which entries speak for everything below them.
 *
 * Invariant: the stack holds entries whose path is a string prefix of the current key. Those with a common string prefix
 * follow each other in byte order, so what is no prefix any more never becomes one again. Between `x` and `x/y` may stand
 * `x!` and `x-1`, which is why `x` stays until the walk has left all paths that begin with these characters.
 */
export class Cover {
  readonly #side: Side;
  readonly #stack: Covering[] = [];

  constructor(side: Side) {
    this.#side = side;
  }

  /** Takes notice of an entry of this side, as the walk reaches it. */
  enter(entry: Entry): void {
    if (!coversBelow(entry, this.#side)) return;
    this.#leaveTo(entry.path);
    this.#stack.push(entry);
  }

  /**
   * What is to be believed of a path on this side, where the side itself says nothing about it.
   *
   * @param key - where the walk stands: the path, or `path/` for a whole directory.
   */
  inherited(key: string, path: string): Entry | null {
    this.#leaveTo(key);
    const above = this.#stack.findLast((entry) => key.charCodeAt(entry.path.length) === SLASH);
    return above === undefined ? null : inherit(above, path);
  }

  #leaveTo(key: string): void {
    let top = this.#stack.at(-1);
    while (top !== undefined && !key.startsWith(top.path)) {
      this.#stack.pop();
      top = this.#stack.at(-1);
    }
  }
}

const SLASH = 0x2f;

/** An entry that may speak for what is below it. */
type Covering = SymlinkEntry | UntrackedEntry | ProblematicEntry;

/** On a disk nothing can stand below what is no directory; in a bucket an object `x` says nothing about `x/y`. */
function coversBelow(entry: Entry, side: Side): entry is Covering {
  switch (entry.kind) {
    case 'file':
    case 'directory':
      return false;
    case 'symlink':
      return true;
    case 'untracked':
    case 'problematic':
      return entry.subtree || side === 'local';
  }
}

function inherit(entry: Covering, path: string): Entry {
  switch (entry.kind) {
    case 'symlink':
      return { kind: 'untracked', path, reason: 'special', subtree: false };
    case 'untracked':
      return { kind: 'untracked', path, reason: entry.reason, subtree: false };
    case 'problematic':
      return { kind: 'problematic', path, problem: entry.problem, subtree: false };
  }
}
