import { describe, expect, it } from 'vitest';
import { createDirectorySyncs } from './directory-syncs.js';
import type { DirectoryHandle, FileStat } from './file-system.js';

/** A directory whose syncs end when they are told to. */
class GatedDirectory {
  readonly #inode: bigint;
  readonly gates: { resolve(): void; reject(error: Error): void }[] = [];

  constructor(inode: bigint) {
    this.#inode = inode;
  }

  handle(): DirectoryHandle {
    const stat = { device: 1n, inode: this.#inode } as FileStat;
    const sync = (): Promise<void> =>
      new Promise((resolve, reject) => {
        this.gates.push({ resolve, reject });
      });
    return { stat: async () => stat, sync } as unknown as DirectoryHandle;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

describe('createDirectorySyncs', () => {
  it('syncs once for all who came while an earlier sync was under way, and not with that one', async () => {
    const directory = new GatedDirectory(1n);
    const sync = createDirectorySyncs();
    const ended: string[] = [];
    const ask = async (name: string): Promise<void> => {
      await sync(directory.handle());
      ended.push(name);
    };
    const first = ask('first');
    await settle();
    const others = [ask('second'), ask('third'), ask('fourth')];
    await settle();
    expect(directory.gates).toHaveLength(1);
    directory.gates[0]?.resolve();
    await settle();
    // What came after the first had begun need not be covered by it.
    expect(ended).toEqual(['first']);
    expect(directory.gates).toHaveLength(2);
    directory.gates[1]?.resolve();
    await Promise.all([first, ...others]);
    expect(directory.gates).toHaveLength(2);
    expect(ended.toSorted()).toEqual(['first', 'fourth', 'second', 'third']);
  });

  it('syncs a directory one after the other, also when an earlier sync has ended meanwhile', async () => {
    const directory = new GatedDirectory(1n);
    const sync = createDirectorySyncs();
    const all = [sync(directory.handle())];
    await settle();
    all.push(sync(directory.handle()));
    await settle();
    directory.gates[0]?.resolve();
    await settle();
    all.push(sync(directory.handle()));
    await settle();
    expect(directory.gates).toHaveLength(2);
    directory.gates[1]?.resolve();
    await settle();
    expect(directory.gates).toHaveLength(3);
    directory.gates[2]?.resolve();
    await Promise.all(all);
  });

  it('tells apart two directories, and the same one by whatever handle', async () => {
    const [a, b] = [new GatedDirectory(1n), new GatedDirectory(2n)];
    const sync = createDirectorySyncs();
    const all = [sync(a.handle()), sync(b.handle())];
    await settle();
    expect([a.gates.length, b.gates.length]).toEqual([1, 1]);
    a.gates[0]?.resolve();
    b.gates[0]?.resolve();
    await Promise.all(all);
    const again = sync(a.handle());
    await settle();
    expect(a.gates).toHaveLength(2);
    a.gates[1]?.resolve();
    await again;
  });

  it('fails for all who joined, and tries anew for who comes later', async () => {
    const directory = new GatedDirectory(1n);
    const sync = createDirectorySyncs();
    const first = sync(directory.handle());
    await settle();
    const joined = Promise.allSettled([sync(directory.handle()), sync(directory.handle())]);
    await settle();
    directory.gates[0]?.reject(new Error('EIO'));
    await expect(first).rejects.toThrow('EIO');
    await settle();
    directory.gates[1]?.reject(new Error('EIO again'));
    expect((await joined).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const later = sync(directory.handle());
    await settle();
    directory.gates[2]?.resolve();
    await later;
  });
});
