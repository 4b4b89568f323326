import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readObjectState } from './object-state.js';
import { encodePartHints, HINTS_HEADER, readPartHints } from './part-hints.js';

const PART = 8 * 1024 * 1024;
const md5 = (text: string): Buffer => createHash('md5').update(text).digest();
const md5sOf = (count: number): string[] => Array.from({ length: count }, (_, i) => md5(`part ${i}`).toString('hex'));
const etagOf = (count: number): string => `${'0'.repeat(32)}-${count}`;

function read(count: number, value: string | undefined, { sizeBytes = count * PART, etag = etagOf(count) } = {}) {
  return readPartHints(readObjectState({ etag, ...(value !== undefined && { [HINTS_HEADER]: value }) }, sizeBytes));
}

describe('encodePartHints', () => {
  it.each([1, 2, 128, 200, 640, 690])('fits into the metadata of an object of %i parts, and is read back', (count) => {
    const value = encodePartHints({ partSizeBytes: PART, md5s: md5sOf(count) }) ?? '';
    expect(HINTS_HEADER.length - 'x-amz-meta-'.length + value.length + 'mtime'.length + 25).toBeLessThan(2048);
    const hints = read(count, value);
    expect(hints).toMatchObject({ partSizeBytes: PART, digest: `md5-${PART}:${etagOf(count)}` });
    for (let i = 0; i < count; i++) expect(hints?.mayBe(i, md5(`part ${i}`)), `part ${i}`).toBe(true);
    expect(hints?.mayBe(0, md5('other'))).toBe(false);
  });

  it('gives none for more parts than there is room for', () => {
    expect(encodePartHints({ partSizeBytes: PART, md5s: md5sOf(691) })).toBeUndefined();
  });
});

describe('readPartHints', () => {
  const value = encodePartHints({ partSizeBytes: PART, md5s: md5sOf(3) });

  it('takes the last part for shorter than the others', () => {
    expect(read(3, value, { sizeBytes: 2 * PART + 1 })).toBeDefined();
  });

  it.each([
    ['an object without any', undefined, {}],
    ['an object of another size', value, { sizeBytes: 3 * PART + 1 }],
    ['an object of another number of parts', value, { etag: etagOf(4) }],
    ['an object that was sent in one piece', value, { etag: '0'.repeat(32) }],
    ['an ETag with more before it', value, { etag: `0${etagOf(3)}` }],
    ['an ETag with more behind it', value, { etag: `${etagOf(3)}-1` }],
    ['an object of no parts', value, { etag: etagOf(0), sizeBytes: 0 }],
    ['a part size of 0', '0:AAAA', {}],
    ['a part size of 0, and no parts', '0:AAAA', { etag: etagOf(0), sizeBytes: 0 }],
    ['something before the part size', `-${value}`, {}],
    ['something behind the hints', `${value} `, {}],
    ['words', 'eight mebibytes', {}],
    ['too few bytes', `${PART}:AAAA`, {}],
    ['more bytes of each part than are ever told', `${PART}:${Buffer.alloc(27).toString('base64')}`, {}],
    ['bytes that are not as many for each part', `${PART}:${Buffer.alloc(100).toString('base64')}`, {}],
    ['a list without end', `${PART}:${'A'.repeat(5000)}`, {}],
  ])('believes nothing of %s', (_what, given, options) => {
    expect(read(3, given, options)).toBeUndefined();
  });
});
