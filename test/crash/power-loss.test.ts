import { expect, it } from 'vitest';
import { provePowerLoss } from './prove-power-loss.js';

it(
  'a loss of power at any step loses no version, and the next run comes to the same end (N4)',
  { timeout: 300_000 },
  async () => {
    const seed = Number(process.env['FILECLOUDSYNC_SEED'] ?? 1);
    expect((await provePowerLoss(seed, 500, 7, true)).states).toBe(500);
  },
);
