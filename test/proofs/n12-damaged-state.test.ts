import { expect, it } from 'vitest';
import { proveDamagedState } from './prove-damaged-state.js';

it(
  'a damaged memory deletes and overwrites nothing, and is rebuilt by itself (N12)',
  { timeout: 300_000 },
  async () => {
    const { damages, rebuilt } = await proveDamagedState(Number(process.env['FILECLOUDSYNC_SEED'] ?? 1), 28, 1);
    expect(damages).toBe(28);
    // Not every damage hits what is read again; most do.
    expect(rebuilt).toBeGreaterThan(10);
  },
);
