import { describe, expect, it } from 'vitest';
import { s3World, type S3World } from '../../../test/replica-s3/s3-world.js';
import { observeObject } from './observe-object.js';

/** How a look at the bucket is called in {@link S3World.asked}. */
const LIST = 'GET ';
const listings = ({ asked }: S3World): number => asked.filter((name) => name === LIST).length;

describe('observeObject', () => {
  it('asks for the bucket only where nothing stands', async () => {
    const world = s3World();
    await world.place.put('a', 'text');
    expect(await observeObject(world.context, 'a', undefined)).toMatchObject({ kind: 'file', path: 'a', sizeBytes: 4 });
    expect(world.asked).toEqual(['HEAD a']);
    expect(await observeObject(world.context, 'b', undefined)).toBeNull();
    expect(world.asked).toEqual(['HEAD a', 'HEAD b', LIST]);
  });

  it('looks at the bucket once for all that were found to be gone before the look began', async () => {
    const world = s3World();
    const paths = Array.from({ length: 50 }, (_, i) => `gone-${i}`);
    const found = await Promise.all(paths.map((path) => observeObject(world.context, path, undefined)));
    expect(found).toEqual(paths.map(() => null));
    expect(listings(world)).toBe(1);
  });

  it('believes nobody that an object is gone when the bucket went meanwhile', async () => {
    const world = s3World();
    let whileLooking: Promise<unknown> | undefined;
    // The bucket was there when the first look was answered, and is not when the second object is asked for.
    world.on(LIST, {
      after: () => {
        whileLooking = observeObject(world.context, 'second', undefined).catch((error: unknown) => error);
      },
    });
    world.on(LIST, { status: 404, code: 'NoSuchBucket' }, 2, true);
    expect(await observeObject(world.context, 'first', undefined)).toBeNull();
    expect(await whileLooking).toMatchObject({ code: 'ERR_S3_BUCKET_NOT_FOUND' });
  });

  it('does not share a look that somebody else may cut off', async () => {
    const world = s3World();
    const cut = new AbortController();
    const theirs = observeObject(world.context, 'a', cut.signal);
    const ours = observeObject(world.context, 'b', new AbortController().signal);
    const others = observeObject(world.context, 'c', undefined);
    cut.abort(new Error('cut off'));
    expect(await Promise.all([ours, others])).toEqual([null, null]);
    await expect(theirs).rejects.toThrow('cut off');
    expect(listings(world)).toBeGreaterThanOrEqual(2);
  });
});
