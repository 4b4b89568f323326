import { describe, expect, it } from 'vitest';
import { PageCursor, StreamOrderError } from './page-cursor.js';

async function* pages(...all: readonly (readonly string[])[]): AsyncGenerator<readonly string[]> {
  yield* all;
}
const cursor = (stream: AsyncIterable<readonly string[]>): PageCursor<string> =>
  new PageCursor('local', stream, (item) => item);

async function walk(of: PageCursor<string>): Promise<string[]> {
  const seen: string[] = [];
  await of.load();
  while (of.key !== undefined) {
    expect(of.item).toBe(of.key);
    seen.push(of.key);
    if (!of.advance()) await of.load();
  }
  expect(of.item).toBeUndefined();
  return seen;
}

describe('PageCursor', () => {
  it('gives every item of every page, over empty pages too', async () => {
    expect(await walk(cursor(pages(['a', 'b'], [], [], ['c'], [])))).toEqual(['a', 'b', 'c']);
    expect(await walk(cursor(pages()))).toEqual([]);
    expect(await walk(cursor(pages([], [])))).toEqual([]);
  });

  it('stands at nothing before it was asked to load', () => {
    const fresh = cursor(pages(['a']));
    expect([fresh.key, fresh.item]).toEqual([undefined, undefined]);
    expect(fresh.advance()).toBe(false);
  });

  it.each([
    ['within a page', [['b', 'a']]],
    ['from one page to the next', [['b'], ['a']]],
    ['when one comes twice', [['a'], ['a']]],
    ['in the order of UTF-16, which is another', [['\u{1F600}', '\uFF61']]],
  ])('does not believe a stream that is out of order %s', async (_, all) => {
    await expect(walk(cursor(pages(...all)))).rejects.toBeInstanceOf(StreamOrderError);
  });

  it('follows to the item that comes next, and to no other', async () => {
    const of = cursor(pages(['a', 'b', 'c'], ['d']));
    await of.load();
    expect([of.follow(undefined), of.follow('c'), of.key]).toEqual([false, false, 'a']);
    expect([of.follow('b'), of.key, of.item]).toEqual([true, 'b', 'b']);
    expect(of.advance()).toBe(true);
    // What comes with the next page has to be awaited.
    expect([of.follow('d'), of.key]).toEqual([false, 'c']);
  });

  it('says what came after what', async () => {
    await expect(walk(cursor(pages(['b', 'a'])))).rejects.toMatchObject({
      name: 'StreamOrderError',
      code: 'ERR_STREAM_ORDER',
      message:
        'The local stream is out of order: "a" came after "b", where each path has to come once and in the byte order of UTF-8. The run cannot go on; this is a fault of the store or of its adapter.',
    });
  });

  it('asks for the next page while one is in use, and for no more', async () => {
    let asked = 0;
    const counting = (async function* () {
      for (;;) yield [`${asked++}`];
    })();
    const of = cursor(counting);
    await of.load();
    await new Promise((resolve) => setImmediate(resolve));
    expect([of.key, asked]).toEqual(['0', 2]);
    of.stop();
  });

  it('lets a failure be met by whoever awaits the page, and by nobody else', async () => {
    const failing = (async function* () {
      yield ['a'];
      throw new Error('the listing failed');
    })();
    const of = cursor(failing);
    await of.load();
    await new Promise((resolve) => setImmediate(resolve));
    expect(of.advance()).toBe(false);
    await expect(of.load()).rejects.toThrow('the listing failed');
  });

  describe('stop', () => {
    it('tells the stream, and does not wait', async () => {
      let stopped = false;
      const of = cursor({
        [Symbol.asyncIterator]: () => ({
          next: async () => ({ done: false as const, value: ['a'] }),
          return: () => {
            stopped = true;
            return new Promise(() => {});
          },
        }),
      });
      await of.load();
      of.stop();
      expect(stopped).toBe(true);
    });

    it('is no trouble for a stream that cannot be told, or fails at it', async () => {
      const next = async () => ({ done: false as const, value: ['a'] });
      const mute = cursor({ [Symbol.asyncIterator]: () => ({ next }) });
      expect(() => mute.stop()).not.toThrow();
      const failing = cursor({
        [Symbol.asyncIterator]: () => ({ next, return: () => Promise.reject(new Error('cannot be stopped')) }),
      });
      failing.stop();
      await new Promise((resolve) => setImmediate(resolve));
    });
  });
});
