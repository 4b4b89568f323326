import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StaleError } from '../../errors.js';
import type { LocalReplica } from './local-replica.js';
import {
  expecting,
  observeFile,
  OLD_MS,
  preparedReplica,
  replicaOf,
  scanAll,
  sourceOf,
  WORLDS,
} from '../../../test/local/local-world.js';
import type { World } from '../../../test/local/local-world.js';

const md5 = (data: string | Uint8Array): string => createHash('md5').update(data).digest('hex');

async function bytesOf(
  source: { read(start: number, end: number): AsyncIterable<Uint8Array> },
  size: number,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.read(0, size)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Lets the tick of the disk's clock pass; a simulated one goes on by itself. */
function passTick(): void {
  const until = performance.now() + 15;
  while (performance.now() < until);
}

describe.each(WORLDS)('local replica on %s', (_, create) => {
  let world: World;
  let replica: LocalReplica;
  beforeEach(async () => {
    world = create();
    replica = await preparedReplica(world);
  });
  afterEach(() => {
    expect(world.outside()).toEqual({ canary: 'canary' });
    expect(world.openHandles()).toBe(0);
    world.dispose();
  });

  describe('prepare', () => {
    it('refuses a missing folder and does not create it', async () => {
      const missing = replicaOf(world, { root: `${world.root}/none` });
      await expect(missing.prepare({ readonly: false })).rejects.toMatchObject({ code: 'ERR_FOLDER_MISSING' });
      expect(world.tree()).toEqual({});
    });

    it('refuses a file', async () => {
      world.write('plain', 'x');
      await expect(
        replicaOf(world, { root: `${world.root}/plain` }).prepare({ readonly: false }),
      ).rejects.toMatchObject({ code: 'ERR_FOLDER_NOT_A_DIRECTORY' });
    });

    it('writes nothing when nothing may be written', async () => {
      world.remove('.filecloudsync');
      await replicaOf(world).prepare({ readonly: true });
      expect(world.read('.filecloudsync')).toBeUndefined();
    });

    it('finds a disk that tells names apart, and leaves nothing behind', async () => {
      const capabilities = await replicaOf(world).prepare({ readonly: false });
      expect(capabilities).toMatchObject({
        caseSensitive: true,
        normalizationSensitive: true,
        conditionalWrite: 'all',
      });
      expect(world.staged()).toEqual([]);
    });

    it('does not follow a link in the place of its own folder', async () => {
      world.remove('.filecloudsync');
      world.symlink('/outside', '.filecloudsync');
      await expect(replicaOf(world).prepare({ readonly: false })).rejects.toMatchObject({
        code: 'ERR_PRIVATE_FOLDER_BLOCKED',
      });
    });
  });

  describe('scan', () => {
    it('gives the files in the byte order of their paths', async () => {
      for (const path of ['a/z', 'a.b', 'a', 'b', 'ab/c', '\u{1F600}', '\uFF61', 'é/1', 'a-1/x/y', 'a0'].filter(
        (p) => p !== 'a',
      ))
        world.write(path, path);
      const { entries, problems } = await scanAll(replica);
      const paths = entries.map((entry) => entry.path);
      expect(paths).toEqual([...paths].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y))));
      expect(paths).toHaveLength(9);
      expect(problems).toEqual([]);
    });

    it('reports links without following them', async () => {
      world.write('real/file', 'x');
      world.symlink('/outside', 'link');
      world.symlink('/outside/canary', 'real/link');
      const { entries } = await scanAll(replica);
      expect(entries.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
        'symlink link',
        'file real/file',
        'symlink real/link',
      ]);
    });

    it('gives one untracked entry for a folder that is left out, in its place', async () => {
      for (const path of ['a!', 'a/1', 'a/2', 'a0', 'b']) world.write(path, 'x');
      const { entries } = await scanAll(replica, {
        includesFile: (path) => path !== 'b',
        mayContain: (path) => path !== 'a',
      });
      expect(entries.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
        'file a!',
        'untracked a',
        'file a0',
        'untracked b',
      ]);
      expect(entries[1]).toMatchObject({ subtree: true, reason: 'filter' });
    });

    it('gives files with size, time and a fingerprint that observe gives as well', async () => {
      world.write('d/f', 'hello');
      const { entries } = await scanAll(replica);
      expect(entries[0]).toMatchObject({ kind: 'file', path: 'd/f', sizeBytes: 5, modifiedSource: 'mtime' });
      expect(entries[0]).not.toHaveProperty('racy');
      expect(await observeFile(replica, 'd/f')).toEqual(entries[0]);
    });

    it('notices an edit that keeps size and time', async () => {
      world.write('f', 'one', OLD_MS);
      const entry = await observeFile(replica, 'f');
      passTick();
      world.write('f', 'two', OLD_MS);
      expect((await observeFile(replica, 'f')).fingerprint).not.toBe(entry.fingerprint);
    });

    it('marks a file racy that was changed just now', async () => {
      world.write('f', 'x', world.runtime.clock.nowMs());
      expect(await observeFile(replica, 'f')).toMatchObject({ racy: true });
    });

    it('throws when the folder was exchanged for another', async () => {
      world.write('f', 'x');
      await scanAll(replica);
      world.rename(world.name === 'simulated disk' ? '/folder' : '/folder', '/outside/moved');
      world.makeDirectory('');
      await expect(scanAll(replica)).rejects.toMatchObject({ code: 'ERR_FOLDER_REPLACED' });
      world.remove('/outside/moved');
    });
  });

  describe('observe', () => {
    it('tells files, folders, links and nothing apart', async () => {
      world.write('d/f', 'x');
      world.symlink('/outside', 'link');
      expect(await replica.observe('d')).toEqual({ kind: 'directory', path: 'd' });
      expect(await replica.observe('link')).toEqual({ kind: 'symlink', path: 'link' });
      expect(await replica.observe('none')).toBeNull();
      expect(await replica.observe('d/none/none')).toBeNull();
      expect(await replica.observe('d/f/below')).toBeNull();
    });

    it('calls a path below a link problematic, never absent', async () => {
      world.symlink('/outside', 'link');
      expect(await replica.observe('link/canary')).toMatchObject({
        kind: 'problematic',
        problem: { code: 'ERR_SYMLINK_IN_PATH' },
      });
      expect(await replica.observe('link/none')).toMatchObject({ kind: 'problematic' });
    });

    it.each([
      '../outside/canary',
      '/etc/passwd',
      'a//b',
      '.',
      'a/../../outside/canary',
      '.filecloudsync/tmp/x',
      'a\0b',
    ])('refuses %j', async (path) => {
      expect(await replica.observe(path)).toMatchObject({ kind: 'problematic' });
      await expect(replica.write(path, sourceOf('evil'), null)).rejects.toMatchObject({ name: 'PathError' });
    });
  });

  describe('open', () => {
    it('reads any range of the observed version', async () => {
      const data = Buffer.alloc(700_000, 'abcdefg');
      world.write('f', data);
      const source = await replica.open(await observeFile(replica, 'f'));
      expect((await bytesOf(source, data.length)).equals(data)).toBe(true);
      await source.verify();
      await source.close();
    });

    it('is stale when the file was changed before', async () => {
      world.write('f', 'one');
      const entry = await observeFile(replica, 'f');
      world.write('f', 'two!');
      await expect(replica.open(entry)).rejects.toBeInstanceOf(StaleError);
      world.remove('f');
      await expect(replica.open(entry)).rejects.toBeInstanceOf(StaleError);
    });

    it('is stale when the file was changed, replaced or cut while it was read', async () => {
      for (const change of [
        () => world.write('f', 'TWO'),
        () => {
          world.write('g', 'one');
          world.rename('g', 'f');
        },
        () => world.remove('f'),
      ]) {
        world.write('f', 'one');
        const source = await replica.open(await observeFile(replica, 'f'));
        change();
        await expect(source.verify()).rejects.toBeInstanceOf(StaleError);
        await source.close();
      }
      world.write('f', 'long content');
      const source = await replica.open(await observeFile(replica, 'f'));
      world.write('f', 'cut');
      await expect(bytesOf(source, 12)).rejects.toBeInstanceOf(StaleError);
      await source.close();
    });

    it('is stale when the folder of the file was moved elsewhere while it was read', async () => {
      world.write('d/f', 'one');
      const source = await replica.open(await observeFile(replica, 'd/f'));
      world.rename('d', 'elsewhere');
      await expect(source.verify()).rejects.toBeInstanceOf(StaleError);
      await source.close();
    });

    it('refuses a link in the place of the file or of a folder above it', async () => {
      world.write('d/canary', 'mine');
      const entry = await observeFile(replica, 'd/canary');
      world.rename('d', 'kept');
      world.symlink('/outside', 'd');
      await expect(replica.open(entry)).rejects.toMatchObject({ code: 'ERR_SYMLINK_IN_PATH' });
    });
  });

  describe('digest', () => {
    it('computes MD5 of the whole and of parts', async () => {
      const data = Buffer.alloc(2_500_000, 'xyz1');
      world.write('f', data);
      const entry = await observeFile(replica, 'f');
      expect(await replica.digest(entry, { partSizeBytes: undefined })).toBe(`md5:${md5(data)}`);
      const parts = [0, 1_000_000, 2_000_000].map((at) =>
        createHash('md5')
          .update(data.subarray(at, at + 1_000_000))
          .digest(),
      );
      expect(await replica.digest(entry, { partSizeBytes: 1_000_000 })).toBe(
        `md5-1000000:${md5(Buffer.concat(parts))}-3`,
      );
      expect(await replica.digest(entry, { partSizeBytes: 1_250_000 })).toMatch(/-2$/);
    });

    it('knows the digest of an empty file', async () => {
      world.write('f', '');
      const entry = await observeFile(replica, 'f');
      expect(await replica.digest(entry, replica.schemeFor(0))).toBe('md5:d41d8cd98f00b204e9800998ecf8427e');
    });
  });

  describe('write', () => {
    it('creates a file with its folders, time and digest, and leaves nothing staged', async () => {
      const result = await replica.write('a/b/c', sourceOf('hello'), null);
      expect(result).toMatchObject({ outcome: 'done', digest: `md5:${md5('hello')}`, entry: { sizeBytes: 5 } });
      expect(world.read('a/b/c')).toBe('hello');
      expect(world.staged()).toEqual([]);
      const entry = await observeFile(replica, 'a/b/c');
      expect(result).toMatchObject({ entry });
      expect(entry.modifiedMs).toBeCloseTo(OLD_MS + 5000, 2);
      expect(entry.racy).toBeUndefined();
    });

    it('replaces the expected version and keeps it in the trash', async () => {
      world.write('f', 'old');
      const noted: string[] = [];
      const noting = await preparedReplica(world, {
        beforeReplace: async (path) => {
          noted.push(`${path} ${world.read(path)}`);
        },
      });
      const result = await noting.write('f', sourceOf('new'), expecting(await observeFile(noting, 'f')));
      expect(result.outcome).toBe('done');
      expect(noted).toEqual(['f old']);
      expect(world.read('f')).toBe('new');
      const items = await noting.trash.list();
      expect(items).toMatchObject([{ path: 'f', sizeBytes: 3, reason: 'replaced', origin: 'local', runId: 'run1' }]);
      const source = await noting.trash.open(items[0]?.id ?? '');
      expect((await bytesOf(source, 3)).toString()).toBe('old');
      await source.close();
    });

    it('is stale, and changes nothing, when something else stands there', async () => {
      world.write('f', 'old');
      const entry = await observeFile(replica, 'f');
      expect(await replica.write('f', sourceOf('new'), null)).toMatchObject({ outcome: 'stale' });
      world.write('f', 'edited');
      expect(await replica.write('f', sourceOf('new'), expecting(entry))).toMatchObject({ outcome: 'stale' });
      world.remove('f');
      expect(await replica.write('f', sourceOf('new'), expecting(entry))).toMatchObject({ outcome: 'stale' });
      world.symlink('/outside/canary', 'f');
      expect(await replica.write('f', sourceOf('new'), null)).toMatchObject({ outcome: 'stale' });
      expect(await replica.write('f', sourceOf('new'), expecting(entry))).toMatchObject({ outcome: 'stale' });
      expect(world.staged()).toEqual([]);
      expect(await replica.trash.list()).toEqual([]);
    });

    it('is stale when the file is edited while the new version is fetched', async () => {
      world.write('f', 'old');
      const noted: string[] = [];
      const noting = await preparedReplica(world, {
        beforeReplace: async (path) => {
          noted.push(path);
        },
      });
      const source = sourceOf('new', { onVerify: () => world.write('f', 'edited meanwhile') });
      expect(await noting.write('f', source, expecting(await observeFile(noting, 'f')))).toMatchObject({
        outcome: 'stale',
      });
      expect(world.read('f')).toBe('edited meanwhile');
      expect(noted).toEqual([]);
    });

    it('does not replace a file that appears while the new one is fetched', async () => {
      const source = sourceOf('new', { onVerify: () => world.write('f', 'appeared') });
      expect(await replica.write('f', source, null)).toMatchObject({ outcome: 'stale' });
      expect(world.read('f')).toBe('appeared');
    });

    it('says so when a folder or a file stands in the way', async () => {
      world.write('d/f', 'x');
      await expect(replica.write('d', sourceOf('new'), null)).rejects.toMatchObject({
        code: 'ERR_DIRECTORY_IN_THE_WAY',
      });
      await expect(replica.write('d/f/below', sourceOf('new'), null)).rejects.toMatchObject({
        code: 'ERR_FILE_IN_THE_WAY',
      });
      expect(world.tree()).toEqual({ 'd/': 'directory', 'd/f': 'x' });
    });

    it('never writes through a link, at whatever level it stands', async () => {
      world.symlink('/outside', 'link');
      world.makeDirectory('a/b');
      world.symlink('/outside', 'a/b/link');
      for (const path of ['link/evil', 'link/canary', 'link/x/evil', 'a/b/link/evil', 'a/b/link/c/d']) {
        await expect(replica.write(path, sourceOf('evil'), null)).rejects.toMatchObject({
          code: 'ERR_SYMLINK_IN_PATH',
        });
      }
      expect(world.staged()).toEqual([]);
    });

    it('puts nothing into place that came short, long or damaged', async () => {
      const short = sourceOf('abc', { sizeBytes: 5 });
      short.read = async function* () {
        yield new TextEncoder().encode('abc');
      };
      await expect(replica.write('f', short, null)).rejects.toMatchObject({
        code: 'ERR_DOWNLOAD_INCOMPLETE',
        retryable: true,
      });
      const long = sourceOf('abc', { sizeBytes: 2 });
      long.read = async function* () {
        yield new TextEncoder().encode('abc');
      };
      await expect(replica.write('f', long, null)).rejects.toMatchObject({ code: 'ERR_DOWNLOAD_INCOMPLETE' });
      const damaged = sourceOf('abc', { digest: `md5:${md5('abd')}` });
      await expect(replica.write('f', damaged, null)).rejects.toMatchObject({
        code: 'ERR_CONTENT_MISMATCH',
        retryable: true,
      });
      expect(world.tree()).toEqual({});
      expect(world.staged()).toEqual([]);
    });

    it('fetches a large file in ranges and checks it against a digest of parts', async () => {
      const data = Buffer.alloc(5 * 1024 * 1024 + 17, 'range data ');
      const size = 1024 * 1024;
      const parts: Buffer[] = [];
      for (let at = 0; at < data.length; at += size)
        parts.push(
          createHash('md5')
            .update(data.subarray(at, at + size))
            .digest(),
        );
      const digest = `md5-${size}:${md5(Buffer.concat(parts))}-6`;
      let counted = 0;
      const source = sourceOf(data, { digest });
      expect(
        await replica.write('big', source, null, {
          onBytes: (n) => {
            counted += n;
          },
        }),
      ).toMatchObject({ outcome: 'done', digest });
      expect(source.reads).toBe(6);
      expect(counted).toBe(data.length);
      const wrong = sourceOf(data, { digest: `md5:${md5('other')}` });
      await expect(replica.write('big2', wrong, null)).rejects.toMatchObject({ code: 'ERR_CONTENT_MISMATCH' });
    });

    it('stops without leftovers when it is aborted', async () => {
      const stop = new AbortController();
      const source = sourceOf('x'.repeat(300_000), { chunk: 1000 });
      const writing = replica.write('f', source, null, { signal: stop.signal, onBytes: () => stop.abort() });
      await expect(writing).rejects.toMatchObject({ name: 'AbortError' });
      expect(world.staged()).toEqual([]);
      expect(world.tree()).toEqual({});
    });

    it('stages anew where its folder was taken away while another file was being staged', async () => {
      let second: ReturnType<typeof replica.write> | undefined;
      const first = sourceOf('one', {
        onVerify() {
          world.remove('.filecloudsync');
          second = replica.write('b', sourceOf('two'), null);
        },
      });
      await replica.write('a', first, null).catch(() => {});
      expect(await second).toMatchObject({ outcome: 'done' });
      expect(world.read('b')).toBe('two');
    });
  });

  describe('remove', () => {
    it('moves the file to the trash and removes the folders that became empty', async () => {
      world.write('a/b/c', 'gone');
      world.write('a/x', 'stays');
      expect(await replica.remove('a/b/c', expecting(await observeFile(replica, 'a/b/c')))).toEqual({
        outcome: 'done',
      });
      expect(world.tree()).toEqual({ 'a/': 'directory', 'a/x': 'stays' });
      expect(await replica.trash.list()).toMatchObject([{ path: 'a/b/c', reason: 'deleted', modifiedMs: OLD_MS }]);
      await replica.remove('a/x', expecting(await observeFile(replica, 'a/x')));
      expect(world.tree()).toEqual({});
    });

    it('is stale when the file was edited without a trace in size and time', async () => {
      world.write('f', 'old', OLD_MS);
      const entry = await observeFile(replica, 'f');
      passTick();
      world.write('f', 'odd', OLD_MS);
      expect(await replica.remove('f', expecting(entry))).toMatchObject({ outcome: 'stale' });
      expect(world.read('f')).toBe('odd');
    });

    it('is stale when the file was changed, and leaves it', async () => {
      world.write('f', 'old');
      const entry = await observeFile(replica, 'f');
      world.write('f', 'edited');
      expect(await replica.remove('f', expecting(entry))).toMatchObject({ outcome: 'stale' });
      expect(world.read('f')).toBe('edited');
      expect(await replica.trash.list()).toEqual([]);
    });
  });

  describe('move', () => {
    it('gives a file another path without sending it', async () => {
      world.write('f', 'x');
      const result = await replica.move('f', 'd/g', expecting(await observeFile(replica, 'f')));
      expect(result).toMatchObject({ outcome: 'done', entry: { path: 'd/g' } });
      expect(result).toMatchObject({ entry: await observeFile(replica, 'd/g') });
      expect(world.tree()).toEqual({ 'd/': 'directory', 'd/g': 'x' });
      expect(await replica.trash.list()).toEqual([]);
    });

    it('never replaces what stands there', async () => {
      world.write('f', 'x');
      world.write('g', 'y');
      expect(await replica.move('f', 'g', expecting(await observeFile(replica, 'f')))).toMatchObject({
        outcome: 'stale',
      });
      expect(world.tree()).toEqual({ f: 'x', g: 'y' });
    });
  });

  describe('trash', () => {
    it('keeps a version of the other side, and deletes it for good after its time', async () => {
      const item = await replica.trash.keep('p/q', sourceOf('remote'), { reason: 'lost-conflict' });
      expect(item).toMatchObject({ path: 'p/q', origin: 'remote', reason: 'lost-conflict', sizeBytes: 6 });
      expect(await replica.trash.list()).toEqual([item]);
      expect(await replica.purgeExpired()).toBe(0);
      expect(await replica.trash.purge((found) => found.id === item.id)).toBe(1);
      expect(await replica.trash.list()).toEqual([]);
      await expect(replica.trash.open(item.id)).rejects.toMatchObject({ code: 'ERR_TRASH_ITEM_NOT_FOUND' });
    });

    it.each(['../../outside', '..', '', 'x'])('does not look up %j', async (id) => {
      await expect(replica.trash.open(id)).rejects.toMatchObject({ code: 'ERR_TRASH_ITEM_NOT_FOUND' });
    });

    it('leaves out what it cannot explain, and never deletes it', async () => {
      world.write('.filecloudsync/trash/000000001-abc/content', 'precious');
      world.write('.filecloudsync/trash/000000001-abc/item.json', '{"version":1');
      expect(await replica.trash.list()).toEqual([]);
      expect(await replica.trash.purge(() => true)).toBe(0);
      await replica.cleanUp();
      expect(world.read('.filecloudsync/trash/000000001-abc/content')).toBe('precious');
    });
  });

  describe('cleanUp', () => {
    it('removes what dead runs staged, not what this run stages', async () => {
      world.write('.filecloudsync/tmp/run0-abc', 'x');
      world.write('.filecloudsync/tmp/run1-abc', 'x');
      world.write('.filecloudsync/trash/000000001-abc/item.json', '{}');
      await replica.cleanUp();
      expect(world.staged()).toEqual(['run1-abc']);
      expect(world.read('.filecloudsync/trash/000000001-abc/item.json')).toBeUndefined();
    });
  });

  it('reads the ignore file of the folder', async () => {
    expect(await replica.readIgnoreFile()).toBeUndefined();
    world.write('.filecloudsyncignore', '*.tmp\n');
    expect(await replica.readIgnoreFile()).toBe('*.tmp\n');
  });

  it('names the folder by device and inode', async () => {
    expect(await replica.rootIdentity()).toMatch(/^\d+-\d+$/);
  });
});
