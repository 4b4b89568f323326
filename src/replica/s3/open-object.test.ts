import { describe, expect, it } from 'vitest';
import { s3World } from '../../../test/replica-s3/s3-world.js';
import { openObject } from './open-object.js';

/** Opens an object that holds so many bytes. */
async function opened(sizeBytes: number, trustWholeReads: boolean) {
  const world = s3World({ etagIsMd5: true });
  const text = 'x'.repeat(sizeBytes);
  await world.place.put('a.txt', text);
  const { entry } = await world.seen('a.txt');
  return { world, text, source: await openObject({ ...world.context, trustWholeReads }, entry, undefined) };
}

describe('openObject', () => {
  it.each([
    [true, []],
    [false, ['HEAD a.txt']],
  ])(
    'has a small file at hand, which is verified where one answer is trusted (%s) without asking again',
    async (trusted, asked) => {
      const { world, text, source } = await opened(100, trusted);
      expect(world.asked).toEqual(['GET a.txt']);
      world.asked.length = 0;
      expect(Buffer.from(source.content?.() ?? []).toString()).toBe(text);
      await source.verify();
      expect(world.asked).toEqual(asked);
      await source.close();
      expect(source.content?.()).toBeUndefined();
    },
  );

  it('asks again before a small file counts of which nothing was taken', async () => {
    const { world, source } = await opened(100, true);
    world.asked.length = 0;
    await source.verify();
    expect(world.asked).toEqual(['HEAD a.txt']);
  });

  it.each(['aws:kms', 'aws:kms:dsse'])(
    'takes no ETag for a digest that has nothing to do with the content (%s)',
    async (encryption) => {
      const world = s3World({ etagIsMd5: 'unless-encrypted' });
      await world.place.put('a.txt', 'x');
      const { entry } = await world.seen('a.txt');
      world.on('GET a.txt', { moreHeaders: { 'x-amz-server-side-encryption': encryption } });
      const listed = { ...entry, digest: `md5:${'0'.repeat(32)}` };
      const source = await openObject(world.context, listed, undefined);
      const { digest: _none, ...rest } = entry;
      expect(source.entry).toStrictEqual(rest);
      expect(world.context.dialect.etagIsMd5).toBe(false);
      await source.close();
    },
  );

  it('has nothing of a larger one at hand', async () => {
    const { world, source } = await opened(300_000, true);
    expect(source.content?.()).toBeUndefined();
    world.asked.length = 0;
    await source.verify();
    expect(world.asked).toEqual(['HEAD a.txt']);
  });
});
