import { StateDamagedError } from '../errors.js';
import { addToTally, EMPTY_TALLY, readMark, writeMark, type Tally } from './baseline-tally.js';
import type { Database, DatabaseHome } from './database.js';
import { DatabaseFacts } from './database-facts.js';
import { DatabaseJournal } from './database-journal.js';
import { DatabaseParts } from './database-parts.js';
import { DatabaseUploads } from './database-uploads.js';
import { SealedBaseline } from './sealed-baseline.js';
import { unsealValue } from './sealed-value.js';
import { ShortJournal } from './short-journal.js';
import { StateContext, VERSION_KEY } from './state-context.js';
import type { StateStore } from './state-store.js';

/** The format of the rows. A database of any other format is put aside. */
const FORMAT_VERSION = 1;

/** Options of {@link openStateStore}. */
export interface OpenStateStoreOptions {
  /** Names the pair the state belongs to; state of any other pair is put aside. */
  readonly pairId: string;
  /** Puts the state aside whatever it holds. Default `false`. */
  readonly rebuild?: boolean;
  /** How many decisions a plan may have to be kept in memory. Default 20,000. */
  readonly mostHeldDecisions?: number;
}

/**
 * Opens what is remembered about one pair; state that cannot be believed is put aside and an empty one opened (`rebuilt`).
 *
 * After a clean close it costs three reads, and rows that were lost are found at the end of the first `baseline.scan`;
 * after a crash it walks every row. Damage found later throws `StateDamagedError`: close the store and open it again.
 * Throws `LockedError` when the database is open elsewhere.
 */
export async function openStateStore(home: DatabaseHome, options: OpenStateStoreOptions): Promise<StateStore> {
  const versionText = JSON.stringify([FORMAT_VERSION, options.pairId]);
  const opened = options.rebuild === true ? undefined : await openBelieved(home, versionText);
  if (opened !== undefined) return stateStoreOver(opened, versionText, options, false);
  await home.putAside();
  const fresh = await openBelieved(home, versionText);
  if (fresh === undefined) {
    throw new StateDamagedError(
      'A state database that was just created cannot be read back. Check the disk that holds the state directory.',
    );
  }
  return stateStoreOver(fresh, versionText, options, true);
}

interface OpenedState {
  readonly database: Database;
  readonly tally: Tally;
  readonly marked: 'clean' | 'open';
}

/** Opens the database and checks what can be checked; `undefined` (and closed) when it cannot be believed. */
async function openBelieved(home: DatabaseHome, versionText: string): Promise<OpenedState | undefined> {
  let database: Database | undefined;
  try {
    database = await home.open();
    const checked = await check(database, versionText);
    if (checked !== undefined) return { database, ...checked };
    await database.close();
    return undefined;
  } catch (error) {
    await database?.close();
    if (error instanceof StateDamagedError) return undefined;
    throw error;
  }
}

async function check(database: Database, versionText: string): Promise<Omit<OpenedState, 'database'> | undefined> {
  const mark = await readMark(database);
  if (mark?.state === 'damaged') return undefined;
  const version = await database.get(VERSION_KEY);
  if (version === undefined) {
    if (mark !== undefined || !(await isEmpty(database))) return undefined;
    await new StateContext(database, versionText).flush();
    await writeMark(database, { state: 'open' });
    return { tally: EMPTY_TALLY, marked: 'open' };
  }
  if (unsealValue(VERSION_KEY, version) !== versionText) return undefined;
  if (mark?.state === 'clean') return { tally: mark.tally, marked: 'clean' };
  const tally = await walk(database);
  if (tally === undefined) return undefined;
  if (mark === undefined) await writeMark(database, { state: 'open' });
  return { tally, marked: 'open' };
}

async function isEmpty(database: Database): Promise<boolean> {
  for await (const _page of database.iterate({})) return false;
  return true;
}

/** Counts the baseline and checks every row of every kind; `undefined` when one fails. */
async function walk(database: Database): Promise<Tally | undefined> {
  let tally = EMPTY_TALLY;
  for await (const page of database.iterate({})) {
    for (const [key, value] of page) {
      if (unsealValue(key, value) === undefined) return undefined;
      if (key.startsWith('b!')) tally = addToTally(tally, value);
    }
  }
  return tally;
}

function stateStoreOver(
  { database, tally, marked }: OpenedState,
  versionText: string,
  { mostHeldDecisions }: OpenStateStoreOptions,
  rebuilt: boolean,
): StateStore {
  const context = new StateContext(database, versionText);
  const baseline = new SealedBaseline(context, tally, marked);
  const close = async (): Promise<void> => {
    try {
      await baseline.settle();
    } finally {
      await database.close();
    }
  };
  let closed: Promise<void> | undefined;
  return {
    baseline,
    journal: new ShortJournal(new DatabaseJournal(context, () => baseline.settle()), mostHeldDecisions),
    uploads: new DatabaseUploads(context),
    parts: new DatabaseParts(context),
    facts: new DatabaseFacts(context),
    rebuilt,
    close: () => (closed ??= close()),
  };
}
