// Runs before each test file of a mutation run, after Stryker's own setup: in a thread that lasts, the mutant and the counters of
// the file before are still there, and would be at work while this file's modules are loaded.
import fc from 'fast-check';
import { inject } from 'vitest';

const stryker = globalThis[inject('globalNamespace')];
if (inject('mode') === 'mutant') {
  stryker.hitCount = undefined;
  // Stryker lets a loop go round a hundred times as often as it did before; five times is enough to see that it does not end.
  stryker.hitLimit = Math.max(2000, stryker.hitLimit / 20);
  if (inject('mutantActivation') !== 'static') stryker.activeMutant = undefined;
} else {
  stryker.mutantCoverage = undefined;
}

// The same mutant meets the same cases in each run, and the first that fails is enough.
fc.configureGlobal({ seed: 1, endOnFailure: true });
