import { defineConfig } from 'vitest/config';

// Tests against a real S3 server, named by FCS_TEST_ENDPOINT, FCS_TEST_ACCESS_KEY and FCS_TEST_SECRET_KEY.
export default defineConfig({
  test: {
    // Those of `test/replica-s3` turn to the real server by themselves when one is named.
    include: ['test/real/**/*.test.ts', 'test/replica-s3/{conformance,listing}.test.ts'],
    globalSetup: ['test/house/require-server.ts'],
    passWithNoTests: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // One server serves all files: they take turns.
    fileParallelism: false,
  },
});
