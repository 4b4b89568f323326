import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ListedObject, scanListing } from './list-scanner.js';
import { decodeListedKey } from './url-decode.js';
import { childText, readXml } from './xml-reader.js';

const escape = (text: string): string => text.replaceAll(/[&<>"'\r\n\t]/g, (c) => `&#${c.charCodeAt(0)};`);

interface Page {
  readonly objects: readonly ListedObject[];
  readonly isTruncated: boolean;
  readonly nextToken: string | undefined;
}

/** Writes a page as stores do, with what only some of them add. */
function writePage({ objects, isTruncated, nextToken }: Page, gap = ''): string {
  const contents = objects.map(
    ({ key, sizeBytes, etag, lastModified }) =>
      `<Contents>${gap}<Key>${escape(key)}</Key><LastModified>${lastModified}</LastModified>${gap}<ETag>&quot;${etag}&quot;</ETag><Size>${sizeBytes}</Size>` +
      `<Owner>${gap}<ID>me</ID><DisplayName/></Owner><StorageClass>STANDARD</StorageClass><Type>Normal</Type>${gap}</Contents>${gap}`,
  );
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${gap}<Name>b</Name><Prefix/><KeyCount>${objects.length}</KeyCount>` +
    `<MaxKeys>1000</MaxKeys><IsTruncated>${isTruncated}</IsTruncated>${contents.join('')}${nextToken === undefined ? '' : `<NextContinuationToken>${escape(nextToken)}</NextContinuationToken>`}</ListBucketResult>`
  );
}

const object = fc.record({
  key: fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }).filter((key) => !/\p{Surrogate}/u.test(key)),
  sizeBytes: fc.nat({ max: 2 ** 43 }),
  etag: fc.stringMatching(/^[0-9a-f]{32}(-\d{1,4})?$/),
  lastModified: fc.constantFrom('2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05Z'),
});
const page = fc.record({
  objects: fc.array(object, { maxLength: 8 }),
  isTruncated: fc.boolean(),
  nextToken: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
});

/** Whether a document is refused as it should be: by our own error, and quickly. */
function refuses(xml: string): boolean {
  try {
    scanListing(xml);
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_S3_BAD_ANSWER' });
    return true;
  }
}

const SAMPLE = writePage({
  objects: [{ key: 'a&b', sizeBytes: 1, etag: 'e', lastModified: 't' }],
  isTruncated: false,
  nextToken: undefined,
});

describe('scanListing', () => {
  it('reads back whatever was written', () => {
    fc.assert(
      fc.property(page, fc.constantFrom('', '\n  ', '\r\n\t'), (written, gap) => {
        const read = scanListing(writePage(written, gap));
        expect(read.objects).toEqual(written.objects);
        expect(read.isTruncated).toBe(written.isTruncated);
        expect(read.nextToken).toBe(written.nextToken);
        expect(read.keyCount).toBe(written.objects.length);
      }),
      { numRuns: 500 },
    );
  });

  it('agrees with a parser that builds a tree', () => {
    fc.assert(
      fc.property(page, (written) => {
        const xml = writePage(written);
        const tree = readXml(xml)
          .children.filter(({ name }) => name === 'Contents')
          .map((contents) => ({
            key: childText(contents, 'Key'),
            sizeBytes: Number(childText(contents, 'Size')),
            etag: childText(contents, 'ETag')?.replaceAll('"', ''),
            lastModified: childText(contents, 'LastModified'),
          }));
        expect(scanListing(xml).objects).toEqual(tree);
      }),
    );
  });

  it('refuses every document that is cut short', () => {
    for (let length = 0; length < SAMPLE.length; length++)
      expect(refuses(SAMPLE.slice(0, length)), SAMPLE.slice(0, length)).toBe(true);
    expect(refuses(SAMPLE)).toBe(false);
  });

  it.each([
    [
      'a document type with entities',
      SAMPLE.replace('<ListBucketResult', '<!DOCTYPE x [<!ENTITY a "aaaa">]><ListBucketResult'),
    ],
    ['an entity that is not one of the five', SAMPLE.replace('a&#38;b', 'a&b;b')],
    ['an entity that does not end', SAMPLE.replace('a&#38;b', 'a&amp b')],
    ['a character that does not exist', SAMPLE.replace('a&#38;b', '&#x110000;')],
    ['half of a surrogate pair', SAMPLE.replace('a&#38;b', '&#xD800;')],
    ['a comment', SAMPLE.replace('<Name>', '<!-- x --><Name>')],
    ['marked text', SAMPLE.replace('a&#38;b', '<![CDATA[x]]>')],
    ['an element within a key', SAMPLE.replace('a&#38;b', '<b>x</b>')],
    ['an unknown element that holds others', SAMPLE.replace('<Type>Normal</Type>', '<New><Key>x</Key></New>')],
    ['objects within objects', SAMPLE.replace('<Type>Normal</Type>', '<Contents></Contents>')],
    ['a second key', SAMPLE.replace('<Type>Normal</Type>', '<Key>x</Key>')],
    ['an object without a key', SAMPLE.replace('<Key>a&#38;b</Key>', '')],
    ['an object without a size', SAMPLE.replace('<Size>1</Size>', '')],
    ['a size that is none', SAMPLE.replace('<Size>1</Size>', '<Size>-1</Size>')],
    ['a size in words', SAMPLE.replace('<Size>1</Size>', '<Size>1e3</Size>')],
    ['no word on whether there is more', SAMPLE.replace('<IsTruncated>false</IsTruncated>', '')],
    ['another word on whether there is more', SAMPLE.replace('>false<', '>maybe<')],
    ['contradicting words on it', SAMPLE.replace('<Name>', '<IsTruncated>true</IsTruncated><Name>')],
    ['attributes', SAMPLE.replace('<Key>', '<Key a="b">')],
    ['text between elements', SAMPLE.replace('<Name>', 'x<Name>')],
    ['something after the end', `${SAMPLE}<x/>`],
    ['another document', SAMPLE.replaceAll('ListBucketResult', 'ListBucketResults')],
    ['a web page', '<!doctype html><html><body>hello</body></html>'],
    ['ends in the wrong order', '<ListBucketResult><Contents><Key>a</Contents></Key></ListBucketResult>'],
    ['nothing', ''],
  ])('refuses %s', (_what, xml) => {
    expect(xml).not.toBe(SAMPLE);
    expect(refuses(xml)).toBe(true);
  });

  it('never does anything but answer or refuse, whatever the document', () => {
    const pieces = fc.constantFrom(
      '<',
      '>',
      '/',
      '&',
      ';',
      'Key',
      '<Contents>',
      '</Contents>',
      '<Key>',
      '</Key>',
      '<IsTruncated>',
      'true',
      '<ListBucketResult>',
      '</ListBucketResult>',
      '<Owner>',
      '"',
      ' ',
      '\u0000',
      '&#',
      '1',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(pieces, fc.string()), { maxLength: 40 }),
        fc.nat({ max: SAMPLE.length }),
        fc.nat({ max: 20 }),
        (parts, at, drop) => {
          refuses(parts.join(''));
          refuses(SAMPLE.slice(0, at) + parts.slice(0, 3).join('') + SAMPLE.slice(at + drop));
        },
      ),
      { numRuns: Number(process.env['FCS_FUZZ_RUNS'] ?? 3000) },
    );
  });

  it('takes time in proportion to the length, for hostile documents too', () => {
    const costMs = (xml: string): number => {
      const start = process.cpuUsage();
      refuses(xml);
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    };
    for (const make of [
      (n: number) => '<'.repeat(n),
      (n: number) => `<ListBucketResult>${'<Owner>'.repeat(n)}`,
      (n: number) => `<ListBucketResult>${' '.repeat(n)}`,
      (n: number) => `<ListBucketResult><Key>${'&#38;'.repeat(n)}`,
      (n: number) => `<ListBucketResult><Contents><Key>${'&'.repeat(n)}</Key>`,
      (n: number) => ' '.repeat(n),
      (n: number) => `<?xml ${'?'.repeat(n)}`,
    ]) {
      costMs(make(1000));
      // A quadratic scanner would need minutes.
      expect(costMs(make(1_000_000))).toBeLessThan(2_000);
    }
  });
});

describe('decodeListedKey', () => {
  it('takes both ways to write a space, and nothing else for one', () => {
    expect(decodeListedKey('a+b%20c%2Bd')).toBe('a b c+d');
    expect(decodeListedKey('plain/key')).toBe('plain/key');
    expect(decodeListedKey('%F0%9F%98%80%2e%2E')).toBe('\u{1F600}..');
  });

  it('has no name for bytes that are not UTF-8', () => {
    for (const encoded of ['%FF', 'a%C3', '%', '%zz', '%ED%A0%80']) expect(decodeListedKey(encoded)).toBe(undefined);
  });
});
