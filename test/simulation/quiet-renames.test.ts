import { describe, expect, it } from 'vitest';
import { quietRenames } from './quiet-renames.js';

/** `FCS_RENAMES`: how many worlds; `FCS_SEED`: the first seed. */
const COUNT = Number(process.env['FCS_RENAMES'] ?? 20);
const FIRST_SEED = Number(process.env['FCS_SEED'] ?? 1);

describe('renames in a quiet world', () => {
  it(
    `send and fetch nothing, trash nothing and halt nothing, in ${COUNT} worlds (seed ${FIRST_SEED})`,
    { timeout: 3_600_000 },
    async () => {
      let renamedFiles = 0;
      for (let seed = FIRST_SEED; seed < FIRST_SEED + COUNT; seed++) {
        const { violations, renamed } = await quietRenames(seed);
        expect(violations, `seed ${seed}`).toEqual([]);
        renamedFiles += renamed;
      }
      if (COUNT > 20)
        console.log(`P9: ${renamedFiles} files renamed in ${COUNT} quiet worlds, 0 bytes sent or fetched`);
      // One world alone may have next to none.
      if (COUNT >= 20) expect(renamedFiles).toBeGreaterThan(COUNT * 5);
    },
  );
});
