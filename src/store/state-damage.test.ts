import { cp, mkdtemp, open, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BaselineRow } from '../core/baseline.js';
import { LevelDatabaseHome } from './level-database-home.js';
import { openStateStore } from './open-state-store.js';
import type { StateStore } from './state-store.js';

/** 1,000 in the long form. */
const DAMAGES = Number(process.env['FILECLOUDSYNC_DAMAGES'] ?? 100);
const SEED = Number(process.env['FILECLOUDSYNC_SEED'] ?? 1);
const ROWS = 1500;
const pairId = 'pair';
const clock = { nowMs: () => 0 };

let root: string;
let expected: BaselineRow[];

/** A row whose values are as hard to compress as real ones, so that the database has many blocks. */
function row(index: number, version: number): BaselineRow {
  const noise = (Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(version, 0x85ebca6b)) >>> 0;
  return {
    path: `dir-${index % 40}/file-${noise.toString(36)}-${index}`.replace(/-[0-9a-z]+-/, '-'),
    sizeBytes: noise,
    local: `${noise}:${noise ^ 0x5bd1e995}:${index}`,
    remote: `"${noise.toString(16).padStart(32, String(version))}"`,
    digest: version % 2 === 0 ? undefined : `md5:${noise.toString(16).padStart(32, '0')}`,
    recordedAtMs: 1_700_000_000_000 + index,
  };
}

/** Small, fast, and the same everywhere (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

async function build(directory: string, id: string): Promise<BaselineRow[]> {
  const rows = new Map<string, BaselineRow>();
  // Opened anew for each version, so that there are tables, a log, and rows that stand in both.
  for (let version = 0; version < 4; version++) {
    const store = await openStateStore(new LevelDatabaseHome(directory, clock), { pairId: id });
    const changed = Array.from({ length: ROWS }, (_, i) => row(i, version)).filter(
      (_, i) => version === 0 || i % (version + 2) === 0,
    );
    await store.baseline.put(changed);
    for (const each of changed) rows.set(each.path, each);
    const gone = row(version * 7, version).path;
    await store.baseline.delete([gone]);
    rows.delete(gone);
    await store.facts.put('version', version);
    await store.close();
    if (version === 2) await cp(directory, `${directory}.earlier`, { recursive: true });
  }
  return [...rows.values()].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

interface Damage {
  readonly name: string;
  run(directory: string, file: string, random: (below: number) => number): Promise<void>;
}

async function overwrite(file: string, edit: (bytes: Buffer) => void): Promise<void> {
  const bytes = await readFile(file);
  // The log of a database that was just opened may have no byte that could be another one.
  if (bytes.length === 0) return;
  edit(bytes);
  await writeFile(file, bytes);
}

const damages: readonly Damage[] = [
  {
    name: 'one bit flipped',
    run: (_directory, file, random) =>
      overwrite(file, (bytes) => {
        const at = random(bytes.length);
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random(8)), at);
      }),
  },
  {
    name: 'bits flipped near the end, where tables keep their index',
    run: (_directory, file, random) =>
      overwrite(file, (bytes) => {
        for (let i = 0; i < 4; i++) {
          const at = bytes.length - 1 - random(Math.min(bytes.length, 600));
          bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << random(8)), at);
        }
      }),
  },
  {
    name: 'a page of noise',
    run: (_directory, file, random) =>
      overwrite(file, (bytes) => {
        const start = random(bytes.length);
        for (let at = start; at < Math.min(bytes.length, start + 512); at++) bytes.writeUInt8(random(256), at);
      }),
  },
  {
    name: 'a page of zeros',
    run: (_directory, file, random) =>
      overwrite(file, (bytes) => {
        const start = random(Math.ceil(bytes.length / 4096)) * 4096;
        bytes.fill(0, start, Math.min(bytes.length, start + 4096));
      }),
  },
  { name: 'cut short', run: async (_directory, file, random) => truncate(file, random((await stat(file)).size)) },
  { name: 'cut to nothing', run: (_directory, file) => truncate(file, 0) },
  { name: 'grown', run: (_directory, file, random) => appendNoise(file, random) },
  { name: 'a file deleted', run: (_directory, file) => rm(file) },
  {
    name: 'two files exchanged',
    async run(directory, file, random) {
      const names = await filesOf(directory);
      const other = path.join(directory, names[random(names.length)] ?? 'CURRENT');
      if (other === file) return;
      await rename(file, `${directory}.exchange`);
      await rename(other, file);
      await rename(`${directory}.exchange`, other);
    },
  },
  {
    name: 'all files deleted but the mark',
    async run(directory) {
      for (const name of await filesOf(directory)) if (name !== 'mark') await rm(path.join(directory, name));
    },
  },
  {
    name: 'an earlier version under the mark of now',
    async run(directory) {
      const mark = await readFile(path.join(directory, 'mark'));
      await rm(directory, { recursive: true });
      await cp(path.join(root, 'template.earlier'), directory, { recursive: true });
      await writeFile(path.join(directory, 'mark'), mark);
    },
  },
  {
    name: "another pair's",
    async run(directory) {
      await rm(directory, { recursive: true });
      await cp(path.join(root, 'other'), directory, { recursive: true });
    },
  },
];

async function appendNoise(file: string, random: (below: number) => number): Promise<void> {
  const handle = await open(file, 'a');
  await handle.write(Buffer.from(Array.from({ length: 1 + random(5000) }, () => random(256))));
  await handle.close();
}

async function filesOf(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name !== 'LOCK').sort();
}

async function rowsOf(store: StateStore): Promise<BaselineRow[]> {
  const rows: BaselineRow[] = [];
  for await (const page of store.baseline.scan()) rows.push(...page);
  return rows;
}

/** What a session does: open, walk, and open again when the state says that it is damaged. */
async function believe(directory: string): Promise<{ readonly rebuilt: boolean; readonly rows: BaselineRow[] }> {
  for (let attempt = 0; ; attempt++) {
    const store = await openStateStore(new LevelDatabaseHome(directory, clock), { pairId });
    try {
      return { rebuilt: store.rebuilt, rows: await rowsOf(store) };
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_STATE_DAMAGED' });
      expect(attempt).toBe(0);
    } finally {
      await store.close();
    }
  }
}

describe(`state damaged in ${DAMAGES} ways (seed ${SEED})`, () => {
  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'state-damage-'));
    expected = await build(path.join(root, 'template'), pairId);
    await build(path.join(root, 'other'), 'another pair');
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it('is right when nothing was damaged', async () => {
    const directory = path.join(root, 'whole', 'db');
    await cp(path.join(root, 'template'), directory, { recursive: true });
    expect((await filesOf(directory)).some((name) => name.endsWith('.ldb'))).toBe(true);
    expect(await believe(directory)).toEqual({ rebuilt: false, rows: expected });
  });

  it(
    'either gives every row as it was, or is rebuilt empty and then stays right',
    async () => {
      const random = randomFrom(SEED);
      let rebuilt = 0;
      for (let i = 0; i < DAMAGES; i++) {
        const directory = path.join(root, `damaged-${i}`, 'db');
        await cp(path.join(root, 'template'), directory, { recursive: true });
        const names = await filesOf(directory);
        const name = names[random(names.length)] ?? 'CURRENT';
        const damage = damages[i % damages.length];
        if (damage === undefined) throw new RangeError('no damage');
        await damage.run(directory, path.join(directory, name), random);
        const what = `damage ${i}: ${damage.name}, ${name}`;
        const found = await believe(directory);
        if (found.rebuilt) rebuilt++;
        expect([what, found]).toEqual([
          what,
          found.rebuilt ? { rebuilt: true, rows: [] } : { rebuilt: false, rows: expected },
        ]);
        expect([what, (await believe(directory)).rebuilt]).toEqual([what, false]);
        await rm(path.dirname(directory), { recursive: true });
      }
      console.info(`N12: ${DAMAGES} damages: ${rebuilt} rebuilt, ${DAMAGES - rebuilt} harmless, 0 wrong rows`);
      expect(rebuilt).toBeGreaterThan(DAMAGES / 3);
    },
    30_000 + DAMAGES * 1000,
  );
});
