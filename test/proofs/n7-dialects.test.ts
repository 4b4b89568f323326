import { expect, it } from 'vitest';
import { proveDialects } from './prove-dialects.js';

it(
  'every kind of store is classified, and none is trusted wrongly on a network that fails (N7)',
  { timeout: 120_000 },
  async () => {
    const { classified, faulted, finished } = await proveDialects(
      Number(process.env['FILECLOUDSYNC_SEED'] ?? 1),
      100,
      1,
    );
    expect(classified).toBeGreaterThanOrEqual(20);
    expect(faulted).toBe(100);
    // A probe that never came to an end would trust nothing wrongly, too.
    expect(finished).toBeGreaterThan(90);
  },
);
