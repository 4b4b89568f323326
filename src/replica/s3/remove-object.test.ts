import { describe, expect, it } from 'vitest';
import { s3World } from '../../../test/replica-s3/s3-world.js';
import { removeObject } from './remove-object.js';

describe('removeObject', () => {
  it.each([
    ['quoted', (etag: string) => `"${etag}"`],
    ['bare', (etag: string) => etag],
  ] as const)('names the version that was seen (%s), and nothing else', async (remove, form) => {
    const world = s3World({ remove });
    await world.place.put('a', 'old');
    const seen = await world.seen('a');
    const etag = seen.fingerprint.slice(0, 32);
    expect(await removeObject(world.context, 'a', seen, {})).toStrictEqual({ outcome: 'done' });
    expect(world.asked).toEqual(['DELETE a']);
    expect(world.requests[0]?.headers).toEqual({ 'if-match': form(etag) });
    expect(await world.place.keys()).toEqual([]);
  });

  it('leaves another version alone', async () => {
    const world = s3World();
    await world.place.put('a', 'old');
    const seen = await world.seen('a');
    await world.place.put('a', 'theirs');
    expect(await removeObject(world.context, 'a', seen, {})).toEqual({
      outcome: 'stale',
      message: expect.stringMatching(/^At "a" in the bucket the version .+ was expected, the version .+ was found\.$/),
    });
    expect(await world.text('a')).toBe('theirs');
  });

  it('is done when its answer is lost and nothing stands there any more', async () => {
    const world = s3World();
    await world.place.put('a', 'old');
    const seen = await world.seen('a');
    world.on('DELETE a', { lost: 'after' });
    expect(await removeObject(world.context, 'a', seen, {})).toStrictEqual({ outcome: 'done' });
    expect(world.asked).toEqual(['DELETE a', 'HEAD a']);
  });

  it('is stale when its answer is lost and another version stands there by then', async () => {
    const world = s3World();
    await world.place.put('a', 'old');
    const seen = await world.seen('a');
    world.on('DELETE a', { lost: 'after', after: () => world.place.put('a', 'theirs') });
    expect(await removeObject(world.context, 'a', seen, {})).toMatchObject({ outcome: 'stale' });
    expect(await world.text('a')).toBe('theirs');
  });

  it('is stale where nobody says that it worked: something stands there right after', async () => {
    const world = s3World({ remove: 'none' });
    await world.place.put('a', 'old');
    const seen = await world.seen('a');
    world.on('DELETE a', { after: () => world.place.put('a', 'theirs') });
    expect(await removeObject(world.context, 'a', seen, {})).toEqual({
      outcome: 'stale',
      message: '"a" was changed by somebody else right after it was changed here.',
      mayHaveActed: true,
    });
  });

  it('looks before and after where the store would delete whatever stands there', async () => {
    const world = s3World({ remove: 'none' });
    await world.place.put('a', 'old');
    const seen = await world.seen('a');
    expect(await removeObject(world.context, 'a', seen, {})).toStrictEqual({ outcome: 'done' });
    expect(world.asked).toEqual(['HEAD a', 'DELETE a', 'HEAD a']);
    expect(world.requests[1]?.headers).toStrictEqual({});
    await world.place.put('a', 'theirs');
    expect(await removeObject(world.context, 'a', seen, {})).toMatchObject({ outcome: 'stale' });
    expect(await world.text('a')).toBe('theirs');
  });

  it('names the path when it is refused', async () => {
    const world = s3World();
    await world.place.put('a', 'old');
    const seen = await world.seen('a');
    world.on('DELETE a', { status: 403, code: 'AccessDenied' });
    await expect(removeObject(world.context, 'a', seen, {})).rejects.toMatchObject({
      code: 'ERR_S3_FORBIDDEN',
      message: expect.stringMatching(/^Deleting "a" failed: /),
    });
  });
});
