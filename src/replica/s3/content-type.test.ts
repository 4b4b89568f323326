import { describe, expect, it } from 'vitest';
import { contentTypeOf } from './content-type.js';

describe('contentTypeOf', () => {
  it.each([
    ['photos/a.JPG', 'image/jpeg'],
    ['a.txt', 'text/plain'],
    ['archive.unknown', 'application/octet-stream'],
    ['no-extension', 'application/octet-stream'],
    ['constructor', 'application/octet-stream'],
    ['__proto__', 'application/octet-stream'],
    ['x.constructor', 'application/octet-stream'],
    ['a/b.__proto__', 'application/octet-stream'],
    ['toString', 'application/octet-stream'],
  ])('gives %s the type %s', (path, type) => {
    expect(contentTypeOf(path)).toBe(type);
  });
});
