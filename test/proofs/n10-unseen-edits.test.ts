import { expect, it } from 'vitest';
import { proveUnseenEdits } from './prove-unseen-edits.js';

it(
  'no edit hides behind its size, its time or a wrong clock for longer than one cycle (N10)',
  { timeout: 120_000 },
  async () => {
    expect((await proveUnseenEdits(Number(process.env['FILECLOUDSYNC_SEED'] ?? 1), 10, 1)).edits).toBe(240);
  },
);
