import { describe, expect, it } from 'vitest';
import { readBody } from './read-body.js';
import type { ResponseBody, S3Response } from './transport.js';

const answer = (body: ResponseBody): S3Response => ({ status: 200, headers: {}, body });
const notRead: ResponseBody = {
  [Symbol.asyncIterator]: () => {
    throw new Error('it was read');
  },
};
const chunks = (...sent: readonly string[]): ResponseBody => ({
  async *[Symbol.asyncIterator]() {
    // One piece of memory for all, as over a connection.
    const memory = new Uint8Array(8);
    for (const text of sent) {
      memory.set(Buffer.from(text));
      yield memory.subarray(0, text.length);
    }
  },
});

describe('readBody', () => {
  it('takes a body whole that has come already', async () => {
    const bytes = new Uint8Array([1, 2, 3]);
    expect(await readBody(answer({ ...notRead, takeWhole: () => bytes }), 3)).toBe(bytes);
  });

  it.each(['that cannot be taken whole', 'that has not come yet'])('reads one %s', async (which) => {
    const body = chunks('ab', 'c');
    const response = answer(which === 'that has not come yet' ? { ...body, takeWhole: () => undefined } : body);
    expect(Buffer.from(await readBody(response, 3)).toString()).toBe('abc');
  });

  it.each<[string, ResponseBody]>([
    ['whole', { ...notRead, takeWhole: () => new Uint8Array(4) }],
    ['in pieces', chunks('ab', 'cd')],
  ])('refuses one that is too long, %s', async (_, body) => {
    await expect(readBody(answer(body), 3)).rejects.toMatchObject({ code: 'ERR_S3_BAD_ANSWER' });
    await expect(readBody(answer(body), 3, () => new Error('ours'))).rejects.toThrow('ours');
  });
});
