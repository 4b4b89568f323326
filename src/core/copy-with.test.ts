import { expect, it } from 'vitest';
import { copyWith } from './copy-with.js';

it('copies an object, and gives the copy fields of its own', () => {
  const base = Object.freeze({ path: 'a', size: 1 });
  expect(copyWith(base, { size: 2, isNew: true })).toEqual({ path: 'a', size: 2, isNew: true });
  expect(base).toEqual({ path: 'a', size: 1 });
});
