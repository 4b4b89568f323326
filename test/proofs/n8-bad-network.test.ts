import { expect, it } from 'vitest';
import { proveBadNetwork } from './prove-bad-network.js';

it(
  'carries every object while one request in five fails, with at most 1.5 times the requests (N8)',
  { timeout: 300_000 },
  async () => {
    const { objects, requests, faults } = await proveBadNetwork(1, 450);
    expect(objects).toBe(450);
    expect(faults).toBeGreaterThan(0.15 * requests);
  },
);
