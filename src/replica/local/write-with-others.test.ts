import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { expecting, observeFile, sourceOf } from '../../../test/local/local-world.js';
import { tracedWorld, type TracedWorld } from '../../../test/local/traced-world.js';
import type { FileEntry } from '../../core/entry.js';
import { HaltError, StaleError } from '../../errors.js';
import type { Source } from '../replica.js';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** A source whose content is at hand, whatever its entry says of it. */
const holding = (content: string, { said = content, ...change }: { said?: string } & Partial<Source> = {}): Source => ({
  ...sourceOf(said, { digest: `md5:${md5(said)}` }),
  content: () => new TextEncoder().encode(content),
  ...change,
});

/** A folder `a` in which another file stands. */
async function manyWorld(traits: Parameters<typeof tracedWorld>[0] = { makesMany: true }): Promise<TracedWorld> {
  const traced = await tracedWorld(traits);
  traced.world.write('a/other', 'other');
  return traced;
}

const write = (traced: TracedWorld, source = holding('new'), options = {}) =>
  traced.replica.write('a/f', source, null, options);

const nothingIsLeft = ({ world }: TracedWorld): void =>
  expect([world.tree(), world.staged(), world.openHandles()]).toEqual([
    { 'a/': 'directory', 'a/other': 'other' },
    [],
    0,
  ]);

describe.each<[string, { readonly makesMany?: boolean }]>([
  ['step by step', {}],
  ['by another thread', { makesMany: true }],
])('content that is in memory, made a file %s', (_, traits) => {
  it('is in place, with its digest, without being read', async () => {
    const traced = await manyWorld(traits);
    let taken = 0;
    let told = 0;
    const source = holding('new', { read: () => expect.fail('it was read') });
    const options = { onArrived: () => taken++, onBytes: (count: number) => (told += count) };
    expect(await write(traced, source, options)).toMatchObject({ outcome: 'done', digest: `md5:${md5('new')}` });
    expect(traced.world.read('a/f')).toBe('new');
    expect(told).toBe(3);
    // Only a disk that takes many at a time lets others be fetched meanwhile.
    expect(taken).toBe(traits.makesMany === true ? 1 : 0);
    expect([traced.world.staged(), traced.world.openHandles()]).toEqual([[], 0]);
  });

  it.each([
    ['is damaged', 'nEw', 'ERR_CONTENT_MISMATCH'],
    ['is too short', 'ne', 'ERR_DOWNLOAD_INCOMPLETE'],
    ['is too long', 'newer', 'ERR_DOWNLOAD_INCOMPLETE'],
  ])('never gets a name when it %s', async (__, content, code) => {
    const traced = await manyWorld(traits);
    traced.trace.length = 0;
    await expect(write(traced, holding(content, { said: 'new' }))).rejects.toMatchObject({ code, retryable: true });
    expect(traced.changes().filter((operation) => operation.startsWith('createFile'))).toEqual([]);
    nothingIsLeft(traced);
  });

  it('is made in a new directory, but no directory is made for content that is damaged', async () => {
    const traced = await manyWorld(traits);
    const writeAnew = (source: Source) => traced.replica.write('new/f', source, null, {});
    await expect(writeAnew(holding('nEw', { said: 'new' }))).rejects.toMatchObject({ code: 'ERR_CONTENT_MISMATCH' });
    nothingIsLeft(traced);
    expect(await writeAnew(holding('new'))).toMatchObject({ outcome: 'done' });
    expect([traced.world.read('new/f'), traced.world.staged(), traced.world.openHandles()]).toEqual(['new', [], 0]);
  });

  it('is not begun with once the run was told to stop', async () => {
    const traced = await manyWorld(traits);
    await expect(write(traced, holding('new'), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    });
    nothingIsLeft(traced);
  });

  it.each(['createFile', 'write', 'setModified', 'sync', 'stat'])(
    'leaves nothing behind when the disk fails it in %s',
    async (operation) => {
      const traced = await manyWorld(traits);
      traced.before(`${operation} tmp/STAGED`, 'ENOSPC');
      await expect(write(traced)).rejects.toMatchObject({ code: 'ERR_DISK_FULL' });
      nothingIsLeft(traced);
    },
  );

  it('is made in a new private folder when somebody takes that away, while others use it', async () => {
    const traced = await manyWorld(traits);
    let second: Promise<unknown> | undefined;
    traced.before('sync tmp/STAGED', () => {
      traced.world.remove('.filecloudsync/tmp');
      second = traced.replica.write('a/second', holding('second'), null);
    });
    const first = write(traced, holding('first'));
    // One that another thread could not place is begun anew.
    if (traits.makesMany === true) expect(await first).toMatchObject({ outcome: 'done' });
    else await expect(first).rejects.toMatchObject({ code: 'ERR_DISK_FAILED', data: { errno: 'ENOENT' } });
    expect(await second).toMatchObject({ outcome: 'done' });
    expect(traced.world.read('a/second')).toBe('second');
    expect(traced.world.openHandles()).toBe(0);
  });

  it('is not placed when its source is another by then', async () => {
    const traced = await manyWorld(traits);
    const source = holding('new', {
      async verify() {
        throw new StaleError('the object was changed');
      },
    });
    await expect(write(traced, source)).rejects.toThrow('the object was changed');
    nothingIsLeft(traced);
  });

  it('is not placed once the run was told to stop', async () => {
    const traced = await manyWorld(traits);
    const stop = new AbortController();
    const source = holding('new', {
      async verify() {
        stop.abort();
      },
    });
    await expect(write(traced, source, { signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' });
    nothingIsLeft(traced);
  });

  it('tells the MD5 of its one part where a digest of parts proves it', async () => {
    const traced = await manyWorld({ ...traits, stageRangeBytes: 10 });
    const digest = `md5-10:${createHash('md5').update(createHash('md5').update('new').digest()).digest('hex')}-1`;
    const source = { ...holding('new'), entry: { ...holding('new').entry, digest } };
    expect(await write(traced, source)).toMatchObject({ digest, parts: { partSizeBytes: 10, md5s: [md5('new')] } });
  });

  it.each<[string, Partial<FileEntry>, Source['parts']]>([
    ['nobody knows its digest', { digest: undefined }, undefined],
    ['its digest is of a kind that is not ours', { digest: 'sha1:0' }, undefined],
    [
      'what is known of its parts is of something else',
      { digest: undefined },
      { partSizeBytes: 10, digest: 'md5-10:00000000000000000000000000000000-1', mayBe: () => true },
    ],
  ])('is in place, with no parts that anything would prove, where %s', async (__, entry, parts) => {
    const traced = await manyWorld({ ...traits, stageRangeBytes: 10 });
    const plain = holding('new');
    const written = await write(traced, { ...plain, entry: { ...plain.entry, ...entry }, parts });
    expect(written).toMatchObject({ outcome: 'done', parts: undefined });
    expect(traced.world.read('a/f')).toBe('new');
  });

  it('tells of no parts where its digest is that of the whole', async () => {
    expect(await write(await manyWorld(traits))).toMatchObject({ outcome: 'done', parts: undefined });
  });

  it('gets the rights of the version before, and those of any new file where there was none', async () => {
    const traced = await manyWorld(traits);
    await write(traced);
    expect(traced.world.disk.user.modeOf('a/f')).toBe(0o644);
    const inode = traced.world.disk.user.find('a/other');
    if (inode === undefined) throw new Error('the file is there');
    inode.mode = 0o600;
    const entry = await observeFile(traced.replica, 'a/other');
    expect(await traced.replica.write('a/other', holding('new'), expecting(entry))).toMatchObject({ outcome: 'done' });
    expect(traced.world.disk.user.modeOf('a/other')).toBe(0o600);
    expect(traced.world.read('a/other')).toBe('new');
  });

  it('keeps the time of its making where none is known', async () => {
    const traced = await manyWorld(traits);
    const plain = holding('new');
    traced.trace.length = 0;
    await write(traced, { ...plain, entry: { ...plain.entry, modifiedMs: undefined } });
    expect(traced.trace).not.toContain('setModified tmp/STAGED');
  });

  it('is read in ranges when it has two parts, as its digest tells', async () => {
    const traced = await manyWorld({ ...traits, stageRangeBytes: 2 });
    const sum = (text: string) => createHash('md5').update(text).digest();
    const digest = `md5-2:${createHash('md5')
      .update(Buffer.concat([sum('ne'), sum('w')]))
      .digest('hex')}-2`;
    const plain = holding('new');
    expect(await write(traced, { ...plain, entry: { ...plain.entry, digest } })).toMatchObject({
      outcome: 'done',
      digest,
    });
  });

  it('is read in ranges when it is larger than one', async () => {
    const traced = await manyWorld({ ...traits, stageRangeBytes: 2 });
    const ranges: number[] = [];
    const { read } = sourceOf('new');
    const source = holding('new', {
      read(start, end) {
        ranges.push(start, end);
        return read.call(this, start, end);
      },
    });
    expect(await write(traced, source)).toMatchObject({ outcome: 'done' });
    expect(ranges).toEqual([0, 2, 2, 3]);
    expect(traced.world.read('a/f')).toBe('new');
  });
});

describe('a file that gets its place by another thread', () => {
  it('is looked at before it is fetched, where its content is not here yet', async () => {
    const traced = await manyWorld();
    const source = { ...sourceOf('new'), read: () => expect.fail('it was fetched in vain') };
    expect(await traced.replica.write('a/other', source, null)).toMatchObject({ outcome: 'stale' });
    expect(traced.world.read('a/other')).toBe('other');
  });

  it('replaces nothing that appeared', async () => {
    const traced = await manyWorld();
    traced.before('link tmp/STAGED', () => traced.world.write('a/f', 'appeared'));
    expect(await write(traced)).toEqual({
      outcome: 'stale',
      message: '"a/f" was expected to be free, but something stands there.',
    });
    expect(traced.world.read('a/f')).toBe('appeared');
    expect([traced.world.staged(), traced.world.openHandles()]).toEqual([[], 0]);
  });

  it('counts its bytes once, also where it has to be written alone in the end', async () => {
    const traced = await manyWorld();
    traced.before('link tmp/STAGED', 'EIO');
    let told = 0;
    expect(await write(traced, holding('new'), { onBytes: (count: number) => (told += count) })).toMatchObject({
      outcome: 'done',
    });
    expect([told, traced.world.read('a/f')]).toEqual([3, 'new']);
  });

  it('is told of as it was made where somebody has written to it already', async () => {
    const traced = await manyWorld();
    traced.before('unlink tmp/STAGED', () => traced.world.write('a/f', 'edited', Date.now()));
    const written = await write(traced);
    const entry = await observeFile(traced.replica, 'a/f');
    expect(written).toMatchObject({ outcome: 'done', entry: { sizeBytes: 3 } });
    expect(entry.sizeBytes).toBe(6);
  });

  it('is as racy as a file that is seen in the tick of its change', async () => {
    const traced = await manyWorld();
    const plain = holding('new');
    const written = await write(traced, { ...plain, entry: { ...plain.entry, modifiedMs: undefined } });
    expect(written).toMatchObject({ outcome: 'done', entry: { racy: true } });
  });

  it('takes the place of a folder that holds nothing but empty folders', async () => {
    const traced = await manyWorld();
    traced.world.makeDirectory('a/f/empty');
    expect(await write(traced)).toMatchObject({ outcome: 'done' });
    expect(traced.world.read('a/f')).toBe('new');
  });

  it('goes where the path leads when its folder was moved away', async () => {
    const traced = await manyWorld();
    traced.before('sync tmp/STAGED', () => traced.world.rename('a', 'moved'));
    expect(await write(traced)).toMatchObject({ outcome: 'done' });
    expect(traced.world.tree()).toEqual({
      'a/': 'directory',
      'a/f': 'new',
      'moved/': 'directory',
      'moved/other': 'other',
    });
    expect(traced.world.openHandles()).toBe(0);
  });

  it('goes nowhere when another folder stands in the place of the root', async () => {
    const traced = await manyWorld();
    traced.before('sync tmp/STAGED', () => {
      traced.world.rename('/folder', '/moved');
      traced.world.makeDirectory('/folder/a');
    });
    await expect(write(traced)).rejects.toBeInstanceOf(HaltError);
    expect(traced.world.tree()).toEqual({ 'a/': 'directory' });
    expect(traced.world.openHandles()).toBe(0);
  });

  it('is put there once, without links, on a disk that has none', async () => {
    const traced = await manyWorld({ makesMany: true, noHardLinks: true });
    traced.trace.length = 0;
    expect(await write(traced)).toMatchObject({ outcome: 'done' });
    expect(traced.trace.filter((operation) => operation === 'createFile tmp/STAGED')).toHaveLength(1);
    expect(traced.world.read('a/f')).toBe('new');
    expect([traced.world.staged(), traced.world.openHandles()]).toEqual([[], 0]);
  });

  it('is not done when its name could not be made durable', async () => {
    const traced = await manyWorld();
    traced.before('sync a', 'EIO');
    await expect(write(traced)).rejects.toMatchObject({ code: 'ERR_DISK_IO' });
    expect(traced.world.openHandles()).toBe(0);
  });
});
