import { defineConfig } from 'vitest/config';

/** The quick, pure tests of the pure core, the rules for names and the list scanner: those that a mutation run repeats. */
export default defineConfig({
  test: {
    include: ['src/core/**/*.test.ts', 'src/replica/s3/list-scanner.test.ts', 'test/security/hostile-paths.test.ts'],
    exclude: ['src/core/n1.test.ts'],
    pool: 'threads',
    testTimeout: 120_000,
  },
});
