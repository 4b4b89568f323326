import { beforeEach, describe, expect, it } from 'vitest';
import { restoreVersions } from '../../src/session/restore-versions.js';
import { MemoryWorld } from './memory-world.js';

describe('verify', () => {
  let world: MemoryWorld;

  beforeEach(async () => {
    world = new MemoryWorld();
    for (const path of ['a', 'b', 'c', 'd']) world.local.put(path, `content of ${path}`);
    await world.sync();
  });

  async function verify(sample = 1): Promise<readonly string[]> {
    const session = await world.open();
    const { divergences, comparedFiles } = await session.verify(sample);
    await session.close();
    expect(sample > 0 || comparedFiles === 0).toBe(true);
    return divergences.map(({ path, type }) => `${path} ${type}`);
  }

  it('finds nothing when both sides agree', async () => {
    expect(await verify()).toEqual([]);
  });

  it('names every kind of divergence, and changes nothing', async () => {
    world.local.put('a', 'content of A');
    world.local.delete('b');
    world.remote.delete('c');
    world.local.put('d', 'another length');
    world.local.put('e', 'both');
    world.remote.put('e', 'both');
    const before = [world.local.paths(), world.remote.paths()];
    expect((await verify()).toSorted()).toEqual([
      'a content',
      'b missing-local',
      'c missing-remote',
      'd content',
      'e baseline',
    ]);
    expect([world.local.paths(), world.remote.paths()]).toEqual(before);
    expect((await world.local.trash.list()).length).toBe(0);
  });

  it('compares only a sample by content, and sizes and existence always', async () => {
    world.local.put('a', 'content of A');
    world.local.put('d', 'another length');
    expect(await verify(0)).toEqual(['d content']);
  });
});

describe('restoreVersions', () => {
  let world: MemoryWorld;

  beforeEach(async () => {
    world = new MemoryWorld();
    world.local.put('x', 'one');
    await world.sync();
    world.remote.put('x', 'two..');
    await world.sync();
    world.remote.put('x', 'three....');
    await world.sync();
  });

  it('brings the newest kept version of a path back on both sides, and keeps what stood there', async () => {
    await restoreVersions(world.local, { paths: ['x'] });
    expect(world.text('local', 'x')).toBe('two..');
    await world.sync();
    expect(world.text('remote', 'x')).toBe('two..');
    const kept = await world.local.trash.list();
    expect(kept.map(({ sizeBytes }) => sizeBytes)).toContain('three....'.length);
  });

  it('brings exactly the version of an id back', async () => {
    const [oldest] = await world.local.trash.list();
    if (oldest === undefined) throw new Error('nothing was kept');
    await restoreVersions(world.local, { ids: [oldest.id] });
    expect(world.text('local', 'x')).toBe('one');
  });

  it('says when there is nothing of that name, before anything is put back', async () => {
    await expect(restoreVersions(world.local, { paths: ['x', 'unknown'] })).rejects.toMatchObject({
      code: 'ERR_TRASH_ITEM_NOT_FOUND',
    });
    expect(world.text('local', 'x')).toBe('three....');
    await expect(restoreVersions(world.local, { runId: 'never' })).rejects.toMatchObject({
      code: 'ERR_TRASH_ITEM_NOT_FOUND',
    });
  });
});
