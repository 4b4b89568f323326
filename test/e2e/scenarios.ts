import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, symlink, utimes } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SyncResult } from '../../src/s3/index.js';
import { World, type Machine, type ServerUnderTest } from './world.js';

const MIB = 1024 * 1024;
const LATER = new Date(Date.now() + 3_600_000);
const EARLIER = new Date(Date.now() - 3_600_000);

/** Changes in words, sorted: they may be carried in any order. */
function told(result: SyncResult): string[] {
  return result.map(({ key, operation, location }) => `${operation} ${key} (${location})`).sort();
}

/** What a store cannot do that others can. */
export interface StoreTraits {
  /** It keeps each object as a file of that name: no file beside a folder of one name, no names that its disk does not take. */
  readonly keysAreFiles?: boolean;
}

/** Everything that a person expects of a two-way sync, on one server. */
export function describeScenarios(serverName: string, server: () => ServerUnderTest, store: StoreTraits = {}): void {
  describe(serverName, () => {
    let world: World;
    let a: Machine;
    let b: Machine;

    beforeEach(async () => {
      world = new World(server());
      await world.open();
      a = await world.machine();
      b = await world.machine();
    });

    afterEach(async () => {
      await world.close();
    });

    /** Everything is the same everywhere, and another run finds nothing to do. */
    async function expectSettled(...machines: Machine[]): Promise<void> {
      for (const machine of machines) {
        expect(told(await machine.sync())).toEqual([]);
        const files = await machine.files();
        expect(Object.keys(files).sort()).toEqual((await world.keys()).sort());
        for (const [key, content] of Object.entries(files)) expect(await world.get(key)).toBe(content);
      }
    }

    describe('the table of changes', () => {
      beforeEach(async () => {
        for (const key of ['r01', 'r02', 'r03', 'r04', 'r06', 'r07', 'r08', 'r09', 'r10'])
          await a.write(key, `base ${key}`);
        expect(await a.sync()).toHaveLength(9);
      });

      it('carries every kind of change in one run', async () => {
        await world.put('r02', 'from the bucket');
        await a.write('r03', 'from the folder');
        await world.put('r04', 'the same on both');
        await a.write('r04', 'the same on both');
        await world.remove('r06');
        await a.remove('r07');
        await a.write('r08', 'edited here');
        await world.remove('r08');
        await a.remove('r09');
        await world.put('r09', 'edited there');
        await a.remove('r10');
        await world.remove('r10');
        await a.write('r11/new', 'created here');
        await world.put('r12/new', 'created there');
        await a.write('r13', 'created on both');
        await world.put('r13', 'created on both');

        const result = await a.sync();

        expect(result.problems).toEqual([]);
        expect(told(result)).toEqual([
          'added r08 (local)',
          'added r09 (bucket)',
          'added r11/new (local)',
          'added r12/new (bucket)',
          'deleted r06 (bucket)',
          'deleted r07 (local)',
          'modified r02 (bucket)',
          'modified r03 (local)',
        ]);
        expect(await a.trash()).toEqual(expect.arrayContaining(['base r02', 'base r06']));
        await expectSettled(a);
      });

      it('says beforehand what it would do, and touches nothing', async () => {
        await a.write('r03', 'from the folder');
        await world.put('r12', 'created there');
        const before = [await a.files(), await world.keys()];
        const changes = await a.check();
        expect(changes.map(({ key, operation }) => `${operation} ${key}`).sort()).toEqual([
          'added r12',
          'modified r03',
        ]);
        expect([await a.files(), await world.keys()]).toEqual(before);
        expect(told(await a.sync())).toEqual(['added r12 (bucket)', 'modified r03 (local)']);
      });

      it('carries a file that is touched, moved aside and back, or copied over itself without sending it again', async () => {
        await utimes(a.at('r01'), LATER, LATER);
        await rename(a.at('r02'), a.at('elsewhere'));
        await rename(a.at('elsewhere'), a.at('r02'));
        const content = await a.read('r03');
        await a.remove('r03');
        await a.write('r03', content);
        expect(told(await a.sync())).toEqual([]);
        expect(told(await a.sync())).toEqual([]);
      });

      it('sees an edit that keeps size and mtime', async () => {
        const before = await stat(a.at('r01'));
        await a.write('r01', 'Base r01', before.mtime);
        expect(told(await a.sync())).toEqual(['modified r01 (local)']);
        expect(await world.get('r01')).toBe('Base r01');
      });

      it('takes a file with an older mtime as the edit it is', async () => {
        await a.write('r01', 'restored from a backup', EARLIER);
        expect(told(await a.sync())).toEqual(['modified r01 (local)']);
      });
    });

    describe('two machines', () => {
      it('end up the same, with modification times', async () => {
        const time = new Date(1_600_000_000_123);
        await a.write('deep/in/the/tree.txt', 'leaf', time);
        await a.sync();
        await b.sync();
        expect(await b.read('deep/in/the/tree.txt')).toBe('leaf');
        expect(await b.mtime('deep/in/the/tree.txt')).toBeCloseTo(time.getTime(), 0);
        expect(await a.mtime('deep/in/the/tree.txt')).toBeCloseTo(time.getTime(), 0);
        await b.write('deep/in/the/tree.txt', 'leaf of b');
        await b.sync();
        expect(told(await a.sync())).toEqual(['modified deep/in/the/tree.txt (bucket)']);
        await b.remove('deep');
        await b.sync();
        await a.sync();
        expect(await a.files()).toEqual({});
        await expect(stat(a.at('deep'))).rejects.toThrow('ENOENT');
        await expect(stat(a.folder)).resolves.toBeDefined();
      }, 60_000);

      it('that both edit keep both versions', async () => {
        await a.write('plan.md', 'base');
        await a.sync();
        await b.sync();
        await a.write('plan.md', 'of a', EARLIER);
        await b.write('plan.md', 'of b', LATER);
        await a.sync();
        const result = await b.sync();
        expect(result.conflicts).toMatchObject([{ path: 'plan.md', resolution: 'local', trashed: 'remote' }]);
        await a.sync();
        expect(await a.read('plan.md')).toBe('of b');
        expect(await b.trash()).toContain('of a');
        expect(await a.trash()).toContain('of a');
        await expectSettled(a, b);
      });
    });

    describe('conflicts', () => {
      async function conflict(localTime: Date): Promise<void> {
        await world.put('x.txt', 'bucket', { mtime: String(Date.now() / 1000) });
        await a.write('x.txt', 'folder', localTime);
      }

      it.each([
        ['newest', LATER, 'folder'],
        ['newest', EARLIER, 'bucket'],
        ['local', EARLIER, 'folder'],
        ['bucket', LATER, 'bucket'],
      ] as const)(
        'by %s with the folder at %s are won by the %s, and the loser is kept',
        async (policy, time, winner) => {
          await conflict(time);
          await a.sync({ conflict: policy });
          expect(await a.read('x.txt')).toBe(winner);
          expect(await world.get('x.txt')).toBe(winner);
          expect(await a.trash()).toEqual([winner === 'folder' ? 'bucket' : 'folder']);
          await expectSettled(a);
        },
      );

      it.each(['newest', 'keep-both'] as const)(
        'by %s with equal times keep both versions under two names',
        async (policy) => {
          const now = new Date();
          await world.put('x.txt', 'bucket', { mtime: String(now.getTime() / 1000) });
          await a.write('x.txt', 'folder', now);
          const result = await a.sync({ conflict: policy });
          const files = await a.files();
          expect(files['x.txt']).toBe('bucket');
          expect(Object.keys(files)).toHaveLength(2);
          expect(Object.entries(files).find(([key]) => /^x \(conflict .+\)\.txt$/.test(key))?.[1]).toBe('folder');
          expect(result.conflicts).toMatchObject([{ path: 'x.txt', resolution: 'keep-both' }]);
          await expectSettled(a);
        },
      );

      it('wait for a person under manual, without being read again, until one is settled', async () => {
        await conflict(LATER);
        for (let i = 0; i < 2; i++) {
          const result = await a.sync({ conflict: 'manual' });
          expect(result.conflicts).toMatchObject([{ path: 'x.txt', resolution: 'manual' }]);
          expect([await a.read('x.txt'), await world.get('x.txt')]).toEqual(['folder', 'bucket']);
        }
        await a.write('x.txt', 'bucket');
        expect((await a.sync({ conflict: 'manual' })).conflicts).toEqual([]);
      });

      it('are asked of a function', async () => {
        await conflict(EARLIER);
        await a.sync({
          conflict: ({ path: at, local, remote }) =>
            at === 'x.txt' && local.sizeBytes === remote.sizeBytes ? 'local' : 'bucket',
        });
        expect(await world.get('x.txt')).toBe('folder');
      });
    });

    describe('readonly', () => {
      it('never writes to the bucket, remembers what was not uploaded, and uploads it later', async () => {
        await world.put('edited', '1');
        await world.put('deleted', '1');
        await world.put('both', '1');
        await a.sync({ readonly: true });
        await a.write('edited', 'mine');
        await a.write('created', 'mine');
        await a.write('both', 'mine');
        await a.remove('deleted');
        await world.put('both', 'theirs');
        const result = await a.sync({ readonly: true });
        expect(told(result)).toEqual(['modified both (bucket)']);
        expect(result.held.map(({ path: at, reason }) => `${at} ${reason}`).sort()).toEqual([
          'created readonly',
          'deleted readonly',
          'edited readonly',
        ]);
        expect(await a.trash()).toContain('mine');
        expect([await world.get('edited'), await world.get('deleted'), await world.get('both')]).toEqual([
          '1',
          '1',
          'theirs',
        ]);
        expect(await world.keys()).toEqual(['both', 'deleted', 'edited']);
        expect(await a.files()).toEqual({ edited: 'mine', created: 'mine', both: 'theirs' });
        expect(told(await a.sync())).toEqual([
          'added created (local)',
          'deleted deleted (local)',
          'modified edited (local)',
        ]);
        await expectSettled(a);
      });
    });

    describe('selection', () => {
      it('by files looks at nothing else, and forgets nothing', async () => {
        for (const key of ['a', 'b', 'c']) await a.write(key, key);
        await a.sync();
        await a.write('a', 'edited');
        await a.remove('b');
        expect(told(await a.sync({ files: ['a'] }))).toEqual(['modified a (local)']);
        expect(told(await a.sync({ files: [] }))).toEqual([]);
        expect(await world.keys()).toEqual(['a', 'b', 'c']);
        expect(told(await a.sync())).toEqual(['deleted b (local)']);
      });

      it('by patterns and an ignore file leaves the rest alone on both sides', async () => {
        await a.write('keep.txt', '1');
        await a.write('node_modules/x/y.js', '1');
        await a.write('draft.tmp', '1');
        await a.write('.filecloudsyncignore', '*.tmp\n');
        await world.put('there.tmp', '1');
        await world.put('node_modules/z', '1');
        await a.sync({ exclude: ['node_modules/'] });
        expect((await world.keys()).sort()).toEqual([
          '.filecloudsyncignore',
          'keep.txt',
          'node_modules/z',
          'there.tmp',
        ]);
        expect(Object.keys(await a.files())).not.toContain('there.tmp');
      });

      it('that changes never deletes anything', async () => {
        for (const key of ['a.txt', 'b.log', 'c/d.log']) await a.write(key, key);
        await a.sync();
        expect(told(await a.sync({ exclude: ['*.log'] }))).toEqual([]);
        await a.remove('b.log');
        expect(told(await a.sync({ include: ['*.txt'] }))).toEqual([]);
        expect(told(await a.sync())).toEqual(['added b.log (bucket)']);
        await expectSettled(a);
      });

      it('by prefix sees keys without it, and nothing beside it', async () => {
        const inside = await world.machine(`s3://${world.bucket}/team +%ü/in`);
        await world.put('team +%ü/in/x', '1');
        await world.put('team +%ü/inside', '2');
        await inside.write('y/z', '3');
        expect(told(await inside.sync())).toEqual(['added x (bucket)', 'added y/z (local)']);
        expect(await inside.files()).toEqual({ x: '1', 'y/z': '3' });
        expect(await world.keys()).toEqual(['team +%ü/in/x', 'team +%ü/in/y/z', 'team +%ü/inside']);
      });
    });

    describe('a side that vanishes', () => {
      beforeEach(async () => {
        for (let i = 0; i < 12; i++) await a.write(`file-${i}`, String(i));
        await a.sync();
      });

      it.each([
        // The old folder stays somewhere, so that the new one cannot get its inode.
        [
          'another, empty folder in its place',
          () => rename(a.folder, `${a.folder}-gone`).then(() => mkdir(a.folder)),
          'ERR_ROOT_REPLACED',
        ],
        [
          'a folder of which every file is gone',
          async () => {
            for (let i = 0; i < 12; i++) await a.remove(`file-${i}`);
          },
          'ERR_SIDE_EMPTY',
        ],
        [
          'an emptied bucket',
          async () => {
            for (const key of await world.keys()) await world.remove(key);
          },
          'ERR_SIDE_EMPTY',
        ],
        [
          'more deletions than allowed',
          async () => {
            for (let i = 0; i < 11; i++) await a.remove(`file-${i}`);
          },
          'ERR_TOO_MANY_DELETIONS',
        ],
      ])('%s halts the run', async (_name, vanish, code) => {
        await vanish();
        const before = [await a.files(), await world.keys()];
        await expect(a.sync()).rejects.toMatchObject({ name: 'HaltError', code });
        expect([await a.files(), await world.keys()]).toEqual(before);
      });

      it('lets a person say that the deletions are meant', async () => {
        for (const key of await world.keys()) await world.remove(key);
        expect(await a.sync({ maxDelete: 1 })).toHaveLength(12);
        expect(await a.files()).toEqual({});
        expect(await a.trash()).toHaveLength(12);
      });

      it('refuses a folder that is missing or a file', async () => {
        await rename(a.folder, `${a.folder}-unmounted`);
        await expect(a.sync()).rejects.toMatchObject({ code: 'ERR_FOLDER_MISSING' });
        await rename(`${a.folder}-unmounted`, a.folder);
        expect(told(await a.sync())).toEqual([]);
      });

      it('rebuilds a lost memory and deletes nothing', async () => {
        await rm(a.stateDir, { recursive: true });
        await a.remove('file-3');
        await world.remove('file-4');
        expect(told(await a.sync())).toEqual(['added file-3 (bucket)', 'added file-4 (local)']);
        await expectSettled(a);
      });
    });

    describe('renames', () => {
      /** What a run sent and fetched, by the requests of the server; nothing where it does not count. */
      async function carried(run: () => Promise<unknown>): Promise<Record<string, number>> {
        const before = server().counts?.();
        await run();
        const after = server().counts?.();
        if (before === undefined || after === undefined) return {};
        const names = ['PutObject', 'UploadPart', 'CompleteMultipartUpload', 'GetObject'];
        return Object.fromEntries(
          names.map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)]).filter(([, count]) => count !== 0),
        );
      }

      it('of a whole folder send nothing and fetch nothing, and are no deletions for the guard', async () => {
        const time = new Date(1_600_000_000_000);
        for (let i = 0; i < 14; i++) await a.write(`old/sub/${i}.txt`, `content ${i}`, time);
        await a.write('old/empty', '', time);
        await a.write('old/large.bin', randomBytes(6 * MIB), time);
        await a.sync({ partSizeMiB: 5 });
        await b.sync({ partSizeMiB: 5 });
        await rename(a.at('old'), a.at('new'));
        expect(await carried(() => a.sync({ partSizeMiB: 5 }))).toEqual({});
        expect(await carried(() => b.sync({ partSizeMiB: 5 }))).toEqual({});
        expect(await b.files()).toEqual(await a.files());
        expect(await b.mtime('new/sub/3.txt')).toBeCloseTo(time.getTime(), 0);
        expect(await b.trash()).toEqual([]);
        await expect(stat(b.at('old'))).rejects.toThrow('ENOENT');
        await expectSettled(a, b);
      }, 60_000);

      it('are told beforehand, and afterwards, as an addition and a deletion', async () => {
        await a.write('a.txt', 'content');
        await a.write('other', 'content of another');
        await a.sync();
        await rename(a.at('a.txt'), a.at('b.html'));
        const expected = ['added b.html (local)', 'deleted a.txt (local)'];
        const changes = await a.check();
        expect(changes.map(({ key, operation, location }) => `${operation} ${key} (${location})`).sort()).toEqual(
          expected,
        );
        expect(await world.keys()).toEqual(['a.txt', 'other']);
        expect(told(await a.sync())).toEqual(expected);
        expect(await world.contentType('b.html')).toBe('text/html');
        await expectSettled(a);
      });

      it('with an edit in between, here or there, keep both versions', async () => {
        for (const name of ['here', 'there', 'stays']) await a.write(`old/${name}`, `base ${name}`);
        await a.sync();
        await b.sync();
        await rename(a.at('old'), a.at('new'));
        await a.write('new/here', 'edited here');
        await b.write('old/there', 'edited there');
        await b.sync();
        await a.sync();
        await b.sync();
        expect(await a.files()).toEqual({
          'new/here': 'edited here',
          'new/there': 'base there',
          'new/stays': 'base stays',
          'old/there': 'edited there',
        });
        await expectSettled(a, b);
      });

      it('of copies with another time bring the time along', async () => {
        const [before, after] = [new Date(1_500_000_000_000), new Date(1_600_000_000_000)];
        await a.write('old/name', 'content', before);
        await a.write('other', 'content of another');
        await a.sync();
        await b.sync();
        await a.remove('old');
        await a.write('new/name', 'content', after);
        expect(await carried(() => a.sync())).toEqual({});
        await b.sync();
        expect(await b.mtime('new/name')).toBeCloseTo(after.getTime(), 0);
        await expectSettled(a, b);
      });
    });

    describe('names', () => {
      it('of every legal kind travel both ways', async () => {
        const names = [
          'with space',
          'plus+sign',
          'per%20cent',
          'new\nline',
          'quo\'te"s',
          'ünï/cödé',
          '😀/🎉',
          '~',
          '.hidden',
          'a&b=c?d#e',
          '[x]{y}',
          'back\\slash',
          'ﬁ',
          '\u00e9',
          'e\u0301',
          ' leading',
          'x'.repeat(store.keysAreFiles === true ? 200 : 255),
        ];
        for (const name of names) await a.write(name, name);
        await a.sync();
        expect((await world.keys()).sort()).toEqual(names.toSorted());
        const result = await b.sync();
        expect(result.problems).toEqual([]);
        expect(Object.keys(await b.files()).sort()).toEqual(names.toSorted());
        for (const name of names) await world.put(name, `${name} again`);
        await a.sync();
        for (const name of names) expect(await a.read(name)).toBe(`${name} again`);
      }, 60_000);

      it.runIf(store.keysAreFiles !== true)('that a disk cannot hold are reported and left alone', async () => {
        const outside = path.join(path.dirname(a.folder), 'evil.txt');
        for (const key of [
          '../evil.txt',
          '/absolute',
          'a//b',
          'x/../y',
          './dot',
          'dir/',
          `${'z'.repeat(256)}/long`,
          'fine',
        ])
          await world.put(key, 'hostile');
        const keys = await world.keys();
        const result = await a.sync();
        expect(await a.files()).toEqual({ fine: 'hostile' });
        await expect(stat(outside)).rejects.toThrow('ENOENT');
        expect(new Set(result.problems.map(({ path: at }) => at)).size).toBe(keys.length - 1);
        expect(await world.keys()).toEqual(keys);
        expect(told(await a.sync())).toEqual([]);
      });

      it('of a file and of a folder at once are held, and files become folders and back', async () => {
        await a.write('kind', 'file');
        await a.sync();
        await b.sync();
        await a.remove('kind');
        await a.write('kind/inside', 'now a folder');
        await a.sync();
        expect(told(await b.sync())).toEqual(['added kind/inside (bucket)', 'deleted kind (bucket)']);
        await b.remove('kind');
        await b.write('kind', 'a file again');
        await b.sync();
        await a.sync();
        expect(await a.files()).toEqual({ kind: 'a file again' });
        if (store.keysAreFiles === true) return;
        await world.put('kind/below', 'both in the bucket');
        const held = await a.sync();
        expect(held.problems.map(({ code }) => code)).toEqual(['ERR_KIND_COLLISION']);
        expect(await a.files()).toEqual({ kind: 'a file again' });
      });
    });

    describe('kinds of files', () => {
      it('skips links, and never follows them', async () => {
        await a.write('real', '1');
        await symlink('/etc', a.at('link'));
        await symlink('nowhere', a.at('dangling'));
        await world.put('link/passwd', 'not yours');
        const result = await a.sync();
        expect(await world.keys()).toEqual(['link/passwd', 'real']);
        expect(result.problems.every(({ severity }) => severity === 'notice')).toBe(true);
        expect(await readFile('/etc/passwd', 'utf8')).not.toContain('not yours');
      });

      it('carries empty files, files of a part, of a byte more, and of many parts', async () => {
        const sizes = [0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 13 * MIB + 7];
        const contents = new Map<string, Buffer>(sizes.map((size) => [`size-${size}`, randomBytes(size)]));
        for (const [key, content] of contents) await a.write(key, content);
        expect(await a.sync({ partSizeMiB: 5 })).toHaveLength(sizes.length);
        expect(await b.sync({ partSizeMiB: 5 })).toHaveLength(sizes.length);
        for (const [key, content] of contents) {
          expect((await world.bytes(key)).equals(content), key).toBe(true);
          expect((await readFile(b.at(key))).equals(content), key).toBe(true);
        }
        // The same contents on a machine without a memory are recognised, part sizes or not.
        await rm(b.stateDir, { recursive: true });
        expect(told(await b.sync())).toEqual([]);
      }, 120_000);
    });

    it('asks the bucket for nothing but its list when nothing changed', async () => {
      const { counts } = server();
      for (let i = 0; i < 20; i++) await a.write(`f${i}`, String(i));
      await a.sync();
      await a.sync();
      const before = counts?.();
      await a.sync();
      const after = counts?.();
      if (before === undefined || after === undefined) return;
      const asked = Object.entries(after).filter(([operation, count]) => count !== (before[operation] ?? 0));
      // One to see that the bucket can be listed, one to list it.
      expect(asked.map(([operation, count]) => [operation, count - (before[operation] ?? 0)])).toEqual([
        ['ListObjectsV2', 2],
      ]);
    });
  });
}
