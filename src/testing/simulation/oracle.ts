/** A version that nobody can find any more, though nobody who had seen it replaced it. */
export interface LostVersion {
  readonly content: string;
  /** Where and when it was written. */
  readonly origin: string;
}

/**
 * Keeps every version that a user ever wrote, and whether a user who had seen it did away with it.
 *
 * The promise it checks: at rest, each version is somewhere (in a folder, in the bucket, in a trash), or was replaced or
 * deleted by somebody who had seen it. Contents are told apart by themselves, so each write needs a content of its own.
 *
 * @example
 * ```ts
 * const oracle = new Oracle();
 * oracle.wrote('first draft', 'machine A');
 * console.log(oracle.lost(new Set(['second draft'])));
 * ```
 */
export class Oracle {
  readonly #origin = new Map<string, string>();
  readonly #discarded = new Set<string>();
  readonly #written = new Set<string>();
  readonly #folders = new Set<string>();
  readonly #passing = new Set<string>();
  readonly #removed = new Set<string>();

  /** A user wrote this version. Written again, it is wanted again. Nothing is kept of empty ones, which cannot be told apart. */
  wrote(content: string, origin: string): void {
    if (content === '') return;
    this.#origin.set(content, origin);
    this.#discarded.delete(content);
  }

  /** A user replaced or deleted this version, which stood where they did it. */
  discarded(content: string): void {
    this.#discarded.add(content);
  }

  /** A user put a file at this path. */
  wroteAt(path: string): void {
    this.#written.add(path);
  }

  /** A user put a file at this path that may be taken away again: nothing has to stand there, and a file above or below may have to make way. */
  mayStandAt(path: string): void {
    this.#passing.add(path);
  }

  /** A user put a folder at this path, whatever is in it or gets into it: a file of that name has to make way. */
  folderAt(path: string): void {
    this.#folders.add(`${path}/`);
  }

  /** A user took away what stood at or below this path. */
  removedAt(path: string): void {
    this.#removed.add(path);
  }

  /** Whether a user took away what stood at, or below, a path of which this holds. */
  hasRemoved(holds: (path: string) => boolean): boolean {
    return Array.from(this.#removed).some(holds);
  }

  /** Paths that somebody wrote and nobody ever took away: something has to stand there. None that is a folder, or below another. */
  standing(): string[] {
    const others = [...this.#written, ...this.#folders, ...this.#passing];
    return Array.from(this.#written).filter(
      (path) =>
        !Array.from(this.#removed).some((removed) => path === removed || path.startsWith(`${removed}/`)) &&
        !others.some((other) => other.startsWith(`${path}/`) || path.startsWith(`${other}/`)),
    );
  }

  /** How many versions were written. */
  get size(): number {
    return this.#origin.size;
  }

  /** The versions that are in none of the contents found at rest. */
  lost(found: ReadonlySet<string>): LostVersion[] {
    const lost: LostVersion[] = [];
    for (const [content, origin] of this.#origin) {
      if (!this.#discarded.has(content) && !found.has(content)) lost.push({ content, origin });
    }
    return lost;
  }

  /** Whether somebody wrote this. An empty file is everybody's. */
  isKnown(content: string): boolean {
    return content === '' || this.#origin.has(content);
  }

  /** Contents that stand somewhere though nobody ever wrote them: torn or mixed files. */
  invented(found: Iterable<string>): string[] {
    return Array.from(found).filter((content) => !this.isKnown(content));
  }
}
