import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import { lastingThread } from './lasting-thread.mjs';

const tests = (process.env['FCS_MUTATION_TESTS'] ?? '').split(' ');

/** Runs the files in the order in which they are named: the slowest last, since the first that fails is enough. */
class InOrder extends BaseSequencer {
  async sort(files) {
    const place = ({ moduleId }) => tests.findIndex((name) => moduleId.endsWith(name));
    return files.toSorted((a, b) => place(a) - place(b));
  }
}

// oxlint-disable-next-line import/no-default-export -- vitest wants it
export default defineConfig({
  plugins: [lastingThread()],
  test: {
    include: tests,
    sequence: { sequencer: InOrder },
    setupFiles: ['scripts/mutation/before-each-file.mjs'],
    isolate: true,
    // Twenty times as long as the slowest takes. A break that makes a test wait for nothing is told apart (`mutate.mjs`).
    testTimeout: 30_000,
  },
});
