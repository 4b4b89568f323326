import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { createMd5Lanes, type Md5Lanes, type WebAssemblyPart } from './md5-lanes.js';
import { LANE_COUNTS, md5LanesModule } from './md5-lanes-module.js';

const { WebAssembly: wasm } = globalThis as unknown as {
  WebAssembly: WebAssemblyPart & { validate(bytes: Uint8Array): boolean };
};
const module = md5LanesModule();
const started = createMd5Lanes(wasm, module, createHash);
const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');
const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

function lanesOf(messages: readonly Uint8Array[], can: (message: number, position: number) => boolean = () => true) {
  if (started === undefined) throw new Error('it does not run here');
  const read: Parameters<Md5Lanes>[1] = (message, target, position) => {
    const bytes = messages[message]?.subarray(position, position + target.length);
    if (bytes?.length !== target.length) throw new Error('it reads what is not there');
    target.set(bytes);
    return can(message, position);
  };
  return started(
    messages.map(({ length }) => length),
    read,
  ).map(hex);
}

/** Bytes that do not repeat soon. */
function bytesOf(length: number, seed: number): Uint8Array {
  let state = seed * 2654435761 + 1;
  return Uint8Array.from({ length }, () => (state = Math.imul(state, 1664525) + 1013904223) >>> 24);
}

describe('md5LanesModule', () => {
  it('is valid, and the same each time', () => {
    expect(wasm.validate(module)).toBe(true);
    expect(Buffer.from(md5LanesModule()).equals(module)).toBe(true);
  });
});

describe('createMd5Lanes', () => {
  it('makes the digests of RFC 1321', () => {
    const texts = [
      '',
      'a',
      'abc',
      'message digest',
      'abcdefghijklmnopqrstuvwxyz',
      'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
      '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
    ];
    expect(lanesOf(texts.map((text) => Buffer.from(text)))).toEqual([
      'd41d8cd98f00b204e9800998ecf8427e',
      '0cc175b9c0f1b6a831c399e269772661',
      '900150983cd24fb0d6963f7d28e17f72',
      'f96b697d7cb7938d525a2f31aaf161d0',
      'c3fcd3d76192e4007dfb496cca67e13b',
      'd174ab98d277d9f5a5611c2c9f419d9f',
      '57edf4a22be3c955ac49da2e2107b67a',
    ]);
  });

  it.each([1, 2, 3, ...LANE_COUNTS, 5, 9, 17])('makes those of %i messages, in their order', (count) => {
    const messages = Array.from({ length: count }, (_, i) => bytesOf(200_000, i));
    expect(lanesOf(messages)).toEqual(messages.map(md5));
  });

  it('makes those of messages of any lengths', () => {
    const length = fc.oneof(fc.nat(200), fc.nat(70_000), fc.constantFrom(65_535, 65_536, 65_537, 131_072, 131_127));
    fc.assert(
      fc.property(fc.array(length, { maxLength: 10 }), fc.nat(1000), (lengths, seed) => {
        const messages = lengths.map((each, i) => bytesOf(each, seed + i));
        expect(lanesOf(messages)).toEqual(messages.map(md5));
      }),
      { numRuns: 60 },
    );
  });

  it('has none of a message that cannot be read to its end, and those of all others', () => {
    const messages = [300_000, 70_000, 300_010, 10, 0, 300_000].map(bytesOf);
    for (const at of [0, 65_536, 262_144, 299_968]) {
      const found = lanesOf(messages, (message, position) => message !== 0 || position < at);
      expect(found).toEqual(messages.map((message, i) => (i === 0 ? undefined : md5(message))));
    }
    expect(lanesOf(messages, () => false)).toEqual(messages.map(() => undefined));
  });

  it('is not there where it does not run, or makes other digests', () => {
    expect(createMd5Lanes(undefined, module, createHash)).toBeUndefined();
    expect(createMd5Lanes(wasm, module.subarray(0, -1), createHash)).toBeUndefined();
    // The first constant of the first step, which is the same in both functions.
    const constant = Buffer.from([0x78, 0xa4, 0x6a, 0xd7]);
    const other = Buffer.from(module);
    const at = other.lastIndexOf(constant);
    expect(at).toBeGreaterThan(0);
    other[at] = 0x79;
    expect(wasm.validate(other)).toBe(true);
    expect(createMd5Lanes(wasm, other, createHash)).toBeUndefined();
  });
});
