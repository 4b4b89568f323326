import { describe, expect, it } from 'vitest';
import { s3World, type S3World } from '../../../test/replica-s3/s3-world.js';
import { PathError, StaleError } from '../../errors.js';
import { guardedChange, type GuardedChange } from './guarded-change.js';

/** Puts `ours` at `a`, where nothing is expected. */
function putting(world: S3World, change: Partial<GuardedChange<string>> = {}): GuardedChange<string> {
  const body = Buffer.from('ours');
  return {
    action: 'uploading "a"',
    path: 'a',
    expected: null,
    trusted: true,
    send: () => world.context.api.put('a', body, { 'if-none-match': '*' }),
    isOurs: (state) => state?.sizeBytes === 4,
    recover: (state) => `recovered ${state?.etag.length}`,
    ...change,
  };
}

const run = (world: S3World, change: Partial<GuardedChange<string>> = {}, signal?: AbortSignal) =>
  guardedChange(world.context, putting(world, change), signal);

describe('guardedChange', () => {
  describe('on a store that honours conditions', () => {
    it('is one request when all goes well', async () => {
      const world = s3World();
      expect(await run(world)).toEqual({ outcome: 'done', value: expect.stringMatching(/^[0-9a-f]{32}$/) });
      expect(world.asked).toEqual(['PUT a']);
      expect(world.waits).toEqual([]);
    });

    it('looks what stands there after a refusal, and says so', async () => {
      const world = s3World();
      await world.place.put('a', 'theirs');
      const { fingerprint } = await world.seen('a');
      expect(await run(world)).toEqual({
        outcome: 'stale',
        message: `At "a" in the bucket nothing was expected, the version ${fingerprint} was found.`,
      });
      expect(world.asked).toEqual(['PUT a', 'HEAD a']);
      expect(await world.text('a')).toBe('theirs');
    });

    it('says which version was expected, and that nothing was found', async () => {
      const world = s3World();
      await world.place.put('a', 'old');
      const expected = await world.seen('a');
      await world.place.remove('a');
      const send = () => world.context.api.put('a', Buffer.from('ours'), { 'if-match': '"x"' });
      expect(await run(world, { expected, send })).toEqual({
        outcome: 'stale',
        message: `At "a" in the bucket the version ${expected.fingerprint} was expected, nothing was found.`,
      });
    });

    it.each([409, 412, 304, 404])(
      'tries again after a %s while what stands there is what was expected',
      async (status) => {
        const world = s3World();
        world.on('PUT a', { status, code: 'Conflict' });
        expect(await run(world)).toMatchObject({ outcome: 'done' });
        expect(world.asked).toEqual(['PUT a', 'HEAD a', 'PUT a']);
        expect(world.waits).toHaveLength(1);
      },
    );

    it('gives up when the store goes on refusing a condition that holds, and names the way out', async () => {
      const world = s3World();
      world.on('PUT a', { status: 412, code: 'PreconditionFailed' }, 1, true);
      await expect(run(world)).rejects.toMatchObject({
        name: 'PathError',
        code: 'ERR_S3_CONDITION_REFUSED',
        retryable: true,
        data: { path: 'a', status: 412, serviceCode: 'PreconditionFailed' },
        message:
          'Uploading "a" failed: the store refuses the condition (412 PreconditionFailed) though what it asks for holds. Run again; if it stays, run with `probe: false`, the careful way.',
      });
      expect(world.asked.filter((name) => name === 'PUT a')).toHaveLength(4);
      expect(world.waits).toHaveLength(3);
    });

    it('is not done when somebody else wrote the very same before: it was not expected', async () => {
      const world = s3World();
      await world.place.put('a', 'ours');
      expect(await run(world)).toMatchObject({ outcome: 'stale' });
    });
  });

  describe('when the answer is lost', () => {
    it('looks before it sends again, and is done when the change is there', async () => {
      const world = s3World();
      world.on('PUT a', { lost: 'after' });
      expect(await run(world)).toEqual({ outcome: 'done', value: 'recovered 32' });
      expect(world.asked).toEqual(['PUT a', 'HEAD a']);
      expect(world.waits).toHaveLength(1);
    });

    it('sends again when what was expected still stands there', async () => {
      const world = s3World();
      world.on('PUT a', { lost: 'before' });
      expect(await run(world)).toMatchObject({ outcome: 'done', value: expect.stringMatching(/^[0-9a-f]{32}$/) });
      expect(world.asked).toEqual(['PUT a', 'HEAD a', 'PUT a']);
    });

    it('is stale when somebody else wrote in between', async () => {
      const world = s3World();
      world.on('PUT a', { lost: 'before', before: () => world.place.put('a', 'theirs') });
      expect(await run(world)).toMatchObject({ outcome: 'stale' });
      expect(world.asked).toEqual(['PUT a', 'HEAD a']);
      expect(await world.text('a')).toBe('theirs');
    });

    it('is done when the request that was lost takes effect between the look and the second try', async () => {
      const world = s3World();
      world.on('PUT a', { lost: 'before' });
      world.on('PUT a', { before: () => world.place.put('a', 'ours') }, 2);
      expect(await run(world)).toEqual({ outcome: 'done', value: 'recovered 32' });
      expect(world.asked).toEqual(['PUT a', 'HEAD a', 'PUT a', 'HEAD a']);
    });

    it('looks once more after the last try, and throws what it threw when nothing is there', async () => {
      const world = s3World();
      world.on('PUT a', { lost: 'before' }, 1, true);
      await expect(run(world)).rejects.toThrow('the connection broke');
      expect(world.asked.filter((name) => name === 'PUT a')).toHaveLength(4);
      expect(world.asked.at(-1)).toBe('HEAD a');
    });

    it('is done when the last try took effect, though nobody heard of it', async () => {
      const world = s3World({}, { attempts: 1 });
      world.on('PUT a', { lost: 'after' });
      expect(await run(world)).toEqual({ outcome: 'done', value: 'recovered 32' });
      expect(world.asked).toEqual(['PUT a', 'HEAD a']);
    });

    it('counts as lost after an answer that means later, which may come from a proxy', async () => {
      const world = s3World();
      world.on('PUT a', { status: 503, code: 'SlowDown', before: () => world.place.put('a', 'ours') });
      expect(await run(world)).toEqual({ outcome: 'done', value: 'recovered 32' });
    });
  });

  it('waits as long as the service asks for, and by the backoff otherwise', async () => {
    const world = s3World();
    world.on('PUT a', { status: 503, code: 'SlowDown', headers: { 'retry-after': '7' } });
    world.on('PUT a', { lost: 'before' }, 2);
    expect(await run(world)).toMatchObject({ outcome: 'done' });
    expect(world.waits[0]).toBe(7000);
    expect(world.waits[1]).toBeLessThanOrEqual(16);
  });

  it('gives up when the service goes on saying later, and says that it may help to try later', async () => {
    const world = s3World();
    world.on('PUT a', { status: 503, code: 'SlowDown' }, 1, true);
    await expect(run(world)).rejects.toMatchObject({
      code: 'ERR_S3_UNAVAILABLE',
      retryable: true,
      message: expect.stringMatching(/^Uploading "a" failed: /),
      data: { path: 'a', bucket: 'bucket' },
    });
    expect(world.asked.filter((name) => name === 'PUT a')).toHaveLength(4);
  });

  it('does not try again what is refused for good', async () => {
    const world = s3World();
    world.on('PUT a', { status: 403, code: 'AccessDenied' });
    await expect(run(world)).rejects.toMatchObject({ code: 'ERR_S3_FORBIDDEN', data: { path: 'a' } });
    expect(world.asked).toEqual(['PUT a']);
  });

  it('says when the store does not know what was asked of it', async () => {
    const world = s3World();
    world.on('PUT a', { status: 501, code: 'NotImplemented', message: 'A header you provided' });
    await expect(run(world)).rejects.toMatchObject({
      name: 'PathError',
      code: 'ERR_S3_NOT_SUPPORTED',
      message:
        'Uploading "a" failed: the store does not support what was asked (501 NotImplemented: A header you provided). Nothing was changed; exclude the path, or use another store.',
      data: { path: 'a', status: 501, serviceCode: 'NotImplemented' },
    });
    const other = s3World();
    other.on('PUT a', { status: 400, code: 'InvalidRequest' });
    await expect(run(other)).rejects.toMatchObject({ code: 'ERR_S3_REFUSED' });
    expect(other.asked).toEqual(['PUT a']);
  });

  it('asks the source before each try, and ends with what it throws', async () => {
    const world = s3World();
    world.on('PUT a', { lost: 'before' });
    let asked = 0;
    const before = async (): Promise<void> => {
      if (++asked === 2) throw new StaleError('the file was changed');
    };
    await expect(run(world, { before })).rejects.toThrow('the file was changed');
    expect(world.asked).toEqual(['PUT a', 'HEAD a']);
  });

  it('does not look or try again when it was told to stop', async () => {
    const world = s3World();
    const send = async () => {
      throw Object.assign(new Error('stopped'), { name: 'AbortError' });
    };
    await expect(run(world, { send })).rejects.toThrow('stopped');
    expect(world.asked).toEqual([]);
  });

  it('does not take an error of our own about the path for a lost answer, also where it may pass', async () => {
    const world = s3World();
    let sent = 0;
    const send = async () => {
      sent++;
      throw new PathError('ERR_X', 'the file is busy', { retryable: true });
    };
    await expect(run(world, { send })).rejects.toThrow('the file is busy');
    expect(sent).toBe(1);
    expect(world.asked).toEqual([]);
  });

  it('lets the operation judge a refusal first', async () => {
    const world = s3World();
    world.on('PUT a', { status: 412, code: 'PreconditionFailed' });
    const judged: number[] = [];
    await expect(
      run(world, {
        judge: (failure) => {
          judged.push(failure.status);
          return new PathError('ERR_X', 'of no use any more');
        },
      }),
    ).rejects.toThrow('of no use any more');
    expect(judged).toEqual([412]);
    const other = s3World();
    other.on('PUT a', { status: 412, code: 'PreconditionFailed' });
    expect(await run(other, { judge: () => undefined })).toMatchObject({ outcome: 'done' });
  });

  describe('on a store that ignores conditions', () => {
    const careful = { trusted: false } as const;

    it('looks before and after', async () => {
      const world = s3World();
      expect(await run(world, careful)).toMatchObject({ outcome: 'done', value: expect.stringMatching(/^[0-9a-f]/) });
      expect(world.asked).toEqual(['HEAD a', 'PUT a', 'HEAD a']);
    });

    it('sends nothing when something else stands there', async () => {
      const world = s3World();
      await world.place.put('a', 'theirs');
      expect(await run(world, careful)).toMatchObject({ outcome: 'stale' });
      expect(world.asked).toEqual(['HEAD a']);
    });

    it('does not take what was there before for its own', async () => {
      const world = s3World();
      await world.place.put('a', 'ours');
      expect(await run(world, careful)).toMatchObject({ outcome: 'stale' });
    });

    it('says when somebody else wrote right after', async () => {
      const world = s3World();
      world.on('PUT a', { after: () => world.place.put('a', 'theirs') });
      expect(await run(world, careful)).toEqual({
        outcome: 'stale',
        message: '"a" was changed by somebody else right after it was changed here.',
        mayHaveActed: true,
      });
    });
  });
});
