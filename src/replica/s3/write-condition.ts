import type { Precondition } from '../replica.js';
import { etagCondition, type EtagForm } from './dialect.js';
import { etagOf } from './object-state.js';

/** The condition of a write as headers, and whether the store is known to honour it. */
export function writeCondition(
  expected: Precondition,
  create: boolean,
  replace: EtagForm,
  mayTryCreate: boolean,
): { readonly headers: Readonly<Record<string, string>>; readonly trusted: boolean } {
  if (expected === null) return { headers: create || mayTryCreate ? { 'if-none-match': '*' } : {}, trusted: create };
  const value = etagCondition(replace, etagOf(expected.fingerprint));
  return value === undefined ? { headers: {}, trusted: false } : { headers: { 'if-match': value }, trusted: true };
}
