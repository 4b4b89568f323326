// Runs before each test file of a mutation run, after Stryker's own setup: in a thread that lasts, the mutant and the counters of
// the file before are still there, and would be at work while this file's modules are loaded.
import fc from 'fast-check';
import { inject } from 'vitest';

const stryker = globalThis[inject('globalNamespace')];
if (inject('mode') === 'mutant') {
  stryker.hitCount = undefined;
  // A loop that does not end any more is found out after ten times as many rounds as usual, not a hundred times.
  stryker.hitLimit = Math.max(10_000, stryker.hitLimit / 10);
  if (inject('mutantActivation') !== 'static') stryker.activeMutant = undefined;
} else {
  stryker.mutantCoverage = undefined;
}

// The same mutant meets the same cases in each run, and the first that fails is enough.
fc.configureGlobal({ seed: 1, endOnFailure: true });
