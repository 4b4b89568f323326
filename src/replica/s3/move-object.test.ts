import { hash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { s3World, type Incident, type S3World } from '../../../test/replica-s3/s3-world.js';
import { StaleError } from '../../errors.js';
import { DIALECTS } from '../../testing/s3/dialects.js';
import { moveObject } from './move-object.js';

type Seen = Awaited<ReturnType<S3World['seen']>>;

async function withFile(...args: Parameters<typeof s3World>): Promise<{ world: S3World; seen: Seen }> {
  const world = s3World(...args);
  await world.place.put('a', 'mine');
  return { world, seen: await world.seen('a') };
}
const move = (world: S3World, seen: Seen) => moveObject(world.context, 'a', 'b', seen, {});
const CHANGED = '"a" is not what was expected any more.';

describe('moveObject', () => {
  let world: S3World;
  let seen: Seen;
  beforeEach(async () => {
    ({ world, seen } = await withFile());
  });

  it('copies exactly what was seen to where nothing stands, then deletes exactly that', async () => {
    const result = await move(world, seen);
    expect(result).toEqual({ outcome: 'done', entry: { ...seen.entry, path: 'b', modifiedMs: expect.any(Number) } });
    expect(await world.place.keys()).toEqual(['b']);
    expect(await world.text('b')).toBe('mine');
    const copy = world.requests[0]?.headers;
    expect(copy).toMatchObject({
      'if-none-match': '*',
      'x-amz-metadata-directive': 'COPY',
      'x-amz-copy-source-if-match': `"${seen.fingerprint.slice(0, 32)}"`,
    });
    expect(world.requests.at(-1)).toMatchObject({
      method: 'DELETE',
      key: 'a',
      headers: { 'if-match': expect.any(String) },
    });
  });

  it.each<[string, Parameters<typeof s3World>[0], Incident]>([
    ['the answer of its deletion is lost', {}, { lost: 'after' }],
    ['the store may not have looked at what it deleted', { remove: 'none' }, {}],
  ])(
    'leaves the copy, which may be all there is, when %s and another one stands there',
    async (_, dialect, incident) => {
      ({ world, seen } = await withFile(dialect));
      world.on('DELETE a', { ...incident, after: () => world.place.put('a', 'theirs') });
      expect(await move(world, seen)).toMatchObject({ outcome: 'stale', mayHaveActed: true });
      expect([await world.text('a'), await world.text('b')]).toEqual(['theirs', 'mine']);
    },
  );

  it('replaces nothing', async () => {
    await world.place.put('b', 'theirs');
    expect(await move(world, seen)).toMatchObject({ outcome: 'stale', message: expect.stringContaining('At "b"') });
    expect(await world.text('a')).toBe('mine');
    expect(await world.text('b')).toBe('theirs');
  });

  it('goes on where a move before it made the copy', async () => {
    await world.place.put('b', 'mine');
    expect(await move(world, seen)).toMatchObject({ outcome: 'done', entry: { path: 'b' } });
    expect(await world.place.keys()).toEqual(['b']);
  });

  it.each([
    ['was changed', (of: S3World) => of.place.put('a', 'else')],
    ['is gone', (of: S3World) => of.place.remove('a')],
  ])('copies nothing when the object %s', async (_, change) => {
    await change(world);
    await expect(move(world, seen)).rejects.toThrow(new StaleError(CHANGED));
    expect(await world.place.keys()).not.toContain('b');
  });

  it('takes the copy away again when the object was changed after it was copied', async () => {
    world.on('PUT b', { after: () => world.place.put('a', 'edited') });
    expect(await move(world, seen)).toMatchObject({ outcome: 'stale', message: expect.stringContaining('At "a"') });
    expect(await world.place.keys()).toEqual(['a']);
    expect(await world.text('a')).toBe('edited');
  });

  it.each([
    ['of the copy', 'PUT b', ['a', 'b'], ['PUT b']],
    ['of the deletion', 'DELETE a', ['b'], ['PUT b', 'DELETE a']],
  ] as const)(
    'changes nothing more when the caller stops while the answer %s is lost',
    async (_, name, keys, asked) => {
      const stop = new AbortController();
      world.on(name, { lost: 'after', after: () => stop.abort() });
      await expect(moveObject(world.context, 'a', 'b', seen, { signal: stop.signal })).rejects.toMatchObject({
        name: 'AbortError',
      });
      expect(world.asked.filter((each) => !each.startsWith('HEAD '))).toEqual(asked);
      expect(await world.place.keys()).toEqual(keys);
    },
  );

  it('looks no more where the answer says all: the ETag of the object, on a store that replaces nothing', async () => {
    await move(world, seen);
    expect(world.asked).toEqual(['PUT b', 'DELETE a']);
  });

  describe('where the copy has to be looked at', () => {
    beforeEach(async () => {
      ({ world, seen } = await withFile({ copyCreate: false }));
    });

    it('looks at it though the answer has the ETag of the object', async () => {
      expect(await move(world, seen)).toMatchObject({ outcome: 'done' });
      expect(world.asked).toEqual(['HEAD b', 'PUT b', 'HEAD b', 'HEAD b', 'DELETE a']);
    });

    it.each(['longer than mine', 'ours'])(
      'leaves what somebody put there since, and the object: %s',
      async (theirs) => {
        world.on('HEAD b', { before: () => world.place.put('b', theirs) }, 3);
        expect(await move(world, seen)).toEqual({
          outcome: 'stale',
          message: '"b" was changed right after "a" was copied to it.',
        });
        expect([await world.text('a'), await world.text('b')]).toEqual(['mine', theirs]);
      },
    );

    it('takes a copy of another size away again: it is of another version', async () => {
      const bold = await withFile({ copySource: 'none' });
      bold.world.on('PUT b', { before: () => bold.world.place.put('a', 'longer than mine') });
      expect(await move(bold.world, bold.seen)).toEqual({
        outcome: 'stale',
        message: '"a" was changed while it was moved; the copy at "b" was taken away again.',
      });
      expect([await bold.world.place.keys(), await bold.world.text('a')]).toEqual([['a'], 'longer than mine']);
    });

    it('is stale when the copy went right after it was made, and the object stays', async () => {
      world.on('HEAD b', { before: () => world.place.remove('b') }, 3);
      await expect(move(world, seen)).rejects.toBeInstanceOf(StaleError);
      expect(await world.text('a')).toBe('mine');
    });
  });

  describe('of a copy that is wanted in any case', () => {
    const keeping = (of = world) => moveObject(of.context, 'a', 'b', seen, { keepsCopy: true });

    it('leaves it when the object was changed meanwhile', async () => {
      world.on('PUT b', { after: () => world.place.put('a', 'edited') });
      expect(await keeping()).toMatchObject({ outcome: 'stale' });
      expect(await world.text('a')).toBe('edited');
      expect(await world.text('b')).toBe('mine');
    });

    it('takes none for its own that stood there before', async () => {
      await world.place.put('b', 'mine');
      expect(await keeping()).toMatchObject({ outcome: 'stale' });
      expect(await world.place.keys()).toEqual(['a', 'b']);
    });
  });

  describe('what is recorded with the copy', () => {
    const copyHeaders = () => world.requests.find(({ method }) => method === 'PUT')?.headers ?? {};

    it('is another time where that is asked for', async () => {
      const result = await moveObject(world.context, 'a', 'b', seen, { modifiedMs: 1_600_000_000_500 });
      expect(result).toMatchObject({ outcome: 'done', entry: { path: 'b', modifiedMs: 1_600_000_000_500 } });
      expect(copyHeaders()).toMatchObject({
        'x-amz-metadata-directive': 'REPLACE',
        'x-amz-meta-mtime': '1600000000.5',
      });
    });

    it('is another type where that followed from the old name, and the same where it was chosen', async () => {
      for (const [chosen, directive, type] of [
        [undefined, 'REPLACE', 'text/html'],
        ['text/x-chosen', 'COPY', undefined],
      ] as const) {
        const fresh = s3World();
        await fresh.context.api.put('a.txt', Buffer.from('mine'), { 'content-type': chosen ?? 'text/plain' });
        const text = await fresh.seen('a.txt');
        expect(await moveObject(fresh.context, 'a.txt', 'b.html', text, {})).toMatchObject({ outcome: 'done' });
        const headers: Readonly<Record<string, string | undefined>> =
          fresh.requests.find(({ method }) => method === 'PUT')?.headers ?? {};
        expect(headers['x-amz-metadata-directive']).toBe(directive);
        expect(headers['content-type']).toBe(type);
      }
    });

    it('is not asked for where it stays as it was', async () => {
      await world.place.put('a.txt', 'mine');
      const text = await world.seen('a.txt');
      await moveObject(world.context, 'a.txt', 'b.txt', text, {});
      expect(world.asked).toEqual(['PUT b.txt', 'DELETE a.txt']);
    });

    it('is as it was where the new name is of the same type', async () => {
      await world.place.put('a.txt', 'mine');
      const text = await world.seen('a.txt');
      expect(await moveObject(world.context, 'a.txt', 'b.txt', text, {})).toMatchObject({ outcome: 'done' });
      expect(copyHeaders()).toMatchObject({ 'x-amz-metadata-directive': 'COPY' });
    });

    it('is taken from the version that was seen, and from no other', async () => {
      world.on('HEAD a', { before: () => world.place.put('a', 'else') });
      await expect(moveObject(world.context, 'a', 'b', seen, { modifiedMs: 1 })).rejects.toThrow(
        new StaleError(CHANGED),
      );
      expect(world.asked).toEqual(['HEAD a']);
      await world.place.remove('a');
      await expect(moveObject(world.context, 'a', 'b', seen, { modifiedMs: 1 })).rejects.toThrow(
        new StaleError(CHANGED),
      );
    });
  });

  it('does not ask a store again to copy that has said that it cannot', async () => {
    world.on('PUT b', { status: 501, code: 'NotImplemented' });
    await expect(move(world, seen)).rejects.toMatchObject({ code: 'ERR_S3_NOT_SUPPORTED' });
    expect(world.context.canCopy).toBe(false);
    world.asked.length = 0;
    await expect(move(world, seen)).rejects.toMatchObject({
      name: 'PathError',
      code: 'ERR_S3_NOT_SUPPORTED',
      message:
        'Copying "a" within the bucket failed: the store has said before that it does not support it. Nothing was changed; exclude the path, or use another store.',
      data: { path: 'a' },
    });
    expect(world.asked).toEqual([]);
  });

  it.each(['before', 'after'] as const)(
    'is done once when the answer of the copy is lost (%s the service acted)',
    async (lost) => {
      world.on('PUT b', { lost });
      expect(await move(world, seen)).toMatchObject({ outcome: 'done' });
      expect(await world.place.keys()).toEqual(['b']);
      expect(world.asked).toEqual(['PUT b', 'HEAD b', ...(lost === 'after' ? [] : ['PUT b']), 'DELETE a']);
    },
  );

  it('tries again after a refusal of which neither side is the reason', async () => {
    world.on('PUT b', { status: 412, code: 'PreconditionFailed' });
    expect(await move(world, seen)).toMatchObject({ outcome: 'done' });
    expect(world.asked.slice(0, 3)).toEqual(['PUT b', 'HEAD a', 'HEAD b']);
  });

  it('does not look at the object after a refusal that cannot be about it', async () => {
    world.on('PUT b', { status: 409, code: 'ConditionalRequestConflict' });
    expect(await move(world, seen)).toMatchObject({ outcome: 'done' });
    expect(world.asked.slice(0, 3)).toEqual(['PUT b', 'HEAD b', 'PUT b']);
  });

  it('takes what the answer called the copy for its own when it has to look again', async () => {
    const random = s3World(
      { etagIsMd5: false, copyCreate: false },
      { store: { ...DIALECTS['aws'], putEtag: 'random' } },
    );
    await random.place.put('a', 'mine');
    const first = await random.seen('a');
    const result = await move(random, first);
    expect(result).toMatchObject({ outcome: 'done' });
    expect(await random.place.keys()).toEqual(['b']);
    const copy = await random.seen('b');
    expect(copy.fingerprint).not.toBe(first.fingerprint);
    expect(result).toMatchObject({ entry: { path: 'b', fingerprint: copy.fingerprint } });
  });

  it('asks for the copy where its ETag is not that of the object', async () => {
    const random = s3World({ etagIsMd5: false }, { store: { ...DIALECTS['aws'], putEtag: 'random' } });
    await random.place.put('a', 'mine');
    const result = await move(random, await random.seen('a'));
    expect(random.asked).toEqual(['PUT b', 'HEAD b', 'DELETE a']);
    const copy = await random.seen('b');
    expect(result).toMatchObject({ outcome: 'done', entry: { fingerprint: copy.fingerprint } });
  });

  it('takes no object of the same size for its copy when the answer is lost', async () => {
    world.on('PUT b', { lost: 'before', before: () => world.place.put('b', 'ours') });
    expect(await move(world, seen)).toMatchObject({ outcome: 'stale' });
    expect(await world.text('a')).toBe('mine');
    expect(await world.text('b')).toBe('ours');
  });

  it('goes on copying after a failure that passes, and does not take it for a refusal of copies', async () => {
    world.on('PUT b', { status: 503, code: 'SlowDown' });
    expect(await move(world, seen)).toMatchObject({ outcome: 'done' });
    expect(world.context.canCopy).toBe(true);
    expect(world.asked).toEqual(['PUT b', 'HEAD b', 'PUT b', 'DELETE a']);
  });

  it('names both paths when it is refused', async () => {
    world.on('PUT b', { status: 403, code: 'AccessDenied' });
    await expect(move(world, seen)).rejects.toMatchObject({
      code: 'ERR_S3_FORBIDDEN',
      message: expect.stringMatching(/^Copying "a" to "b" failed: /),
    });
  });

  describe('where the store would copy whatever stands there', () => {
    it('looks first, and copies nothing of another version', async () => {
      const careful = await withFile({ copySource: 'none' });
      await careful.world.place.put('a', 'else');
      expect(await move(careful.world, careful.seen)).toEqual({ outcome: 'stale', message: CHANGED });
      expect(careful.world.asked).toEqual(['HEAD a']);
    });

    it('records no digest with the copy, which may be another version by then', async () => {
      for (const [copySource, kept] of [
        ['none', false],
        ['quoted', true],
      ] as const) {
        const { world: bold } = await withFile({ copySource, etagIsMd5: false });
        const md5 = hash('md5', 'mine', 'base64');
        await bold.context.api.put('a', Buffer.from('mine'), { 'x-amz-meta-md5chksum': md5, 'x-amz-meta-own': 'own' });
        const before = await bold.seen('a');
        bold.on('PUT b', { before: () => (kept ? Promise.resolve() : bold.place.put('a', 'else')) });
        await moveObject(bold.context, 'a', 'b', before, { keepsCopy: true, modifiedMs: 1 });
        expect(bold.requests.find(({ method, key }) => method === 'PUT' && key === 'b')?.headers).toMatchObject({
          'x-amz-metadata-directive': 'REPLACE',
          'x-amz-meta-own': 'own',
        });
        expect([await bold.text('b'), (await bold.seen('b')).entry.digest]).toEqual(
          kept ? ['mine', `md5:${hash('md5', 'mine')}`] : ['else', undefined],
        );
      }
    });

    it('makes no object of parts when another version came while they were copied', async () => {
      const bold = await withFile({ copySource: 'none' }, { maxCopyBytes: 3 });
      bold.world.on('PUT b?partNumber', { after: () => bold.world.place.put('a', 'else') });
      await expect(move(bold.world, bold.seen)).rejects.toThrow(new StaleError(CHANGED));
      expect(bold.world.asked).toContain('DELETE b?uploadId');
      expect([await bold.world.place.keys(), await bold.world.place.uploadIds()]).toEqual([['a'], []]);
    });

    it.each([
      ['none', undefined],
      ['quoted', 'digest'],
    ] as const)(
      'records a digest with a copy of parts only where that is of one version: %s',
      async (copySource, md5) => {
        const parts = await withFile({ copySource }, { maxCopyBytes: 3 });
        const recorded = { 'x-amz-meta-md5chksum': 'digest', 'x-amz-meta-own': 'own' };
        await parts.world.context.api.put('a', Buffer.from('mine'), recorded);
        // Parts of three bytes are refused when they are put together, which is after the headers were sent.
        await expect(move(parts.world, await parts.world.seen('a'))).rejects.toMatchObject({ code: 'ERR_S3_REFUSED' });
        const begun = parts.world.requests.find(({ method }) => method === 'POST')?.headers;
        expect([begun?.['x-amz-meta-md5chksum'], begun?.['x-amz-meta-own']]).toEqual([md5, 'own']);
      },
    );

    it('moves what is as it was seen', async () => {
      const careful = await withFile({ copySource: 'none', copyCreate: false });
      expect(await move(careful.world, careful.seen)).toMatchObject({ outcome: 'done' });
      expect(careful.world.requests.find(({ method }) => method === 'PUT')?.headers).not.toHaveProperty(
        'if-none-match',
      );
      expect(await careful.world.place.keys()).toEqual(['b']);
    });
  });

  it('copies by parts what is too large for one copy', async () => {
    const parts = await withFile({}, { maxCopyBytes: 3 });
    await move(parts.world, parts.seen).catch(() => undefined);
    expect(parts.world.asked).toContain('POST b?uploads');
    const whole = await withFile({}, { maxCopyBytes: 4 });
    await move(whole.world, whole.seen);
    expect(whole.world.asked[0]).toBe('PUT b');
  });
});
