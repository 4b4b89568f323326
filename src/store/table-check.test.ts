import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { crc32c } from './crc32c.js';
import { LevelDatabaseHome } from './level-database-home.js';
import { openLevelDatabase } from './level-database.js';
import { readLiveTables } from './live-tables.js';
import { findTableDamage } from './table-check.js';

/** How many blocks were compared with their checksums. */
const counted = vi.hoisted(() => ({ blocks: 0 }));
vi.mock(import('./crc32c.js'), async (original) => {
  const real = await original();
  return { ...real, crc32c: (bytes) => (counted.blocks++, real.crc32c(bytes)) };
});

let root: string;
let whole: string;
let table: Buffer;
const damagedDirectory = (): string => path.join(root, 'damaged');

/** Puts these bytes in the place of the table. */
async function damagedBy(edit: (bytes: Buffer) => Buffer): Promise<string | undefined> {
  await writeFile(path.join(damagedDirectory(), '000005.ldb'), edit(Buffer.from(table)));
  return findTableDamage(damagedDirectory());
}

async function copyDatabase(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const name of await readdir(whole)) {
    const file = path.join(whole, name);
    if ((await stat(file)).isFile()) await copyFile(file, path.join(directory, name));
  }
}

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'table-check-'));
  whole = path.join(root, 'db');
  // A second open turns the log of the first into a table.
  const database = await openLevelDatabase(whole);
  await database.batch(
    Array.from({ length: 1000 }, (_, i) => ({ type: 'put', key: `key ${i}`, value: `${Math.imul(i, 0x9e3779b1)}` })),
  );
  await database.close();
  await (await openLevelDatabase(whole)).close();
  await mkdir(damagedDirectory());
  const name = (await readdir(whole)).find((each) => each.endsWith('.ldb'));
  table = await readFile(path.join(whole, name ?? 'missing.ldb'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('crc32c', () => {
  it('answers the check value of the Castagnoli polynomial', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  });
});

describe('findTableDamage', () => {
  it('finds nothing in whole tables, nor where there is no directory', async () => {
    expect(table.length).toBeGreaterThan(4096);
    expect(await findTableDamage(whole)).toBeUndefined();
    expect(await findTableDamage(path.join(root, 'missing'))).toBeUndefined();
    expect(await damagedBy((bytes) => bytes)).toBeUndefined();
  });

  it('finds any flipped bit in the filter, the index and the footer, but for the padding of the footer', async () => {
    // 1,000 keys of 10 bits make a filter of 1,250 bytes; index and list of filters follow it.
    const unseen: number[] = [];
    for (let back = 1; back <= 1200; back += back < 64 ? 1 : 7) {
      const at = table.length - back;
      const damage = await damagedBy((bytes) => {
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (back % 8)), at);
        return bytes;
      });
      if (damage === undefined) unseen.push(back);
    }
    // 48 bytes: two handles of at most 20 bytes in 40, then the magic number in 8.
    for (const back of unseen) expect(back > 8 && back <= 40).toBe(true);
  });

  it('finds any byte of the rows that is another, which would end the process when LevelDB merges tables', async () => {
    for (let at = 0; at < table.length - 2400; at += 11) {
      const damage = await damagedBy((bytes) => {
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (at % 8)), at);
        return bytes;
      });
      expect(damage, `byte ${at}`).toBe('000005.ldb: some of its rows fail the checksum');
    }
  });

  it('finds them in tables so large that their index is compressed', async () => {
    const directory = path.join(root, 'large');
    const database = await openLevelDatabase(directory);
    const rows = Array.from({ length: 60_000 }, (_, i) => `a folder with a long name/a file with a number ${i}`);
    for (let i = 0; i < rows.length; i += 1000)
      await database.batch(
        rows.slice(i, i + 1000).map((key) => ({ type: 'put', key, value: `${Math.imul(key.length * i, 0x9e3779b1)}` })),
      );
    await database.close();
    // What a database that is closed has not yet written as a table, it writes when it is opened.
    await (await openLevelDatabase(directory)).close();
    const tables = [...((await readLiveTables(directory)) ?? [])];
    const [number = 0, bytes = 0] = tables.toSorted((a, b) => b[1] - a[1])[0] ?? [];
    expect(bytes).toBeGreaterThan(100_000);
    const name = `${number}`.padStart(6, '0').concat('.ldb');
    expect(await findTableDamage(directory)).toBeUndefined();
    const content = await readFile(path.join(directory, name));
    for (const share of [0, 0.1, 0.5, 0.8]) {
      const damaged = Buffer.from(content);
      const at = Math.floor(bytes * share);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      await writeFile(path.join(directory, name), damaged);
      expect(await findTableDamage(directory)).toBe(`${name}: some of its rows fail the checksum`);
    }
    await writeFile(path.join(directory, name), content);
    expect(await findTableDamage(directory)).toBeUndefined();
  });

  it('reads a table once that has not changed for a while, and again when it is another one', async () => {
    const reads = async (nowMs: number): Promise<number> => {
      counted.blocks = 0;
      expect(await findTableDamage(damagedDirectory(), nowMs)).toBeUndefined();
      return counted.blocks;
    };
    await damagedBy((bytes) => bytes);
    const file = path.join(damagedDirectory(), '000005.ldb');
    const { ctimeMs, atime, mtime } = await stat(file);
    const changedMs = Math.floor(ctimeMs);
    expect(await reads(changedMs + 2000)).toBeGreaterThan(3);
    expect(await reads(changedMs + 2001)).toBeGreaterThan(3);
    expect(await reads(changedMs + 2001)).toBe(0);
    const damaged = Buffer.from(table);
    damaged.writeUInt8(damaged.readUInt8(100) ^ 1, 100);
    await rm(file);
    await writeFile(file, damaged);
    await utimes(file, atime, mtime);
    expect(await findTableDamage(damagedDirectory(), ctimeMs + 1e6)).toMatch(/some of its rows/);
  });

  it('finds a table that was cut short, emptied, or is a directory', async () => {
    expect(await damagedBy((bytes) => bytes.subarray(0, -1))).toMatch(/not that of a table/);
    expect(await damagedBy(() => Buffer.alloc(0))).toMatch(/too short/);
    const directory = path.join(root, 'odd');
    await mkdir(path.join(directory, '000007.ldb'), { recursive: true });
    expect(await findTableDamage(directory)).toBe('000007.ldb: it is not a file');
  });

  it('passes over half a table that a cut off compaction left behind', async () => {
    const directory = path.join(root, 'cut-off', 'db');
    await copyDatabase(directory);
    await writeFile(path.join(directory, '000999.ldb'), table.subarray(0, table.length / 2));
    expect(await findTableDamage(directory)).toBeUndefined();
    const database = await new LevelDatabaseHome(directory, { nowMs: () => 0 }).open();
    expect(await database.get('key 999')).toBe(`${Math.imul(999, 0x9e3779b1)}`);
    await database.close();
    expect(await readdir(directory)).not.toContain('000999.ldb');
  });

  it('checks every table when it cannot be made out which ones count', async () => {
    const directory = path.join(root, 'no-manifest', 'db');
    await copyDatabase(directory);
    await writeFile(path.join(directory, '000999.ldb'), table.subarray(0, table.length / 2));
    const name = (await readFile(path.join(directory, 'CURRENT'), 'utf8')).trim();
    const manifest = await readFile(path.join(directory, name));
    manifest.writeUInt8(manifest.readUInt8(20) ^ 1, 20);
    await writeFile(path.join(directory, name), manifest);
    expect(await findTableDamage(directory)).toMatch(/^000999\.ldb: /);
  });

  it('looks for the end of a table where LevelDB looks for it', async () => {
    const directory = path.join(root, 'grown', 'db');
    await copyDatabase(directory);
    const name = (await readdir(directory)).find((each) => each.endsWith('.ldb')) ?? '';
    await writeFile(path.join(directory, name), Buffer.concat([table, Buffer.alloc(100, 7)]));
    expect(await findTableDamage(directory)).toBeUndefined();
    await writeFile(path.join(directory, name), table.subarray(0, -1));
    expect(await findTableDamage(directory)).toBe(`${name}: it is too short`);
  });

  it('keeps an index of absurd size from LevelDB, which would end the process over it', async () => {
    const directory = path.join(root, 'absurd', 'db');
    await copyDatabase(directory);
    for (const name of await readdir(directory)) {
      if (!name.endsWith('.ldb')) continue;
      const bytes = Buffer.from(table);
      // Offset 0 and a size of 2^62 for both handles.
      const handle = [0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40];
      Buffer.from([...handle, ...handle]).copy(bytes, bytes.length - 48);
      await writeFile(path.join(directory, name), bytes);
    }
    await expect(new LevelDatabaseHome(directory, { nowMs: () => 0 }).open()).rejects.toMatchObject({
      code: 'ERR_STATE_DAMAGED',
    });
  });
});
