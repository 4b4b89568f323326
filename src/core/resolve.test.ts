import { describe, expect, it } from 'vitest';
import type { FileEntry } from './entry.js';
import { resolveConflict, TIME_TIE_MS } from './resolve.js';

const at = (modifiedMs: number | undefined): FileEntry => ({
  kind: 'file',
  path: 'a',
  sizeBytes: 1,
  fingerprint: 'f',
  modifiedMs,
  modifiedSource: 'mtime',
});
const noon = Date.UTC(2026, 10, 22, 12);

describe('resolveConflict', () => {
  it.each([
    ['newest', noon + 3000, noon, 'local'],
    ['newest', noon, noon + 3000, 'bucket'],
    ['newest', noon, noon, 'keep-both'],
    ['newest', noon + TIME_TIE_MS, noon, 'keep-both'],
    ['newest', noon + TIME_TIE_MS + 1, noon, 'local'],
    ['newest', undefined, noon, 'keep-both'],
    ['newest', noon, undefined, 'keep-both'],
    ['newest', Number.NaN, noon, 'keep-both'],
    ['newest', Number.POSITIVE_INFINITY, noon, 'keep-both'],
    ['local', noon, noon + 9000, 'local'],
    ['bucket', noon + 9000, noon, 'bucket'],
    ['keep-both', noon + 9000, noon, 'keep-both'],
    ['manual', noon + 9000, noon, 'manual'],
  ] as const)('%s, local at %s and remote at %s: %s', (policy, local, remote, answer) => {
    const versions = { local: at(local), remote: at(remote) };
    expect(resolveConflict(policy, versions, { readonly: false })).toBe(answer);
    expect(resolveConflict(policy, versions, { readonly: true })).toBe('bucket');
  });
});
