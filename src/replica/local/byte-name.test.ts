import { describe, expect, it } from 'vitest';
import { decodeByteName, encodeByteName, printableByteName } from './byte-name.js';

/** A name as the disk holds it: one character for each byte. */
const bytes = (...values: readonly number[]): string => String.fromCharCode(...values);

describe('decodeByteName', () => {
  it('gives a name of ASCII as it is', () => {
    expect(decodeByteName('plain-name.txt')).toBe('plain-name.txt');
    expect(decodeByteName('')).toBe('');
    expect(decodeByteName(bytes(0x41, 0x7f))).toBe('A\u007f');
  });

  it('reads UTF-8', () => {
    expect(decodeByteName(bytes(0xc3, 0xa9))).toBe('é');
    expect(decodeByteName(bytes(0x61, 0xf0, 0x9f, 0x98, 0x80, 0x62))).toBe('a\u{1F600}b');
  });

  it('keeps a byte order mark, which is part of the name', () => {
    expect(decodeByteName(bytes(0xef, 0xbb, 0xbf, 0x61))).toBe('\uFEFFa');
  });

  it('does not know a name that is no UTF-8, instead of guessing one', () => {
    expect(decodeByteName(bytes(0x61, 0xff))).toBeUndefined();
    expect(decodeByteName(bytes(0xc3))).toBeUndefined();
    expect(decodeByteName(bytes(0xff, 0x61))).toBeUndefined();
    expect(decodeByteName(bytes(0x80))).toBeUndefined();
  });
});

describe('encodeByteName', () => {
  it.each(['plain', '', 'é', 'e\u0301', '\u{1F600}', '\uFEFFx', 'a\u007fb', '\u0080'])(
    'gives the bytes of UTF-8 for %j, which decode to it again',
    (name) => {
      const encoded = encodeByteName(name);
      expect(Buffer.from(encoded, 'latin1')).toEqual(Buffer.from(name, 'utf8'));
      expect(decodeByteName(encoded)).toBe(name);
    },
  );
});

describe('printableByteName', () => {
  it('shows a valid name as it is, with its backslashes', () => {
    expect(printableByteName(encodeByteName('é\\x41'))).toBe('é\\x41');
  });

  it('shows every byte of an invalid name that is no printable ASCII, and the backslash, in two digits', () => {
    expect(printableByteName(bytes(0x61, 0x20, 0x7e, 0xff, 0x00, 0x0a, 0x1f, 0x7f))).toBe(
      'a ~\\xff\\x00\\x0a\\x1f\\x7f',
    );
  });

  it('shows two different invalid names differently', () => {
    expect(printableByteName(bytes(0xff, 0x5c, 0x78, 0x66, 0x66))).toBe('\\xff\\x5cxff');
    expect(printableByteName(bytes(0xff, 0xff))).toBe('\\xff\\xff');
  });
});
