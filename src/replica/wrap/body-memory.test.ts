import { describe, expect, it } from 'vitest';
import { createBodyMemory } from './body-memory.js';
import { plainHasher } from './plain-hasher.js';

const MIB = 1024 * 1024;

describe('createBodyMemory', () => {
  it('lends the same memory again once it is quiet', async () => {
    const memory = createBodyMemory(8 * MIB, plainHasher);
    const other = await memory.take(MIB);
    const first = await memory.take(2 * MIB);
    first.release(true);
    const second = await memory.take(2 * MIB);
    expect(second.bytes === first.bytes).toBe(true);
    // Given back by who has it no more: it is not lent to two.
    first.release(true);
    expect((await memory.take(2 * MIB)).bytes === second.bytes).toBe(false);
    other.release(true);
  });

  it('never lends again what somebody may still be reading', async () => {
    const memory = createBodyMemory(8 * MIB, plainHasher);
    const other = await memory.take(MIB);
    const first = await memory.take(2 * MIB);
    first.release(false);
    expect((await memory.take(2 * MIB)).bytes === first.bytes).toBe(false);
    other.release(true);
  });

  it('keeps nothing once nothing is lent, nor memory of other sizes beyond its bound', async () => {
    const memory = createBodyMemory(4 * MIB, plainHasher);
    const first = await memory.take(2 * MIB);
    first.release(true);
    const again = await memory.take(2 * MIB);
    expect(again.bytes === first.bytes).toBe(false);
    const small = await memory.take(MIB);
    again.release(true);
    const large = await memory.take(3 * MIB);
    small.release(true);
    expect((await memory.take(MIB)).bytes === small.bytes).toBe(true);
    large.release(true);
    expect((await memory.take(2 * MIB)).bytes === again.bytes).toBe(false);
  });

  it('waits for memory that is lent, and lets go of who waits when told to', async () => {
    const memory = createBodyMemory(2 * MIB, plainHasher);
    const first = await memory.take(2 * MIB);
    const controller = new AbortController();
    const given = memory.take(MIB, controller.signal);
    const next = memory.take(2 * MIB);
    controller.abort();
    await expect(given).rejects.toMatchObject({ name: 'AbortError' });
    first.release(false);
    expect((await next).bytes).toHaveLength(2 * MIB);
  });
});
