import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderedIndex } from './ordered-index.js';

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const key = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '/', '~', 'é', '\uff61', '\u{1f600}'), minLength: 1, maxLength: 4 }),
  fc.nat(5000).map((n) => `k${n}`),
);

describe('OrderedIndex', () => {
  it('walks what was added and not deleted, in UTF-8 byte order, from any key and after any prefix', () => {
    fc.assert(
      fc.property(
        fc.array(key, { maxLength: 3000, size: 'max' }),
        fc.array(key, { maxLength: 300 }),
        key,
        (added, deleted, probe) => {
          const index = new OrderedIndex<{ readonly key: string }>();
          for (const each of new Set(added)) index.add({ key: each });
          for (const each of deleted) index.delete(each);
          const expected = [...new Set(added)].filter((each) => !deleted.includes(each)).sort(byBytes);
          expect([...index].map((item) => item.key)).toEqual(expected);
          expect(index.size).toBe(expected.length);
          expect(rest(index.from(probe))).toEqual(expected.filter((each) => byBytes(each, probe) >= 0));
          expect(rest(index.after(probe))).toEqual(
            expected.filter((each) => byBytes(each, probe) > 0 && !each.startsWith(probe)),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps ascending keys in full chunks and finds each of 50,000', () => {
    const index = new OrderedIndex<{ readonly key: string }>();
    const name = (n: number): string => `f${String(n).padStart(6, '0')}`;
    for (let n = 0; n < 50_000; n++) index.add({ key: name(n) });
    for (let n = 0; n < 50_000; n += 997) expect(index.from(name(n)).next()?.key).toBe(name(n));
    expect(index.from('g').next()).toBeUndefined();
  });
});

function rest(cursor: { next(): { readonly key: string } | undefined }): string[] {
  const keys: string[] = [];
  for (let item = cursor.next(); item !== undefined; item = cursor.next()) keys.push(item.key);
  return keys;
}
