import { beforeEach, describe, expect, it } from 'vitest';
import { HaltError, PathError } from '../../errors.js';
import { SimulatedFileSystem } from '../../testing/fs/simulated-file-system.js';
import { Folder, foldName } from './folder.js';

/** What a call rejects with; a test that expects an error and meets none has to say so. */
async function rejection(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: unknown) => error,
  );
}

describe('Folder', () => {
  let disk: SimulatedFileSystem;
  let folder: Folder;
  /** Everything that was asked of the disk. */
  let trace: string[];
  beforeEach(() => {
    trace = [];
    disk = new SimulatedFileSystem();
    disk.step = (operation) => void trace.push(operation);
    folder = new Folder(disk.root, 'linux', disk);
  });

  /** Opens and closes the place of a path, and answers where its parent is and its name. */
  async function placed(path: string, options?: { readonly make?: boolean }): Promise<string | undefined> {
    const place = await folder.place(path, options);
    if (place === undefined) return undefined;
    const inode = (await place.parent.stat()).inode;
    await place.parent.close();
    return `${inode} ${place.name}`;
  }
  const inodeOf = (path: string): string => String(disk.user.find(path)?.number);

  describe('open', () => {
    it('throws what the disk says when the folder cannot be opened at all', async () => {
      const missing = new Folder('/nowhere', 'linux', disk);
      expect(await rejection(missing.open())).toMatchObject({ code: 'ENOENT' });
    });

    it.each([
      ['is gone', 'ENOENT', () => disk.user.rename('/folder', '/elsewhere')],
      [
        'is a file now',
        'ENOTDIR',
        () => {
          disk.user.rename('/folder', '/elsewhere');
          disk.user.writeFile('/folder', 'x');
        },
      ],
    ])('halts when the folder that was open before %s', async (_, errno, change) => {
      await folder.identity();
      change();
      const error = await rejection(folder.open());
      expect(error).toBeInstanceOf(HaltError);
      expect(error).toMatchObject({
        code: 'ERR_FOLDER_MISSING',
        message: `The folder /folder disappeared during the run (${errno}). Nothing more was done; mount its disk, or put it back, and run again.`,
        cause: { code: errno },
      });
    });

    it('halts when a link that leads nowhere any more was the folder', async () => {
      await folder.identity();
      disk.failNth(1, 'ELOOP');
      expect(await rejection(folder.open())).toMatchObject({ code: 'ERR_FOLDER_MISSING' });
    });

    it('passes on any other error, which says nothing about whether the folder is there', async () => {
      await folder.identity();
      disk.failNth(1, 'EMFILE');
      expect(await rejection(folder.open())).toMatchObject({ code: 'EMFILE' });
      disk.step = (operation) => {
        if (operation.startsWith('openRoot')) throw new Error('something without a number');
      };
      expect(await rejection(folder.open())).toMatchObject({ message: 'something without a number' });
    });

    it('halts when another folder stands in its place, and holds nothing open', async () => {
      await folder.identity();
      disk.user.rename('/folder', '/elsewhere');
      disk.user.makeDirectory('/folder');
      const error = await rejection(folder.open());
      expect(error).toBeInstanceOf(HaltError);
      expect(error).toMatchObject({
        code: 'ERR_FOLDER_REPLACED',
        message:
          'The folder /folder is not the one that the run began with: it was unmounted, or exchanged for another. Nothing more was done; check that the right disk is mounted, and run again.',
      });
      expect(disk.openHandles).toBe(0);
    });

    it('holds nothing open when it cannot look at what it opened', async () => {
      disk.failNth(2, 'EIO');
      expect(await rejection(folder.open())).toMatchObject({ code: 'EIO' });
      expect(disk.openHandles).toBe(0);
    });
  });

  it('is named by device and inode, and leaves nothing open', async () => {
    expect(await folder.identity()).toBe(`1-${inodeOf('')}`);
    expect(disk.openHandles).toBe(0);
  });

  describe('check', () => {
    it('refuses what the rules for names refuse, with the path', () => {
      expect(() => folder.check('a/b')).not.toThrow();
      expect(() => folder.check('../b')).toThrow(
        expect.objectContaining({ code: 'ERR_KEY_DOT_SEGMENT', data: { path: '../b' } }),
      );
    });

    it('refuses its own folder under any name that such a disk takes for the same', () => {
      folder.checksNames = true;
      for (const path of ['.FileCloudSync/x', '.filecloud\u200Bsync', '.ﬁlecloudsync/trash']) {
        expect(() => folder.check(path), path).toThrow(PathError);
        expect(() => folder.check(path), path).toThrow(
          expect.objectContaining({
            code: 'ERR_KEY_RESERVED',
            data: { path },
            message: expect.stringMatching(
              /^".+" would lie in \.filecloudsync, which belongs to this program\. Rename it where it stands\.$/,
            ),
          }),
        );
      }
      expect(() => folder.check('a/.FileCloudSync')).not.toThrow();
      expect(() => folder.check('.filecloudsyncs')).not.toThrow();
    });

    it('takes such names for ordinary ones where the disk can tell them apart', () => {
      expect(() => folder.check('.FileCloudSync/x')).not.toThrow();
    });
  });

  describe('place', () => {
    it('opens the parent of a path, and closes all that it passed', async () => {
      disk.user.writeFile('a/b/c', 'x');
      expect(await placed('a/b/c')).toBe(`${inodeOf('a/b')} c`);
      expect(await placed('top')).toBe(`${inodeOf('')} top`);
      expect(disk.openHandles).toBe(0);
    });

    it('knows no place below what is missing, and makes nothing unasked', async () => {
      disk.user.makeDirectory('a');
      expect(await placed('a/b/c')).toBeUndefined();
      expect(await placed('a/b/c', {})).toBeUndefined();
      expect(await placed('a/b/c', { make: false })).toBeUndefined();
      expect(disk.user.tree()).toEqual({ 'a/': 'directory' });
      expect(disk.openHandles).toBe(0);
    });

    it('makes what is missing, each directory durable before the next', async () => {
      disk.user.makeDirectory('a');
      expect(await placed('a/b/c/d', { make: true })).toBe(`${inodeOf('a/b/c')} d`);
      expect(trace.filter((operation) => /^(makeDirectory|sync)/.test(operation))).toEqual([
        'makeDirectory /folder/a/b',
        'sync /folder/a',
        'makeDirectory /folder/a/b/c',
        'sync /folder/a/b',
      ]);
      expect(disk.openHandles).toBe(0);
    });

    it('refuses a path that must not be touched before it asks the disk', async () => {
      expect(await rejection(folder.place('a/../b'))).toMatchObject({ code: 'ERR_KEY_DOT_SEGMENT' });
      expect(trace).toEqual([]);
    });

    it('says of which path a link stands in the way, and holds nothing open', async () => {
      disk.user.makeDirectory('a');
      disk.user.symlink('/elsewhere', 'a/link');
      for (const make of [true, false]) {
        const error = await rejection(folder.place('a/link/x/y', { make }));
        expect(error).toBeInstanceOf(PathError);
        expect(error).toMatchObject({
          code: 'ERR_SYMLINK_IN_PATH',
          message: '"a/link" is a symbolic link, which is never followed. Remove the link, or exclude the path.',
          data: { path: 'a/link' },
        });
      }
      expect(disk.openHandles).toBe(0);
    });

    it('says of which path a file stands in the way', async () => {
      disk.user.writeFile('a/file', 'x');
      disk.user.makeSpecial('a/fifo');
      expect(await rejection(folder.place('a/file/x/y'))).toMatchObject({
        code: 'ERR_FILE_IN_THE_WAY',
        message: 'A file stands at "a/file", where a folder is needed. Rename one of the two.',
        data: { path: 'a/file' },
      });
      expect(await rejection(folder.place('a/fifo/x'))).toMatchObject({ code: 'ERR_FILE_IN_THE_WAY' });
      expect(disk.openHandles).toBe(0);
    });

    it('names the directory that cannot be opened, not the whole path', async () => {
      disk.user.makeDirectory('a/locked/b');
      disk.user.setAccess('a/locked', { readable: false });
      expect(await rejection(folder.place('a/locked/b/c'))).toMatchObject({
        code: 'ERR_ACCESS_DENIED',
        message: expect.stringMatching(/^Could not open the folder "a\/locked": /),
        data: { path: 'a/locked', errno: 'EACCES' },
      });
      expect(disk.openHandles).toBe(0);
    });

    it('says which path could not be reached when the folder itself cannot be opened', async () => {
      disk.failNth(1, 'EMFILE');
      expect(await rejection(folder.place('a/b'))).toMatchObject({
        code: 'ERR_TOO_MANY_OPEN_FILES',
        message: expect.stringMatching(/^Could not reach "a\/b": /),
      });
    });

    it('passes on a halt as it is', async () => {
      await folder.identity();
      disk.user.rename('/folder', '/elsewhere');
      expect(await rejection(folder.place('a'))).toMatchObject({ code: 'ERR_FOLDER_MISSING' });
    });

    it('takes a directory that came between two looks, and makes one that went', async () => {
      disk.step = (operation) => {
        if (operation === 'lstat /folder/came') disk.user.makeDirectory('came');
      };
      expect(await placed('came/x')).toBe(`${inodeOf('came')} x`);
      let removals = 0;
      disk.user.makeDirectory('went');
      disk.step = (operation) => {
        if (operation === 'openDirectory /folder/went' && removals++ === 0) disk.user.remove('went');
      };
      expect(await placed('went/x', { make: true })).toBe(`${inodeOf('went')} x`);
      expect(removals).toBe(2);
      expect(disk.openHandles).toBe(0);
    });

    it('takes a directory that somebody else made at the same time', async () => {
      disk.step = (operation) => {
        if (operation === 'makeDirectory /folder/both') disk.user.makeDirectory('both');
      };
      expect(await placed('both/x', { make: true })).toBe(`${inodeOf('both')} x`);
    });

    it('passes on why a directory cannot be made', async () => {
      disk.step = (operation) => {
        if (operation.startsWith('makeDirectory')) disk.failNth(1, 'ENOSPC');
      };
      expect(await rejection(folder.place('a/b', { make: true }))).toMatchObject({ code: 'ERR_DISK_FULL' });
      expect(disk.openHandles).toBe(0);
    });

    it('gives up when a directory goes each time it was made', async () => {
      let opened = 0;
      disk.step = (operation) => {
        if (operation !== 'openDirectory /folder/a') return;
        opened++;
        disk.user.remove('a');
      };
      expect(await rejection(folder.place('a/b', { make: true }))).toMatchObject({ data: { errno: 'ENOENT' } });
      expect(opened).toBe(5);
      expect(disk.openHandles).toBe(0);
    });

    it.each(['ENOTDIR', 'ELOOP'])('looks again when what was in the way (%s) is gone by then', async (errno) => {
      disk.user.makeDirectory('a');
      let first = true;
      disk.step = (operation) => {
        if (operation === 'openDirectory /folder/a' && first) {
          first = false;
          disk.failNth(1, errno);
        }
      };
      expect(await placed('a/b')).toBe(`${inodeOf('a')} b`);
    });

    it('does not look again after another error', async () => {
      disk.user.makeDirectory('a');
      disk.step = (operation) => {
        if (operation === 'openDirectory /folder/a') disk.failNth(1, 'EIO');
      };
      expect(await rejection(folder.place('a/b'))).toMatchObject({ code: 'ERR_DISK_IO' });
      expect(trace).toEqual([]);
    });
  });

  describe('on a disk that cannot tell case', () => {
    beforeEach(() => {
      folder.checksNames = true;
    });

    it('compares the name it was given with the one on the disk', async () => {
      disk.user.makeDirectory('Photos');
      disk.user.makeDirectory('é');
      const root = await folder.open();
      await folder.assertExactName(root, 'Photos', 'Photos');
      await folder.assertExactName(root, 'é', 'é');
      const error = await rejection(folder.assertExactName(root, 'photos', 'photos'));
      expect(error).toBeInstanceOf(PathError);
      expect(error).toMatchObject({
        code: 'ERR_NAME_COLLISION',
        message:
          '"photos" cannot stand on this disk beside a name that differs only by case or Unicode form. Rename one of them.',
        data: { path: 'photos' },
      });
      await root.close();
    });

    it('does not go into a directory of another case, and holds nothing open', async () => {
      disk.user.makeDirectory('a/Photos');
      // What such a disk does: the name of other case opens the same directory.
      const insensitive = new SimulatedFileSystem();
      insensitive.user.makeDirectory('a/Photos');
      const open = insensitive.openRoot.bind(insensitive);
      insensitive.openRoot = async (path) => {
        const root = await open(path);
        const openDirectory = root.openDirectory.bind(root);
        root.openDirectory = async (name) => {
          const a = await openDirectory(name);
          const below = a.openDirectory.bind(a);
          a.openDirectory = (inner) => below(inner === 'photos' ? 'Photos' : inner);
          return a;
        };
        return root;
      };
      const blind = new Folder('/folder', 'linux', insensitive);
      blind.checksNames = true;
      expect(await rejection(blind.place('a/photos/x'))).toMatchObject({
        code: 'ERR_NAME_COLLISION',
        data: { path: 'a/photos' },
      });
      expect(insensitive.openHandles).toBe(0);
    });

    it('does not read a directory where the disk can tell names apart', async () => {
      folder.checksNames = false;
      disk.user.makeDirectory('a');
      await placed('a/b');
      expect(trace.filter((operation) => operation.startsWith('list'))).toEqual([]);
    });
  });

  describe('privateFolder', () => {
    it('makes its own folders, for this user only, durable at once, and leaves only the asked one open', async () => {
      const tmp = await folder.privateFolder('tmp');
      expect(disk.openHandles).toBe(1);
      await tmp.close();
      const trash = await folder.privateFolder('trash');
      await trash.close();
      expect(disk.openHandles).toBe(0);
      expect(Object.keys(disk.user.tree())).toEqual([
        '.filecloudsync/',
        '.filecloudsync/tmp/',
        '.filecloudsync/trash/',
      ]);
      for (const path of ['.filecloudsync', '.filecloudsync/tmp', '.filecloudsync/trash'])
        expect(disk.user.modeOf(path), path).toBe(0o700);
      expect(trace.filter((operation) => operation.startsWith('sync'))).toEqual([
        'sync /folder',
        'sync /folder/.filecloudsync',
        'sync /folder/.filecloudsync',
      ]);
    });

    it('makes nothing when all is there', async () => {
      await (await folder.privateFolder('tmp')).close();
      trace.length = 0;
      await (await folder.privateFolder('tmp')).close();
      expect(trace.filter((operation) => /^(makeDirectory|sync)/.test(operation))).toEqual([]);
    });

    it.each([
      ['a file', '.filecloudsync', () => disk.user.writeFile('.filecloudsync', 'x')],
      ['a link', '.filecloudsync', () => disk.user.symlink('/elsewhere', '.filecloudsync')],
      ['a file', 'tmp', () => disk.user.writeFile('.filecloudsync/tmp', 'x')],
      [
        'a link',
        'tmp',
        () => {
          disk.user.makeDirectory('.filecloudsync');
          disk.user.symlink('/elsewhere', '.filecloudsync/tmp');
        },
      ],
    ])('halts when %s stands at %s', async (_, name, plant) => {
      plant();
      const error = await rejection(folder.privateFolder('tmp'));
      expect(error).toBeInstanceOf(HaltError);
      expect(error).toMatchObject({
        code: 'ERR_PRIVATE_FOLDER_BLOCKED',
        message: `.filecloudsync in /folder has to be a folder and hold the folders tmp and trash, but a file or link stands at ${name}. Move it away.`,
        cause: { code: expect.stringMatching(/^(ENOTDIR|ELOOP)$/) },
      });
      expect(disk.openHandles).toBe(0);
    });

    it('gives up when its folder goes each time it was made', async () => {
      let opened = 0;
      disk.step = (operation) => {
        if (operation !== 'openDirectory /folder/.filecloudsync') return;
        opened++;
        disk.user.remove('.filecloudsync');
      };
      expect(await rejection(folder.privateFolder('tmp'))).toMatchObject({ code: 'ENOENT' });
      expect(opened).toBe(5);
      expect(disk.openHandles).toBe(0);
    });

    it('does not try again after another error', async () => {
      await (await folder.privateFolder('tmp')).close();
      disk.step = (operation) => {
        trace.push(operation);
        if (operation === 'openDirectory /folder/.filecloudsync') disk.failNth(1, 'EACCES');
      };
      trace.length = 0;
      expect(await rejection(folder.privateFolder('tmp'))).toMatchObject({ code: 'EACCES' });
      expect(trace.filter((operation) => /^(openDirectory|makeDirectory)/.test(operation))).toHaveLength(1);
    });
  });

  describe('ownFolder', () => {
    it('opens .filecloudsync, and closes the root', async () => {
      disk.user.makeDirectory('.filecloudsync');
      const own = await folder.ownFolder();
      expect((await own?.stat())?.inode).toBe(disk.user.find('.filecloudsync')?.number);
      expect(disk.openHandles).toBe(1);
      await own?.close();
    });

    it.each([
      ['nothing', () => {}],
      ['a file', () => disk.user.writeFile('.filecloudsync', 'x')],
      ['a link', () => disk.user.symlink('/elsewhere', '.filecloudsync')],
    ])('is not there where %s stands, and is not made', async (_, plant) => {
      plant();
      const before = disk.user.tree();
      expect(await folder.ownFolder()).toBeUndefined();
      expect(disk.user.tree()).toEqual(before);
      expect(disk.openHandles).toBe(0);
    });

    it('does not take a folder that cannot be read for one that is not there', async () => {
      disk.user.makeDirectory('.filecloudsync');
      disk.user.setAccess('.filecloudsync', { readable: false });
      expect(await rejection(folder.ownFolder())).toMatchObject({ code: 'EACCES' });
      expect(disk.openHandles).toBe(0);
    });

    it('passes on what is no error of the disk', async () => {
      disk.step = (operation) => {
        if (operation.startsWith('openDirectory')) throw new Error('something without a number');
      };
      expect(await rejection(folder.ownFolder())).toMatchObject({ message: 'something without a number' });
    });
  });
});

describe('foldName', () => {
  it('makes one of names that differ by case, form, or characters that nobody sees', () => {
    const names = ['Straße', 'STRAßE', 'straße', 'stra\u200Bße', 'ｓtraße'];
    expect(new Set(names.map(foldName)).size).toBe(1);
    expect(foldName('e\u0301')).toBe(foldName('\u00C9'));
  });

  it('keeps different names apart', () => {
    expect(foldName('a')).not.toBe(foldName('b'));
    expect(foldName('a b')).not.toBe(foldName('ab'));
  });
});
