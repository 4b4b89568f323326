import { describe, expect, it } from 'vitest';
import { digestPage, isSamePage, type PageDigest } from './page-digest.js';

const object = (key: string, etag = 'e', time = '2026-01-01T00:00:00Z'): string =>
  `<Contents><Key>${key}</Key><LastModified>${time}</LastModified><ETag>"${etag}"</ETag><Size>3</Size></Contents>`;
const END = '<IsTruncated>false</IsTruncated>';
const MORE = '<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>';
const page = (contents: string, end = END, head = '<EncodingType>url</EncodingType>'): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult>${head}${contents}${end}</ListBucketResult>`;

function digestOf(xml: string): PageDigest {
  const digest = digestPage(xml);
  if (digest === undefined) throw new Error(`there is no digest of ${xml}`);
  return digest;
}

describe('digestPage', () => {
  const known = digestOf(page(object('a') + object('b')));
  const isSame = (xml: string): boolean => isSamePage(known, digestPage(xml));

  it.each([
    ['as it was', page(object('a') + object('b'))],
    [
      'asked for in another way',
      page(object('a') + object('b'), END, '<StartAfter>0</StartAfter><EncodingType>url</EncodingType>'),
    ],
    ['counted', page(object('a') + object('b'), `${END}<KeyCount>2</KeyCount>`)],
    ['with what is no object before it', page(object('a') + object('b'), '', `<EncodingType>url</EncodingType>${END}`)],
  ])('knows a page again that is %s', (_what, xml) => {
    expect(isSame(xml)).toBe(true);
  });

  it('knows a page again that is not the last, whatever token comes after it', () => {
    const more = digestOf(page(object('a'), MORE));
    expect(isSamePage(more, digestPage(page(object('a'), MORE.replace('>t<', '>other<'))))).toBe(true);
  });

  it.each([
    ['has no object', page('')],
    ['has one less', page(object('a'))],
    ['has one more', page(object('a') + object('b') + object('c'))],
    ['has another order', page(object('b') + object('a'))],
    ['has another ETag', page(object('a') + object('b', 'f'))],
    ['has another time', page(object('a') + object('b', 'e', '2026-01-01T00:00:01Z'))],
    ['is not the last any more', page(object('a') + object('b'), MORE)],
    ['writes its keys in another way', page(object('a') + object('b'), END, '')],
  ])('tells from it a page that %s', (_what, xml) => {
    expect(isSame(xml)).toBe(false);
  });

  it('knows an empty page again', () => {
    expect(isSamePage(digestOf(page('')), digestPage(page('')))).toBe(true);
  });

  it('makes none where objects and other things are mixed', () => {
    const mixed = page(`${object('a')}${END}${object('b')}`, '');
    expect(digestPage(mixed)).toBeUndefined();
    expect(isSame(mixed)).toBe(false);
  });

  it.each([
    ['is cut short', page(object('a') + object('b')).slice(0, -4)],
    ['is none', '<html><IsTruncated>false</IsTruncated></html>'],
    ['says twice whether there is more', page(object('a'), END + END)],
  ])('refuses a listing that %s', (_what, xml) => {
    expect(() => digestPage(xml)).toThrow(expect.objectContaining({ code: 'ERR_S3_BAD_ANSWER' }));
  });
});
