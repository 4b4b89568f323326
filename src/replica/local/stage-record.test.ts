import { describe, expect, it } from 'vitest';
import { simulatedWorld } from '../../../test/local/local-world.js';
import { withChange } from '../../../test/with-change.js';
import type { DirectoryHandle, FileHandle } from './file-system.js';
import { StageRecord, type StageIdentity } from './stage-record.js';

const IDENTITY: StageIdentity = { path: 'a/f', fingerprint: 'etag:25', sizeBytes: 25, rangeBytes: 10 };
const HEAD = '[1,"a/f","etag:25",25,10]\n';

/** A directory on a simulated disk, in which a record is to be or is. */
async function worldWith(text?: string) {
  const world = simulatedWorld();
  if (text !== undefined) world.write('record', text);
  const directory = await world.fileSystem.openRoot(world.root);
  const open = (identity = IDENTITY) => StageRecord.open(directory, 'record', identity);
  const create = () => StageRecord.create(directory, 'record', IDENTITY);
  return { world, directory, open, create };
}

describe('StageRecord', () => {
  it('holds what was noted of each range; the last note of a range counts', async () => {
    const { world, create, open } = await worldWith();
    const record = await create();
    expect(record.held.size).toBe(0);
    await record.note(0, 5, 0xabc);
    await record.note(2, 10, 0xffffffff);
    await record.note(0, 10, 0x12345678);
    await record.close();
    expect(world.read('record')).toBe(`${HEAD}\n0 5 00000abc\n\n2 10 ffffffff\n\n0 10 12345678\n`);
    const again = await open();
    expect([...(again?.held ?? [])]).toEqual([
      [0, { length: 10, checksum: 0x12345678 }],
      [2, { length: 10, checksum: 0xffffffff }],
    ]);
    await again?.close();
    expect(world.openHandles()).toBe(1);
  });

  it('goes on where it ended', async () => {
    const { world, create, open } = await worldWith();
    const record = await create();
    await record.note(0, 5, 1);
    await record.close();
    const again = await open();
    await again?.note(1, 6, 2);
    expect(world.read('record')).toBe(`${HEAD}\n0 5 00000001\n\n1 6 00000002\n`);
  });

  it('takes notes of several ranges at once', async () => {
    const { world, create } = await worldWith();
    const record = await create();
    await Promise.all([record.note(0, 5, 1), record.note(1, 6, 2)]);
    expect(world.read('record')).toBe(`${HEAD}\n0 5 00000001\n\n1 6 00000002\n`);
  });

  it('passes over lines that were cut off or damaged, and over no others', async () => {
    const lines = [
      '0 10 1234567',
      '1 10 123456789',
      '2 10 ABCDEF12',
      'x3 10 00000001',
      '4 10 00000001x',
      '5  00000001',
      ' 10 00000001',
      '6 10 ',
      '1234567890 1 00000001',
      '7 1234567890123 00000001',
      '8 10 0000000a',
      '123456789 123456789012 0000000b',
    ];
    const { open } = await worldWith(`${HEAD}${lines.join('\n')}`);
    expect([...((await open())?.held ?? [])]).toEqual([
      [8, { length: 10, checksum: 10 }],
      [123_456_789, { length: 123_456_789_012, checksum: 11 }],
    ]);
  });

  it.each<[string, Partial<StageIdentity>]>([
    ['another path', { path: 'a/g' }],
    ['another version', { fingerprint: 'other' }],
    ['another size', { sizeBytes: 26 }],
    ['other ranges', { rangeBytes: 11 }],
  ])('is none of %s', async (_, change) => {
    const { world, open } = await worldWith(`${HEAD}\n0 10 00000001\n`);
    expect(await open({ ...IDENTITY, ...change })).toBeUndefined();
    expect(world.openHandles()).toBe(1);
  });

  it.each([
    ['nothing', undefined],
    ['an empty file', ''],
    ['a head that was cut off', HEAD.slice(0, -1)],
    ['a record of another form', HEAD.replace('[1', '[2')],
    ['something before the head', ` ${HEAD}`],
  ])('is none where %s stands', async (_, text) => {
    const { world, open } = await worldWith(text);
    expect(await open()).toBeUndefined();
    expect(world.openHandles()).toBe(1);
  });

  it('is none where a link, a folder or a device stands, and none with a second name', async () => {
    const { world, directory, open } = await worldWith();
    world.write('elsewhere', HEAD);
    for (const stand of [
      () => world.symlink('elsewhere', 'record'),
      () => world.makeDirectory('record'),
      () => world.disk.user.makeSpecial('record'),
    ]) {
      stand();
      expect(await open()).toBeUndefined();
      world.remove('record');
    }
    await directory.link('elsewhere', directory, 'record');
    expect(await open()).toBeUndefined();
    expect(world.openHandles()).toBe(1);
  });

  it('is none where a file stands that is longer than any record, which is not read', async () => {
    const { world, directory } = await worldWith(HEAD);
    const read: number[] = [];
    /** The same directory, in which the record says of itself that it has so many bytes. */
    const saying = (sizeBytes: number): DirectoryHandle => {
      const reopenFile = async (name: string): Promise<FileHandle> => {
        const file = await directory.reopenFile(name);
        return withChange(file, {
          stat: async () => ({ ...(await file.stat()), sizeBytes }),
          read: (buffer, position) => (read.push(sizeBytes), file.read(buffer, position)),
        });
      };
      return withChange(directory, { reopenFile });
    };
    const most = 192 * 1024 * 1024;
    expect(await StageRecord.open(saying(most + 1), 'record', IDENTITY)).toBeUndefined();
    const whole = await StageRecord.open(saying(most), 'record', IDENTITY);
    expect(whole).toBeDefined();
    await whole?.close();
    expect(read).toEqual([most]);
    expect(world.openHandles()).toBe(1);
  });

  it('does not begin where something stands', async () => {
    const { world, create } = await worldWith('mine');
    await expect(create()).rejects.toMatchObject({ code: 'EEXIST' });
    expect(world.read('record')).toBe('mine');
  });

  it('leaves nothing open when its head cannot be written, or it cannot be read', async () => {
    const { world, create } = await worldWith();
    world.disk.fault = (operation) => (operation.startsWith('write ') ? 'ENOSPC' : undefined);
    await expect(create()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(world.openHandles()).toBe(1);
    const damaged = await worldWith(HEAD);
    damaged.world.disk.fault = (operation) => (operation.startsWith('read ') ? 'EIO' : undefined);
    await expect(damaged.open()).rejects.toMatchObject({ code: 'EIO' });
    expect(damaged.world.openHandles()).toBe(1);
  });

  it('throws what is no failure of the disk', async () => {
    const { world, open } = await worldWith(HEAD);
    world.disk.step = () => {
      throw new Error('stopped');
    };
    await expect(open()).rejects.toThrow('stopped');
  });
});
