import { expect, it } from 'vitest';
import { proveBadNetwork } from './prove-bad-network.js';

it(
  'carries every object while one request in five fails, with at most 1.5 times the requests (N8)',
  { timeout: 300_000 },
  async () => {
    // So many that it does not decide how often the 75 requests with which a store is tried have to begin anew.
    const { objects, requests, faults } = await proveBadNetwork(1, 900);
    expect(objects).toBe(900);
    expect(faults).toBeGreaterThan(0.15 * requests);
  },
);
