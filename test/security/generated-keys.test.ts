import { describe, expect, it } from 'vitest';
import { RULES } from './hostile-keys.js';
import { proveKeys } from './prove-keys.js';

/** `FCS_S1=1000000` for the long form, `FCS_SEED=…` for the same keys again. */
const count = Number(process.env['FCS_S1'] ?? 5000);
const seed = Number(process.env['FCS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe('S1, without a disk', () => {
  it(`tells ${count} generated keys apart: none that is accepted leads out of the folder, none is lost`, () => {
    const { fine, refused, listed } = proveKeys(seed, count);
    const accepted = RULES.map((rules) => `${rules} ${fine[rules]}`).join(', ');
    console.log(
      `S1: ${count} keys from seed ${seed}, ${listed} listed twice; accepted: ${accepted}; refused for ${refused.size} reasons; 0 lead out`,
    );
    // A generator that no longer reaches a reason proves nothing about it.
    expect(refused.size).toBe(14);
    for (const [code, times] of refused) expect(times, code).toBeGreaterThan(count / 100_000);
    for (const rules of RULES) expect(fine[rules]).toBeGreaterThan(count / 10);
  }, 600_000);
});
