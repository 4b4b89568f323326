import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLevelDatabase } from './level-database.js';
import { readLiveTables } from './live-tables.js';

const ROUNDS = 9;
let root: string;
let whole: string;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'live-tables-'));
  whole = path.join(root, 'db');
  // Each open makes a table of the log before it, and with the fourth they are merged: tables come and go.
  for (let round = 0; round < ROUNDS; round++) {
    const database = await openLevelDatabase(whole);
    await database.batch(Array.from({ length: 500 }, (_, i) => ({ type: 'put', key: `key ${i}`, value: `${round}` })));
    await database.close();
  }
  await (await openLevelDatabase(whole)).close();
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function manifestOf(directory: string): Promise<string> {
  return path.join(directory, (await readFile(path.join(directory, 'CURRENT'), 'utf8')).trim());
}

describe('readLiveTables', () => {
  it('names the tables that a database consists of, with their sizes', async () => {
    const live = await readLiveTables(whole);
    expect(live?.size).toBeGreaterThan(0);
    const names = await readdir(whole);
    for (const [number, sizeBytes] of live ?? []) {
      const name = `${String(number).padStart(6, '0')}.ldb`;
      expect(names).toContain(name);
      expect((await stat(path.join(whole, name))).size).toBe(sizeBytes);
    }
  });

  it('does not know them where there is no database, or one whose list is damaged', async () => {
    expect(await readLiveTables(path.join(root, 'missing'))).toBeUndefined();
    const manifest = await manifestOf(whole);
    const bytes = await readFile(manifest);
    const damaged = Buffer.from(bytes);
    damaged.writeUInt8(damaged.readUInt8(9) ^ 4, 9);
    await writeFile(manifest, damaged);
    expect(await readLiveTables(whole)).toBeUndefined();
    await writeFile(manifest, bytes);
    expect(await readLiveTables(whole)).toBeDefined();
  });

  it('leaves out what was being written to the list when the process ended', async () => {
    const before = await readLiveTables(whole);
    const manifest = await manifestOf(whole);
    const { size } = await stat(manifest);
    await writeFile(manifest, Buffer.from([1, 2, 3, 4, 200, 0, 1, 7, 7]), { flag: 'a' });
    expect(await readLiveTables(whole)).toEqual(before);
    await truncate(manifest, size);
  });
});
