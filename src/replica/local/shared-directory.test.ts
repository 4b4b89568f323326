import { describe, expect, it } from 'vitest';
import type { DirectoryHandle } from './file-system.js';
import { createSharedDirectory, type SharedDirectory } from './shared-directory.js';

function createWorld(): { readonly shared: SharedDirectory; readonly told: string[] } {
  const told: string[] = [];
  let count = 0;
  const shared = createSharedDirectory(async () => {
    const name = `#${++count}`;
    told.push(`open ${name}`);
    return {
      close: async () => {
        told.push(`close ${name}`);
      },
    } as DirectoryHandle;
  });
  return { shared, told };
}

describe('createSharedDirectory', () => {
  it('opens one directory for all who use it at once, and closes it with the last', async () => {
    const { shared, told } = createWorld();
    const [a, b] = await Promise.all([shared.take(), shared.take()]);
    expect(a.value).toBe(b.value);
    expect([a.joined, b.joined]).toEqual([false, true]);
    await a.release();
    expect(told).toEqual(['open #1']);
    await b.release();
    expect(told).toEqual(['open #1', 'close #1']);
    await (await shared.take()).release();
    expect(told).toEqual(['open #1', 'close #1', 'open #2', 'close #2']);
  });

  it('opens it anew after it was forgotten, while others still use the one before', async () => {
    const { shared, told } = createWorld();
    const old = await shared.take();
    shared.forget();
    const fresh = await shared.take();
    expect([fresh.value === old.value, fresh.joined]).toEqual([false, false]);
    await old.release();
    await fresh.release();
    expect(told).toEqual(['open #1', 'open #2', 'close #1', 'close #2']);
  });

  it('passes a failure on, and tries anew for the next', async () => {
    let broken = true;
    const shared = createSharedDirectory(async () => {
      if (broken) throw new Error('EACCES');
      return { close: async () => {} } as DirectoryHandle;
    });
    await expect(shared.take()).rejects.toThrow('EACCES');
    broken = false;
    expect((await shared.take()).joined).toBe(false);
  });
});
