import { defineConfig } from 'vitest/config';
import { lastingThread } from './lasting-thread.mjs';

// oxlint-disable-next-line import/no-default-export -- vitest wants it
export default defineConfig({
  plugins: [lastingThread()],
  test: {
    include: (process.env['FCS_MUTATION_TESTS'] ?? '').split(' '),
    setupFiles: ['scripts/mutation/before-each-file.mjs'],
    isolate: true,
    testTimeout: 120_000,
  },
});
