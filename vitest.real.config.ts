import { defineConfig } from 'vitest/config';

// Tests against a real S3 server, named by FCS_TEST_ENDPOINT, FCS_TEST_ACCESS_KEY and FCS_TEST_SECRET_KEY.
// A run that has no server, or finds no tests, fails: it must not look like a pass.
for (const name of ['FCS_TEST_ENDPOINT', 'FCS_TEST_ACCESS_KEY', 'FCS_TEST_SECRET_KEY']) {
  if ((process.env[name] ?? '') === '')
    throw new Error(`${name} is not set: start a server (scripts/ceph/start.sh) and set it as CONTRIBUTING.md says`);
}

export default defineConfig({
  test: {
    include: ['test/real/**/*.test.ts', 'src/**/*.real.test.ts', 'test/**/*.real.test.ts'],
    passWithNoTests: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // One server serves all files: they take turns.
    fileParallelism: false,
  },
});
