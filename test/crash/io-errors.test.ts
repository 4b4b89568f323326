import { expect, it } from 'vitest';
import { proveIoErrors } from './prove-io-errors.js';

it(
  'a disk whose n-th operation fails is not taken for a synchronised one, and the next run makes it good (N5)',
  { timeout: 300_000 },
  async () => {
    const seed = Number(process.env['FILECLOUDSYNC_SEED'] ?? 1);
    // Every ninth: prime to the five codes, so that each code meets each kind of operation.
    expect((await proveIoErrors(seed, 600, 9, true)).faults).toBeGreaterThan(400);
  },
);
