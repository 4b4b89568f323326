import type { Database } from './database.js';
import { checksumOf, sealValue, unsealValue } from './sealed-value.js';

/** Keeps sums exact: two of them stay below 2^53. */
const SUM_LIMIT = 2 ** 52;
const MARK_KEY = 'mark';

/** How many rows there are, and the sum of their checksums: tells when rows are lost, come back, or are old versions. */
export interface Tally {
  readonly rows: number;
  readonly sum: number;
}

/** What the mark of a database says. `open`: rows were being changed, so that only the rows themselves can tell. */
export type Mark =
  | { readonly state: 'clean'; readonly tally: Tally }
  | { readonly state: 'open' }
  | { readonly state: 'damaged' };

/** The tally of no rows. */
export const EMPTY_TALLY: Tally = { rows: 0, sum: 0 };

/** The tally with one sealed value more. */
export function addToTally(tally: Tally, value: string): Tally {
  return { rows: tally.rows + 1, sum: (tally.sum + checksumOf(value)) % SUM_LIMIT };
}

/** The tally with one sealed value less. */
export function removeFromTally(tally: Tally, value: string): Tally {
  return { rows: tally.rows - 1, sum: (tally.sum - checksumOf(value) + SUM_LIMIT) % SUM_LIMIT };
}

/** Tells whether two tallies are of the same rows. */
export function sameTally(a: Tally, b: Tally): boolean {
  return a.rows === b.rows && a.sum === b.sum;
}

/** Reads the mark; `damaged` also when it cannot be made out, `undefined` when there is none. */
export async function readMark(database: Database): Promise<Mark | undefined> {
  const value = await database.readMark();
  if (value === undefined) return undefined;
  const text = unsealValue(MARK_KEY, value);
  if (text === undefined) return { state: 'damaged' };
  const fields: unknown = JSON.parse(text);
  if (!Array.isArray(fields)) return { state: 'damaged' };
  const [state, rows, sum]: unknown[] = fields;
  if (state === 'open') return { state };
  if (state === 'clean' && typeof rows === 'number' && typeof sum === 'number') return { state, tally: { rows, sum } };
  return { state: 'damaged' };
}

/** Writes the mark; durable when it resolves. */
export async function writeMark(database: Database, mark: Mark): Promise<void> {
  const fields = mark.state === 'clean' ? [mark.state, mark.tally.rows, mark.tally.sum] : [mark.state];
  await database.writeMark(sealValue(MARK_KEY, JSON.stringify(fields)));
}
