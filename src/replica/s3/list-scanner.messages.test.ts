import { describe, expect, it } from 'vitest';
import { scanListing } from './list-scanner.js';

const ROOT = '<ListBucketResult>';
const NO_MORE = '<IsTruncated>false</IsTruncated>';
const END = '</ListBucketResult>';
const whole = (inner: string): string => `${ROOT}${NO_MORE}${inner}${END}`;
const object = (inner: string): string => `${ROOT}<Contents>${inner}</Contents>${NO_MORE}${END}`;
const KEY = '<Key>k</Key>';
const SIZE = '<Size>1</Size>';
const TIME = '<LastModified>t</LastModified>';
const INCOMPLETE = 'an object without key, size or time at character 28';

describe('scanListing', () => {
  it.each<[string, string]>([
    [' ', 'the document is cut short at character 1'],
    [ROOT, 'the document is cut short at character 18'],
    [`${ROOT}\n<Key`, 'the document is cut short at character 19'],
    [`${ROOT}<Name>b`, 'the document is cut short at character 24'],
    [`${ROOT}x`, 'text between elements at character 18'],
    ['<Error>', '"Error" instead of a listing at character 0'],
    ['<ListBucketResult2>', '"ListBucketResult2" instead of a listing at character 0'],
    [
      '<ListBucketResult xmlns="x" y>',
      String.raw`"ListBucketResult xmlns=\"x\" y" instead of a listing at character 0`,
    ],
    [
      '<x ListBucketResult xmlns="x">',
      String.raw`"x ListBucketResult xmlns=\"x\"" instead of a listing at character 0`,
    ],
    [`${ROOT}${END}`, 'no word on whether there is more at character 37'],
    [`${whole('')}x`, 'something after the end at character 69'],
    [whole(NO_MORE), 'a second IsTruncated at character 82'],
    [whole('<NextContinuationToken/>'), 'the unexpected "NextContinuationToken" at character 74'],
    [
      whole('<NextContinuationToken>a</NextContinuationToken>'.repeat(2)),
      'a second NextContinuationToken at character 146',
    ],
    [`${ROOT}<IsTruncated>yes</IsTruncated>${END}`, 'neither true nor false at character 48'],
    [whole('<KeyCount>1e3</KeyCount>'), 'a number that is none at character 74'],
    [whole('<KeyCount>x1</KeyCount>'), 'a number that is none at character 73'],
    [whole('<KeyCount></KeyCount>'), 'a number that is none at character 71'],
    [whole('<Name>b<i/></Name>'), 'an element within "Name" at character 57'],
    [whole('<Name>b</Nam></Name>'), 'an element within "Name" at character 57'],
    [whole('<Name>b</Namee>'), 'an element within "Name" at character 57'],
    [whole('<Name>b<-Name>'), 'an element within "Name" at character 57'],
    [whole('<Key>x</Key>'), 'the unexpected "Key" at character 55'],
    [whole('<Key/>'), 'the unexpected "Key" at character 56'],
    [whole('<a-b>x</a-b>'), 'the unexpected "a-b" at character 55'],
    [whole('<1>x</1>'), 'the unexpected "1" at character 53'],
    [whole('<-a/>'), 'the unexpected "-a" at character 55'],
    [whole(`<${'n'.repeat(65)}>`), `the unexpected "${'n'.repeat(40)}" at character 117`],
    [whole('<\u001B[31mred\u00FF>'), 'the unexpected "?[31mred?" at character 61'],
    [object(''), INCOMPLETE],
    [object(KEY + SIZE), INCOMPLETE],
    [object(KEY + TIME), INCOMPLETE],
    [object(SIZE + TIME), INCOMPLETE],
    [object(`<Key></Key>${SIZE}${TIME}`), INCOMPLETE],
    [object(KEY + KEY), 'a second Key at character 52'],
    [object(SIZE + SIZE), 'a second Size at character 56'],
    [object(TIME + TIME), 'a second LastModified at character 88'],
    [object('<ETag>a</ETag><ETag>b</ETag>'), 'a second ETag at character 56'],
    [object('<Size>-1</Size>'), 'a number that is none at character 43'],
    [object(`<Size>${'1'.repeat(16)}</Size>`), 'a number that is none at character 57'],
    [object('<ETag>&foo;</ETag>'), 'an entity that is not allowed at character 46'],
    [object('<Key>&#xD800;</Key>'), 'a character that does not exist at character 33'],
    [object('<Owner>x</Owner>'), 'text between elements at character 35'],
    [object('<Owner><Key>x</Key></Owner>'), 'the unexpected "Key" at character 40'],
    [object('<RestoreStatus><ETag/></RestoreStatus>'), 'the unexpected "ETag" at character 50'],
    [object('<Other><a>x</a></Other>'), 'an element within "Other" at character 35'],
    [`${ROOT}<Contents><Contents>`, 'the unexpected "Contents" at character 38'],
    [`${ROOT}<Contents><Owner>`, 'the document is cut short at character 35'],
    ...['ListBucketResult', 'Contents', 'Key', 'Size', 'ETag', 'IsTruncated', 'NextContinuationToken'].map(
      (name): [string, string] => [
        object(`<Owner><${name}>`),
        `the unexpected "${name}" at character ${37 + name.length}`,
      ],
    ),
  ])('refuses %j, and says why and where', (xml, what) => {
    expect(() => scanListing(xml)).toThrow(
      expect.objectContaining({
        code: 'ERR_S3_BAD_ANSWER',
        message: expect.stringContaining(`that cannot be trusted: ${what}. Nothing was concluded`),
        retryable: true,
      }),
    );
  });

  it('passes over what it does not know, with or without content, and over what belongs to others', () => {
    const inner = `${KEY}<Owner><ID>me</ID><DisplayName/>\n</Owner>${SIZE}<RestoreStatus><a>x</a></RestoreStatus>${TIME}<x/>`;
    expect(scanListing(object(inner))).toEqual({
      objects: [{ key: 'k', sizeBytes: 1, etag: '', lastModified: 't' }],
      isTruncated: false,
      nextToken: undefined,
      urlEncoded: false,
      keyCount: undefined,
    });
  });

  it.each([
    ['<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'],
    ['<ListBucketResult xmlns="" >'],
    [`<ListBucketResult \n xmlns="${'x'.repeat(200)}"\t>`],
  ])('knows the root by %j', (root) => {
    expect(scanListing(`${root}${NO_MORE}${END}\n`).isTruncated).toBe(false);
  });

  it.each([
    ['url', true],
    ['none', false],
    ['', false],
  ])('reads the encoding "%s"', (encoding, urlEncoded) => {
    expect(scanListing(whole(`<EncodingType>${encoding}</EncodingType>`)).urlEncoded).toBe(urlEncoded);
  });

  it('reads the count, the token and whether there is more', () => {
    const text = `${ROOT}<KeyCount>12</KeyCount><IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>${END}`;
    expect(scanListing(text)).toMatchObject({ keyCount: 12, isTruncated: true, nextToken: 'a&b' });
    expect(scanListing(whole('<NextContinuationToken></NextContinuationToken>')).nextToken).toBeUndefined();
  });

  it.each([
    ['&quot;abc&quot;', 'abc'],
    ['"abc"', 'abc'],
    ['abc', 'abc'],
    ['&quot;', ''],
    ['&quot;&quot;', ''],
    ['&quot;a&amp;b&quot;', 'a&b'],
    ['&quot;abc', 'abc'],
    ['abc&quot;', 'abc'],
    ['&#34;abc&#34;', 'abc'],
  ])('takes the quotes off the ETag %s', (raw, etag) => {
    expect(scanListing(object(`${KEY}${SIZE}${TIME}<ETag>${raw}</ETag>`)).objects[0]?.etag).toBe(etag);
  });
});
