import { describe, expect, it } from 'vitest';
import { readBody } from './read-body.js';
import type { S3Response } from './transport.js';
import { WholeBody } from './whole-body.js';

const answer = (body: AsyncIterable<Uint8Array>): S3Response => ({ status: 200, headers: {}, body });
async function* chunks(...sent: readonly string[]): AsyncGenerator<Uint8Array> {
  // One piece of memory for all, as over a connection.
  const memory = new Uint8Array(8);
  for (const text of sent) {
    memory.set(Buffer.from(text));
    yield memory.subarray(0, text.length);
  }
}

describe('readBody', () => {
  it('reads a body that comes in pieces, and keeps none of their memory', async () => {
    expect(Buffer.from(await readBody(answer(chunks('ab', 'c')), 3)).toString()).toBe('abc');
    expect(Buffer.from(await readBody(answer(chunks('ab')), 3)).toString()).toBe('ab');
    expect(await readBody(answer(chunks()), 3)).toHaveLength(0);
  });

  it('takes a body as it is that has come already', async () => {
    const bytes = new Uint8Array([1, 2, 3]);
    expect(await readBody(answer(new WholeBody(bytes)), 3)).toBe(bytes);
  });

  it.each<[string, () => AsyncIterable<Uint8Array>]>([
    ['that has come already', () => new WholeBody(new Uint8Array(4))],
    ['that comes in pieces', () => chunks('ab', 'cd')],
  ])('refuses one %s, and is too long', async (_, body) => {
    await expect(readBody(answer(body()), 3)).rejects.toMatchObject({ code: 'ERR_S3_BAD_ANSWER' });
    await expect(readBody(answer(body()), 3, () => new Error('ours'))).rejects.toThrow('ours');
  });
});

describe('WholeBody', () => {
  const read = async (body: WholeBody): Promise<number[]> => {
    const lengths: number[] = [];
    for await (const chunk of body) lengths.push(chunk.length);
    return lengths;
  };

  it('is read once, as any body', async () => {
    const body = new WholeBody(new Uint8Array(3));
    expect(body).toHaveLength(3);
    expect(await read(body)).toEqual([3]);
    expect(body).toHaveLength(0);
    expect([await read(body), body.take()]).toEqual([[], new Uint8Array(0)]);
  });

  it('has no chunk when it is empty', async () => {
    expect(await read(new WholeBody(new Uint8Array(0)))).toEqual([]);
  });
});
