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

async function measure(what: string, entries: number, listed: number): Promise<Told> {
  const { stdout } = await run(process.execPath, ['--expose-gc', CHILD, dist, what, String(entries), String(listed)]);
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
    'grows with the files only where somebody asked for the list of all',
    async () => {
      const few = await measure('plan-downloads', 15_000, Infinity);
      const many = await measure('plan-downloads', 60_000, Infinity);
      expect(many.heldBytes / few.heldBytes).toBeGreaterThan(MOST_GROWTH);
    },
    TIMEOUT_MS,
  );
});
