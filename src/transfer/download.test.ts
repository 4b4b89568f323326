import { describe, expect, it } from 'vitest';
import { TransferWorld } from '../../test/transfer/transfer-world.js';
import { download } from './download.js';

const MD5_NEW = 'md5:22af645d1859cb5ca6da0c484f1f37ea';

describe('download', () => {
  it('brings a new object, and records what both sides have now', async () => {
    const world = new TransferWorld();
    world.put('remote', 'a', 'new', 1000);
    const remote = await world.entry('remote', 'a');
    expect(await download(world.context(), 'R12', null, remote)).toEqual({
      type: 'done',
      rule: 'R12',
      change: { path: 'a', operation: 'added', origin: 'remote' },
    });
    expect(world.text('local', 'a')).toBe('new');
    expect(world.rows.get('a')).toEqual({
      path: 'a',
      sizeBytes: 3,
      local: (await world.entry('local', 'a')).fingerprint,
      remote: remote.fingerprint,
      digest: MD5_NEW,
      recordedAtMs: world.nowMs,
    });
    expect(world.trace).toEqual(['write local a', 'down a 3', 'record a']);
    expect(world.openSources).toBe(0);
  });

  it('puts the version that was seen here into the trash, and says why', async () => {
    const world = new TransferWorld();
    world.put('local', 'a', 'old');
    world.put('remote', 'a', 'new');
    const [local, remote] = [await world.entry('local', 'a'), await world.entry('remote', 'a')];
    expect(await download(world.context(), 'R02', local, remote)).toMatchObject({
      change: { path: 'a', operation: 'modified', origin: 'remote' },
    });
    expect(await world.trashed()).toEqual(['a replaced local']);
    world.put('remote', 'a', 'newer');
    await download(
      world.context(),
      'R05',
      await world.entry('local', 'a'),
      await world.entry('remote', 'a'),
      'lost-conflict',
    );
    expect(await world.trashed()).toEqual(['a replaced local', 'a lost-conflict local']);
  });

  it('is decided again, and records nothing, where somebody wrote the file meanwhile', async () => {
    const world = new TransferWorld();
    world.put('local', 'a', 'old');
    world.put('remote', 'a', 'new');
    const local = await world.entry('local', 'a');
    world.put('local', 'a', 'edited');
    expect(await download(world.context(), 'R02', local, await world.entry('remote', 'a'))).toEqual({
      type: 'again',
      paths: ['a'],
      message: expect.stringMatching(/^"a" was expected to be .+\.$/),
    });
    expect(world.text('local', 'a')).toBe('edited');
    expect(world.rows.size).toBe(0);
    expect(world.openSources).toBe(0);
  });

  it('lets go of the object when the disk fails', async () => {
    const world = new TransferWorld();
    world.put('remote', 'a', 'new');
    world.local.write = async () => {
      throw new Error('the disk is full');
    };
    await expect(download(world.context(), 'R12', null, await world.entry('remote', 'a'))).rejects.toThrow('full');
    expect(world.openSources).toBe(0);
    expect(world.rows.size).toBe(0);
  });

  it('is stopped before it opens anything', async () => {
    const world = new TransferWorld();
    world.put('remote', 'a', 'new');
    const context = world.context({ signal: AbortSignal.abort() });
    await expect(download(context, 'R12', null, await world.entry('remote', 'a'))).rejects.toMatchObject({
      name: 'AbortError',
    });
  });

  it('records the time and fingerprint of the object that was really read, not of the listing', async () => {
    const world = new TransferWorld();
    world.put('remote', 'a', 'new', 5000);
    const seen = { ...(await world.entry('remote', 'a')), modifiedMs: undefined, modifiedSource: 'server' as const };
    await download(world.context(), 'R12', null, seen);
    expect((await world.entry('local', 'a')).modifiedMs).toBe(5000);
  });
});
