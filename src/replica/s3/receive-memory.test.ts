import { describe, expect, it } from 'vitest';
import { createReceiveMemory } from './receive-memory.js';

const KIB = 1024;

describe('createReceiveMemory', () => {
  it.each([
    [1, 1],
    [64 * KIB, 64 * KIB],
    [64 * KIB + 1, 256 * KIB],
    [0, 256 * KIB],
    [undefined, 256 * KIB],
  ])('has for a body of %s bytes %i', (expected, found) => {
    expect(createReceiveMemory().take(expected)).toHaveLength(found);
  });

  it('copies small bodies one after the other, into memory that no other has', () => {
    const memory = createReceiveMemory();
    const bodies = Array.from({ length: 300 }, (_, i) => Buffer.alloc((i * 977) % (8 * KIB), i));
    const copies = bodies.map((body) => memory.copy(body));
    for (const body of bodies) body.fill(255);
    const own = memory.take(100).fill(254);
    copies.forEach((copy, i) => expect(Buffer.from(copy)).toEqual(Buffer.alloc((i * 977) % (8 * KIB), i)));
    expect(Array.from(own)).toEqual(Array.from({ length: 100 }, () => 254));
    expect(new Set(copies.map(({ buffer }) => buffer)).size).toBeLessThan(8);
  });

  it('uses again what was given back, up to 8 MiB of it, and nothing small', () => {
    const memory = createReceiveMemory();
    const taken = Array.from({ length: 40 }, () => memory.take(undefined));
    memory.give(memory.take(100));
    for (const bytes of taken) memory.give(bytes);
    const again = Array.from({ length: 40 }, () => memory.take(undefined));
    expect(again.filter((bytes) => taken.includes(bytes))).toHaveLength(32);
    expect(new Set(again).size).toBe(40);
  });
});
