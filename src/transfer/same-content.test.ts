import { beforeEach, describe, expect, it } from 'vitest';
import { TransferWorld } from '../../test/transfer/transfer-world.js';
import type { FileEntry } from '../core/entry.js';
import { md5Digest } from '../replica/memory/md5.js';
import { sameContent, sameContentByDigest } from './same-content.js';

const MIB = 1024 * 1024;
let world: TransferWorld;
beforeEach(() => {
  world = new TransferWorld();
});

async function both(mine: string | Uint8Array, theirs: string | Uint8Array): Promise<[FileEntry, FileEntry]> {
  world.put('local', 'a', mine);
  world.put('remote', 'a', theirs);
  return [await world.entry('local', 'a'), await world.entry('remote', 'a')];
}
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('sameContentByDigest', () => {
  it('tells files of different sizes apart without looking at them', async () => {
    const files = await both('mine', 'theirs');
    expect(await sameContentByDigest(world.context(), ...files)).toEqual({ verdict: 'different', digest: undefined });
    expect(world.hashed).toEqual([]);
  });

  it('finds the same content by the digest that a listing has, hashing once', async () => {
    const [local, remote] = await both('same', 'same');
    const digest = md5Digest(bytesOf('same'), { partSizeBytes: undefined });
    world.remote.digest = async () => {
      throw new Error('not to be asked: the listing said it');
    };
    expect(await sameContentByDigest(world.context(), local, { ...remote, digest })).toEqual({
      verdict: 'same',
      digest,
    });
    expect(world.hashed).toEqual(['a']);
  });

  it('knows nothing when the digest of the listing is another: it need not be one', async () => {
    const [local, remote] = await both('same', 'same');
    expect(await sameContentByDigest(world.context(), local, { ...remote, digest: `md5:${'0'.repeat(32)}` })).toEqual({
      verdict: 'unknown',
      digest: undefined,
    });
    expect(world.hashed).toEqual(['a']);
  });

  it('tries the part sizes that uploaders use, the one of this program first', async () => {
    const [local, remote] = await both('same', 'same');
    const asked: (number | undefined)[] = [];
    world.remote.schemeFor = () => ({ partSizeBytes: 7 * MIB });
    world.remote.digest = async (_entry, { partSizeBytes }) => {
      asked.push(partSizeBytes === undefined ? undefined : partSizeBytes / MIB);
      return undefined;
    };
    expect(await sameContentByDigest(world.context(), local, remote)).toMatchObject({ verdict: 'unknown' });
    expect(asked).toEqual([7, 5, 8, 10, 15, 16, 20, 25, 32, 50, 64, 100, 128, 256, 512, 1024]);
    // What the store cannot name is not hashed here.
    expect(world.hashed).toEqual([]);
  });

  it('also tries them when the digest of the listing is of a kind that nobody here knows', async () => {
    const [local, remote] = await both('same', 'same');
    const files: [FileEntry, FileEntry] = [local, { ...remote, digest: 'sha256:00' }];
    expect(await sameContentByDigest(world.context(), ...files)).toMatchObject({ verdict: 'unknown' });
    expect(world.hashed.length).toBeGreaterThan(1);
  });

  it('finds the same content under a later part size', async () => {
    const [local, remote] = await both('same', 'same');
    world.remote.digest = async (_entry, scheme) =>
      scheme.partSizeBytes === 16 * MIB ? md5Digest(bytesOf('same'), scheme) : undefined;
    const found = await sameContentByDigest(world.context(), local, remote);
    expect(found).toEqual({ verdict: 'same', digest: md5Digest(bytesOf('same'), { partSizeBytes: 16 * MIB }) });
    expect(world.hashed).toEqual(['a']);
  });

  it('is stale when the file is another one by now', async () => {
    const [local, remote] = await both('same', 'same');
    world.put('local', 'a', 'else');
    await expect(sameContentByDigest(world.context(), local, remote)).rejects.toMatchObject({ name: 'StaleError' });
  });

  it('passes on that it is to stop', async () => {
    const files = await both('same', 'same');
    const context = world.context({ signal: AbortSignal.abort() });
    await expect(sameContentByDigest(context, ...files)).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('sameContent', () => {
  /** A store that can name no digest, so that the bytes have to be compared. */
  const mute = (): void => {
    world.remote.digest = async () => undefined;
  };

  it('answers by digest where it can, and opens nothing', async () => {
    const files = await both('same', 'same');
    world.local.open = async () => {
      throw new Error('not to be opened');
    };
    expect(await sameContent(world.context(), ...files)).toEqual({
      verdict: 'same',
      digest: md5Digest(bytesOf('same'), { partSizeBytes: undefined }),
    });
    expect(await sameContent(world.context(), ...(await both('one', 'three')))).toEqual({
      verdict: 'different',
      digest: undefined,
    });
  });

  it('compares the bytes where no digest can be had, and knows one afterwards', async () => {
    mute();
    const files = await both('same', 'same');
    expect(await sameContent(world.context(), ...files)).toEqual({
      verdict: 'same',
      digest: md5Digest(bytesOf('same'), { partSizeBytes: undefined }),
    });
    expect(world.hashed).toEqual(['a']);
    expect(world.openSources).toBe(0);
  });

  it.each([
    ['the first byte', 0],
    ['the last byte of the first range', 65_535],
    ['the first byte of the second range', 65_536],
    ['the last byte of the second range', 65_536 + 8 * MIB - 1],
    ['the first byte of the third range', 65_536 + 8 * MIB],
    ['the very last byte', 65_536 + 8 * MIB + 4],
  ])('sees a difference in %s', async (_, at) => {
    mute();
    const mine = new Uint8Array(65_536 + 8 * MIB + 5);
    const theirs = mine.slice();
    theirs[at] = 1;
    const files = await both(mine, theirs);
    expect(await sameContent(world.context(), ...files)).toEqual({ verdict: 'different', digest: undefined });
    expect(world.openSources).toBe(0);
  });

  it('reads no more than the first range where that differs, and everything where nothing does', async () => {
    mute();
    const ranges: string[] = [];
    const open = world.remote.open.bind(world.remote);
    world.remote.open = async (entry, signal) => {
      const source = await open(entry, signal);
      return {
        ...source,
        read: (start, end, stop) => {
          ranges.push(`${start}-${end}`);
          return source.read(start, end, stop);
        },
      };
    };
    const mine = new Uint8Array(65_536 + 8 * MIB + 5);
    const theirs = mine.slice();
    theirs[7] = 1;
    await sameContent(world.context(), ...(await both(mine, theirs)));
    expect(ranges).toEqual(['0-65536']);
    ranges.length = 0;
    expect(await sameContent(world.context(), ...(await both(mine, mine)))).toMatchObject({ verdict: 'same' });
    expect(ranges).toEqual(['0-65536', `65536-${65_536 + 8 * MIB}`, `${65_536 + 8 * MIB}-${65_536 + 8 * MIB + 5}`]);
  });

  it('takes two empty files for the same', async () => {
    mute();
    expect(await sameContent(world.context(), ...(await both('', '')))).toMatchObject({ verdict: 'same' });
  });

  it.each(['local', 'remote'] as const)('believes no comparison during which the %s file changed', async (side) => {
    mute();
    const files = await both('same', 'same');
    const open = world.remote.open.bind(world.remote);
    world.remote.open = async (entry, signal) => {
      const source = await open(entry, signal);
      return {
        ...source,
        async *read(start, end, stop) {
          yield* source.read(start, end, stop);
          world.put(side, 'a', 'else');
        },
      };
    };
    await expect(sameContent(world.context(), ...files)).rejects.toMatchObject({ name: 'StaleError' });
    expect(world.openSources).toBe(0);
  });

  it.each(['local', 'remote'] as const)('takes nothing for zeros where the %s file gave fewer bytes', async (side) => {
    mute();
    const files = await both('ab\0\0', 'ab\0\0');
    const open = world[side].open.bind(world[side]);
    world[side].open = async (entry, signal) => {
      const source = await open(entry, signal);
      return { ...source, readInto: undefined, read: (start, _end, stop) => source.read(start, 2, stop) };
    };
    await expect(sameContent(world.context(), ...files)).rejects.toMatchObject({ code: 'ERR_SOURCE_LENGTH' });
    expect(world.openSources).toBe(0);
  });

  it('lets go of the file when the object cannot be opened', async () => {
    mute();
    const files = await both('same', 'same');
    world.remote.open = async () => {
      throw new Error('forbidden');
    };
    await expect(sameContent(world.context(), ...files)).rejects.toThrow('forbidden');
    expect(world.openSources).toBe(0);
  });
});
