import { describe, expect, it } from 'vitest';
import { PathError } from '../../errors.js';
import { encodeKey, encodeQuery, encodeUriPart } from './uri.js';

describe('encodeUriPart', () => {
  it('leaves the unreserved characters of RFC 3986 alone', () => {
    const unreserved = 'ABCXYZabcxyz0189-._~';
    expect(encodeUriPart(unreserved)).toBe(unreserved);
  });

  it('escapes everything else, in capitals, the five that encodeURIComponent leaves included', () => {
    expect(encodeUriPart(`!'()*`)).toBe('%21%27%28%29%2A');
    expect(encodeUriPart('a b+c/d?e#f%')).toBe('a%20b%2Bc%2Fd%3Fe%23f%25');
    expect(encodeUriPart('é\u{1F600}')).toBe('%C3%A9%F0%9F%98%80');
  });

  it('refuses half of a surrogate pair, which has no UTF-8, and says what to do', () => {
    let thrown: unknown;
    try {
      encodeUriPart('a\uD83D');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(PathError);
    expect(thrown).toMatchObject({
      code: 'ERR_KEY_NOT_UNICODE',
      message: 'A key holds half of a surrogate pair and cannot be sent to the store. Rename the file.',
    });
    expect((thrown as PathError).cause).toBeInstanceOf(URIError);
  });
});

describe('encodeKey', () => {
  it('keeps slashes, and tidies nothing up', () => {
    expect(encodeKey('a//b/./../c d/')).toBe('a//b/./../c%20d/');
    expect(encodeKey('/%2F')).toBe('/%252F');
  });
});

describe('encodeQuery', () => {
  it('is empty for no query', () => {
    expect(encodeQuery({})).toBe('');
  });

  it('sorts by the encoded name, whatever the order given, and encodes both sides', () => {
    expect(encodeQuery({ prefix: 'a/b', 'list-type': '2', delimiter: '/' })).toBe(
      'delimiter=%2F&list-type=2&prefix=a%2Fb',
    );
    expect(encodeQuery({ b: '2', a: '1', c: '3' })).toBe('a=1&b=2&c=3');
    // `~` stands before `é` as a character and after `%C3%A9` when encoded.
    expect(encodeQuery({ '~': '1', é: '2' })).toBe('%C3%A9=2&~=1');
  });

  it('writes a parameter without a value as SigV4 wants it', () => {
    expect(encodeQuery({ uploads: '' })).toBe('uploads=');
  });
});
