import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseDuties } from '../testing/database/database-conformance.js';
import { LevelDatabaseHome } from './level-database-home.js';
import { openLevelDatabase } from './level-database.js';

let root: string;
let next = 0;
const newDirectory = (): string => path.join(root, `d${next++}`, 'db');
const clock = { nowMs: () => 1_700_000_000_000 };

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'level-database-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe('openLevelDatabase', () => {
  it.each(databaseDuties)('$title', ({ run }) => run(new LevelDatabaseHome(newDirectory(), clock)));

  it.skipIf(process.platform === 'win32')('keeps its directory and files from other users', async () => {
    const directory = newDirectory();
    const database = await openLevelDatabase(directory);
    await database.batch([{ type: 'put', key: 'a', value: '1' }]);
    await database.writeMark('m');
    await database.close();
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    const names = await readdir(directory);
    expect(names.length).toBeGreaterThan(3);
    for (const name of names)
      expect([name, (await stat(path.join(directory, name))).mode & 0o777]).toEqual([name, 0o600]);
  });

  it('takes away a mark that a crash kept from its place, and leaves the one in place', async () => {
    const directory = newDirectory();
    const before = await openLevelDatabase(directory);
    await before.writeMark('m');
    await before.close();
    await writeFile(path.join(directory, 'mark.tmp'), 'half of a');
    const after = await openLevelDatabase(directory);
    expect(await after.readMark()).toBe('m');
    await after.close();
    expect(await readdir(directory)).not.toContain('mark.tmp');
  });

  it('calls a database damaged when its manifest is gone', async () => {
    const directory = newDirectory();
    await (await openLevelDatabase(directory)).close();
    for (const name of await readdir(directory)) if (name.startsWith('MANIFEST')) await rm(path.join(directory, name));
    await expect(openLevelDatabase(directory)).rejects.toMatchObject({ code: 'ERR_STATE_DAMAGED' });
  });

  it('does not call a database damaged because its place cannot be used', async () => {
    await writeFile(path.join(root, 'file'), '');
    await expect(openLevelDatabase(path.join(root, 'file', 'db'))).rejects.toMatchObject({
      code: 'ERR_STATE_UNUSABLE',
    });
  });
});

describe('LevelDatabaseHome', () => {
  it('keeps the three newest databases that were put aside', async () => {
    const directory = newDirectory();
    let nowMs = 1_700_000_000_000;
    const home = new LevelDatabaseHome(directory, { nowMs: () => nowMs });
    for (let i = 0; i < 5; i++) {
      await (await home.open()).close();
      await home.putAside();
      nowMs += 1000;
    }
    const names = (await readdir(path.dirname(directory))).sort();
    expect(names.map((name) => name.slice(0, 'db.damaged-20231114T221322'.length))).toEqual([
      'db.damaged-20231114T221322',
      'db.damaged-20231114T221323',
      'db.damaged-20231114T221324',
    ]);
  });
});
