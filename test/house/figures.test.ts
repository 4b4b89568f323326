import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

it('what is made from the benchmarks is fresh (else: npm run bench:report)', () => {
  const { status, stderr } = spawnSync(process.execPath, ['bench/report.mjs', '--check'], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
