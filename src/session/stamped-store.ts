import type { BaselineRow } from '../core/baseline.js';
import type { Random } from '../core/runtime.js';
import { FileCloudSyncError, HaltError, isAbort, PathError } from '../errors.js';
import type { BaselineStore, FactStore, Journal, PartsStore, StateStore, UploadStore } from '../store/state-store.js';

/** A short text that is kept with the files, away from the memory. */
export interface StampPort {
  /** `undefined` when there is none. */
  read(): Promise<string | undefined>;
  /** Durable when it resolves. */
  write(text: string): Promise<void>;
}

/** A folder that may carry a stamp. */
export interface StampedFolder {
  /** A short text in the folder itself, by which a memory that is older than the folder is noticed. */
  readonly stamp?: StampPort | undefined;
  /** Names the folder itself, not its content: another disk mounted at the same path answers another name. */
  rootIdentity(): Promise<string>;
}

/** The name of the fact that holds the stamps which the folder may carry. */
const FACT = 'stamps';
const STAMP_LENGTH = 20;
/** Stands for any folder without a stamp: nothing was recorded yet. */
const NONE = '';
/** Begins what stands for one folder without a stamp; no stamp begins so. */
const PLACE = '@';

/**
 * A memory that notices when it is older than the folder it belongs to, or newer: when one of the two was restored from a backup.
 *
 * A memory out of a backup is whole and contradicts itself nowhere; but what it calls unchanged may have been deleted and
 * written again since. So the folder carries a random stamp, which is exchanged before the first row of a cycle changes and
 * after the last; the memory knows which one to expect.
 *
 * Invariant: the folder carries one of the stamps in the fact, whatever moment a crash chooses: the new one is in the fact,
 * durably, before it is in the folder, and the old one leaves the fact after it.
 */
export class StampedStore implements StateStore {
  readonly baseline: BaselineStore;
  readonly #store: StateStore;
  readonly #folder: StampedFolder;
  readonly #random: Random;
  /** What the folder may carry now; `undefined` before the first look. Read once: nobody else has the memory while it is open. */
  #expected: readonly string[] | undefined;
  #rebuilt = false;
  #isStampLost = false;
  /** The exchange before the first change of the running cycle. */
  #opening: Promise<void> | undefined;

  constructor(store: StateStore, folder: StampedFolder, random: Random) {
    this.#store = store;
    this.#folder = folder;
    this.#random = random;
    const { baseline } = store;
    this.baseline = {
      scan: () => baseline.scan(),
      scanBelow: (directoryPath) => baseline.scanBelow(directoryPath),
      get: (path) => baseline.get(path),
      put: async (rows: readonly BaselineRow[], options) => {
        await this.#open();
        await baseline.put(rows, options);
      },
      delete: async (paths, options) => {
        await this.#open();
        await baseline.delete(paths, options);
      },
      clear: async () => {
        await this.#open();
        await baseline.clear();
      },
    };
  }

  get #stamp(): StampPort | undefined {
    return this.#folder.stamp;
  }

  get journal(): Journal {
    return this.#store.journal;
  }

  get uploads(): UploadStore {
    return this.#store.uploads;
  }

  get parts(): PartsStore {
    return this.#store.parts;
  }

  get facts(): FactStore {
    return this.#store.facts;
  }

  get rebuilt(): boolean {
    return this.#store.rebuilt || this.#rebuilt;
  }

  /** Whether the folder had no stamp at the last look, though it should have had one. */
  get isStampLost(): boolean {
    return this.#isStampLost;
  }

  /**
   * Tells whether folder and memory belong together. A memory that knows no file fits every folder.
   *
   * @param hasKnownFile asked when the stamp is missing: a folder with none of its files is one that vanished, which the guard
   * is to judge; one that still has some was copied or restored without its stamp, and nobody knows when.
   */
  async belongsToFolder(hasKnownFile: () => Promise<boolean>): Promise<boolean> {
    if (this.#stamp === undefined) return true;
    const found = await this.#look(this.#stamp);
    this.#expected ??= await this.#remembered();
    const isBare = found.startsWith(PLACE);
    this.#isStampLost = isBare && !this.#expected.some((each) => each === NONE || each.startsWith(PLACE));
    if (this.#expected.includes(found) || (isBare && this.#expected.includes(NONE))) return true;
    if ((await hasRows(this.baseline)) && (!isBare || (await hasKnownFile()))) return false;
    // Not for the next look: what is missing now stays missed until something is recorded again.
    if (!isBare) this.#expected = [...this.#expected, found];
    return true;
  }

  /** Names what is remembered: another name once a cycle changed any row; `undefined` where it has none, or may still change. */
  async generation(): Promise<string | undefined> {
    if (this.#stamp === undefined || this.#opening !== undefined || this.#rebuilt) return undefined;
    const [only, ...others] = (this.#expected ??= await this.#remembered());
    return others.length > 0 || only === NONE ? undefined : only;
  }

  /** Forgets what both sides agreed on: the next plan then compares, and deletes nothing. */
  async startAfresh(): Promise<void> {
    await this.#store.baseline.clear();
    this.#rebuilt = true;
    // Only now: a crash before leaves rows that are still found to be of another time.
    if (this.#stamp !== undefined) this.#expected = [await this.#look(this.#stamp)];
  }

  /** Exchanges the stamp when a row was changed since the last call. To be called when a cycle has recorded all it did. */
  async settle(): Promise<void> {
    if (this.#opening === undefined) return;
    await this.#opening;
    this.#opening = undefined;
    await this.#exchange();
  }

  async close(): Promise<void> {
    try {
      await this.settle();
    } finally {
      await this.#store.close();
    }
  }

  #open(): Promise<void> {
    return (this.#opening ??= this.#exchange());
  }

  async #exchange(): Promise<void> {
    if (this.#stamp === undefined) return;
    const next = this.#random.id(STAMP_LENGTH);
    // Whatever else was expected: it is not this folder, and must not be taken for it when it stands here again.
    this.#expected = [await this.#lookOrEnd(this.#stamp), next];
    await this.facts.put(FACT, this.#expected);
    try {
      await this.#stamp.write(next);
    } catch (error) {
      // A disk that is full or read-only still lets files be read and uploaded: the old stamp stays, and stays expected.
      // Where another folder stands, or none, nothing may be remembered of the one before.
      if (isAbort(error) || error instanceof HaltError) throw error;
      return;
    }
    this.#expected = [next];
    await this.facts.put(FACT, this.#expected);
  }

  /** What the folder is known by. */
  async #look(stamp: StampPort): Promise<string> {
    return (await stamp.read()) ?? `${PLACE}${await this.#folder.rootIdentity()}`;
  }

  /** Without knowing which folder stands here nothing can be recorded of any path: that is no failure of one of them. */
  async #lookOrEnd(stamp: StampPort): Promise<string> {
    try {
      return await this.#look(stamp);
    } catch (error) {
      if (!(error instanceof PathError)) throw error;
      const { code, message, data, retryable } = error;
      throw new FileCloudSyncError(code, message, { data, retryable, cause: error });
    }
  }

  async #remembered(): Promise<readonly string[]> {
    return (await this.facts.get<string[]>(FACT)) ?? [NONE];
  }
}

/** Whether anything is known; looks no further than the first page. */
export async function hasRows(baseline: BaselineStore): Promise<boolean> {
  for await (const page of baseline.scan()) if (page.length > 0) return true;
  return false;
}
