import type { Entry } from '../../src/core/entry.js';

/** What may stand at a path of the folder and is no file: how a title names it, and its entry. */
export const noFiles: readonly (readonly [name: string, entryAt: (path: string) => Entry])[] = [
  ['a link', (path) => ({ kind: 'symlink', path })],
  ['a pipe', (path) => ({ kind: 'untracked', path, reason: 'special', subtree: false })],
  [
    'what cannot be looked at',
    (path) => ({
      kind: 'problematic',
      path,
      problem: { path, side: 'local', code: 'ERR_TEST', message: 'no', severity: 'error' },
      subtree: false,
    }),
  ],
];
