import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildCommand } from '../cli/built-command.js';

const CHILD = fileURLToPath(new URL('./flat-memory-child.mjs', import.meta.url));
const run = promisify(execFile);
let dist = '';

interface Told {
  /** The most that was held at any moment beyond what stood before the run, garbage taken away. */
  readonly heldBytes: number;
  readonly changes: number;
}

async function measure(what: string, entries: number, listed: number, held = 1000): Promise<Told> {
  const numbers = [entries, listed, held].map(String);
  const { stdout } = await run(process.execPath, ['--expose-gc', CHILD, dist, what, ...numbers]);
  return JSON.parse(stdout) as Told;
}

beforeAll(async () => {
  dist = dirname(dirname(await buildCommand()));
});

/** Of four times as many files: caches that fill, and code that is made faster. Keeping a hundred bytes of each file is more. */
const MOST_GROWTH = 1.8;
const TIMEOUT_MS = 120_000;

describe('the memory that a session holds', () => {
  it.each([
    ['a plan that downloads everything', 'plan-downloads', 15_000, 1],
    ['a plan that compares everything', 'plan-compares', 15_000, 1],
    ['a sync that downloads everything', 'sync', 4000, 2],
    ['a sync of what is the same', 'quiet', 15_000, 0],
  ])(
    'is the same for four times as many files: %s',
    async (_what, how, entries, eventsPerFile) => {
      const few = await measure(how, entries, 100);
      const many = await measure(how, 4 * entries, 100);
      expect(few.changes).toBe(entries * eventsPerFile);
      expect(many.changes).toBe(4 * entries * eventsPerFile);
      expect(many.heldBytes / few.heldBytes).toBeLessThan(MOST_GROWTH);
    },
    TIMEOUT_MS,
  );

  it(
    'grows by less than a KiB for each decision of a plan that is short enough to be held',
    async () => {
      const written = await measure('sync', 8000, 100);
      const held = await measure('sync', 8000, 100, 20_000);
      expect((held.heldBytes - written.heldBytes) / 8000).toBeLessThan(1024);
      expect(held.heldBytes).toBeGreaterThan(written.heldBytes);
    },
    TIMEOUT_MS,
  );

  it(
    'grows with the files only where somebody asked for the list of all',
    async () => {
      const few = await measure('plan-downloads', 15_000, Infinity);
      const many = await measure('plan-downloads', 60_000, Infinity);
      expect(many.heldBytes / few.heldBytes).toBeGreaterThan(MOST_GROWTH);
    },
    TIMEOUT_MS,
  );
});
