import { compareByteOrder } from '../core/byte-order.js';
import { filedOrder, type Filed } from '../core/rename.js';
import type { RenameTables } from './find-renames.js';

/** Tables in memory, for a plan that touches nothing and is held in memory itself. */
export class SortedTables implements RenameTables {
  readonly #tables = new Map<string, Filed[]>();

  async file(table: string, rows: readonly Filed[]): Promise<void> {
    const before = this.#tables.get(table);
    if (before === undefined) this.#tables.set(table, [...rows]);
    else for (const row of rows) before.push(row);
  }

  async *filed(table: string): AsyncGenerator<readonly Filed[]> {
    const rows = this.#tables.get(table);
    this.#tables.delete(table);
    if (rows !== undefined) yield rows.toSorted((a, b) => compareByteOrder(filedOrder(a), filedOrder(b)));
  }
}
