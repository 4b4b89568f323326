import { describe, expect, it } from 'vitest';
import { proveVanishedSides, VANISHING_WAYS } from './prove-vanished-sides.js';

describe('a side that vanishes (N11)', () => {
  it(
    'deletes nothing on the other side, says what was seen, and goes on when it is back',
    { timeout: 300_000 },
    async () => {
      expect(VANISHING_WAYS).toBeGreaterThan(3000);
      // No divisor of the number of ways, and the round is closed: every cause, size, call and memory has its turn.
      expect(await proveVanishedSides(0, 200, 17)).toEqual({ ways: 200 });
    },
  );
});
