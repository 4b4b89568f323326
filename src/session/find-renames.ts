import type { Decision } from '../core/decision.js';
import { schemeOf, type Digest, type DigestScheme } from '../core/digest.js';
import type { FileEntry } from '../core/entry.js';
import { isGoneHalf, isMadeHalf, pairFiled, renameOf, sharedKeys, type Filed } from '../core/rename.js';
import type { Side } from '../core/side.js';
import { PathError, StaleError } from '../errors.js';
import type { Replica } from '../replica/replica.js';

/** Rows are written so many at once. */
const BATCH = 500;

/** From this size on a file is hashed for being as large as one that is gone, whatever it is called: few are so by chance. */
const TELLING_SIZE_BYTES = 1024 * 1024;

/** So many different sizes are remembered, to leave out what can be no half; with more, nothing is left out. */
const SIZES_KNOWN = 100_000;

type Half = 'gone' | 'made';

/** Where decisions are filed, to be read in the order of their keys. */
export interface RenameTables {
  file(table: string, rows: readonly Filed[]): Promise<void>;
  filed(table: string): AsyncIterable<readonly Filed[]>;
}

/** What {@link findRenames} needs. */
export interface RenameContext {
  readonly local: Replica;
  readonly remote: Replica;
  readonly tables: RenameTables;
  /** The decisions among which the halves are; others may be among them. */
  readonly decisions: (half: Half) => AsyncIterable<readonly Decision[]>;
  readonly onHash: (path: string) => void;
  readonly signal?: AbortSignal;
}

/** `rename`: two halves in one. `settled`: the rename was carried out before, but for the deletion `gone`, which is none of content. */
export type FoundRename =
  | { readonly type: 'rename'; readonly decision: Decision }
  | { readonly type: 'settled'; readonly gone: Decision };

/**
 * Finds the renames in a plan that were made on one side: a file that is gone at one path, and stands at another.
 *
 * Looks in this order, and takes the first in byte order of the paths where several would do:
 * 1. the very file by its identity (inode and times; ETag), of the same name in another folder; 2. the very file;
 * 3. the same content by digest: hashes local files that are as large as one that is gone, and of its name or of at least 1 MiB.
 *
 * Touches neither side. Memory is bounded whatever the number of files; disk: each candidate once for each of these steps.
 */
export async function* findRenames(context: RenameContext, origin: Side): AsyncGenerator<FoundRename> {
  const search = new Search(context, origin);
  if (!(await search.begin())) return;
  yield* search.pair('sameName');
  yield* search.pair('sameFile');
  await search.look();
  yield* search.pair('sameContent');
}

/** The steps of a search, each with the key under which a half is filed for it; without one it waits for the next. */
const STEPS = ['sameName', 'sameFile', 'sameSize', 'sameContent'] as const;
type Step = (typeof STEPS)[number];

class Search {
  readonly #context: RenameContext;
  readonly #origin: Side;
  readonly #waiting = new Map<string, Filed[]>();

  constructor(context: RenameContext, origin: Side) {
    this.#context = context;
    this.#origin = origin;
  }

  /** Files all halves for the first step; `false` when there are none of either kind. */
  async begin(): Promise<boolean> {
    let goneCount = 0;
    const sizes = new Set<number>();
    for await (const page of this.#context.decisions('gone')) {
      for (const decision of page) {
        if (!isGoneHalf(decision, this.#origin) || !this.#isRecognisable(decision)) continue;
        goneCount++;
        if (sizes.size <= SIZES_KNOWN) sizes.add(this.#sizeOf('gone', decision));
        await this.#fileFrom('sameName', 'gone', decision);
      }
    }
    if (goneCount === 0) return false;
    const mayMatch = (size: number): boolean => sizes.size > SIZES_KNOWN || sizes.has(size);
    for await (const page of this.#context.decisions('made')) {
      for (const decision of page) {
        if (!isMadeHalf(decision, this.#origin) || !mayMatch(this.#sizeOf('made', decision))) continue;
        await this.#fileFrom('sameName', 'made', decision);
      }
    }
    return true;
  }

  /** Pairs what is filed for a step; what is left over is filed for the next. */
  async *pair(step: 'sameName' | 'sameFile' | 'sameContent'): AsyncGenerator<FoundRename> {
    const next = STEPS[STEPS.indexOf(step) + 1];
    await this.#flush();
    for await (const { gone, made } of pairFiled(this.#filed(step, 'gone'), this.#filed(step, 'made'))) {
      this.#context.signal?.throwIfAborted();
      if (gone !== undefined && made !== undefined) yield this.#found(gone, made);
      else if (next === undefined) continue;
      else if (gone !== undefined) await this.#fileFrom(next, 'gone', gone);
      else if (made !== undefined) await this.#fileFrom(next, 'made', made);
    }
  }

  /** Hashes the local files that may have a counterpart, and files those with their digests. */
  async look(): Promise<void> {
    await this.#flush();
    for await (const { gone, made } of sharedKeys(this.#filed('sameSize', 'gone'), this.#filed('sameSize', 'made'))) {
      const half = gone === undefined ? 'made' : 'gone';
      const decision = gone ?? made;
      const digest = decision === undefined ? undefined : await this.#digestOf(half, decision);
      if (decision === undefined || digest === undefined) continue;
      await this.#file('sameContent', half, { key: `${this.#sizeKey(half, decision)}/${digest}`, decision });
    }
  }

  /** Whether it can be proven that another file has the content: by its digest, or by asking the bucket for one. */
  #isRecognisable({ baseline }: Decision): boolean {
    if (baseline === undefined) return false;
    return baseline.digest !== undefined || this.#context.remote.identityOf(baseline.remote) !== undefined;
  }

  #found(gone: Decision, made: Decision): FoundRename {
    return made.action === 'compare'
      ? { type: 'settled', gone }
      : { type: 'rename', decision: renameOf(gone, made, this.#origin) };
  }

  /** Files a half for a step, or for the first one after it for which it has a key; what needs a digest is filed by `look`. */
  async #fileFrom(step: Step, half: Half, decision: Decision): Promise<void> {
    for (const each of STEPS.slice(STEPS.indexOf(step))) {
      const key = this.#keyOf(each, half, decision);
      if (key === undefined || key.includes('\0')) continue;
      return this.#file(each, half, { key, decision });
    }
  }

  #keyOf(step: Step, half: Half, decision: Decision): string | undefined {
    switch (step) {
      case 'sameName': {
        const identity = this.#identityOf(half, decision);
        return identity === undefined ? undefined : `${identity}/${nameOf(decision.path)}`;
      }
      case 'sameFile':
        return this.#identityOf(half, decision);
      case 'sameSize':
        return this.#sizeKey(half, decision);
      case 'sameContent':
        return undefined;
    }
  }

  #identityOf(half: Half, { local, remote, baseline }: Decision): string | undefined {
    const side = this.#origin;
    const seen = (side === 'local' ? local : remote)?.fingerprint;
    const fingerprint = half === 'gone' ? baseline?.[side] : seen;
    return fingerprint === undefined || fingerprint === null ? undefined : this.#context[side].identityOf(fingerprint);
  }

  #sizeOf(half: Half, { baseline, local, remote }: Decision): number {
    const made = this.#origin === 'local' ? local : remote;
    return (half === 'gone' ? baseline : made)?.sizeBytes ?? 0;
  }

  #sizeKey(half: Half, decision: Decision): string {
    const size = this.#sizeOf(half, decision);
    return size < TELLING_SIZE_BYTES ? `${size}/${nameOf(decision.path)}` : `${size}`;
  }

  /** The digest by which contents are compared: of a rename in the folder as the bucket would make it, else as the bucket has it. */
  async #digestOf(half: Half, { local, remote, baseline }: Decision): Promise<Digest | undefined> {
    if (this.#origin === 'local') {
      if (half === 'gone') return baseline?.digest;
      return local === null ? undefined : this.#hash(local, this.#context.remote.schemeFor(local.sizeBytes));
    }
    if (half === 'made') return remote?.digest;
    const known = baseline?.digest;
    if (known !== undefined && schemeOf(known)?.partSizeBytes === undefined) return known;
    return local === null ? undefined : this.#hash(local, { partSizeBytes: undefined });
  }

  async #hash(file: FileEntry, scheme: DigestScheme): Promise<Digest | undefined> {
    try {
      this.#context.onHash(file.path);
      return await this.#context.local.digest(file, scheme, this.#context.signal);
    } catch (error) {
      // What cannot be read, or changes meanwhile, is carried as what it is without a rename.
      if (error instanceof PathError || error instanceof StaleError) return undefined;
      throw error;
    }
  }

  async #file(step: Step, half: Half, row: Filed): Promise<void> {
    const table = this.#tableOf(step, half);
    const rows = this.#waiting.get(table) ?? [];
    rows.push(row);
    this.#waiting.set(table, rows);
    if (rows.length < BATCH) return;
    this.#waiting.delete(table);
    await this.#context.tables.file(table, rows);
  }

  async #flush(): Promise<void> {
    for (const [table, rows] of this.#waiting) await this.#context.tables.file(table, rows);
    this.#waiting.clear();
  }

  #filed(step: Step, half: Half): AsyncIterable<readonly Filed[]> {
    return this.#context.tables.filed(this.#tableOf(step, half));
  }

  #tableOf(step: Step, half: Half): string {
    return `${this.#origin}-${step}-${half}`;
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
