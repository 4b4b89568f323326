import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { FilePart, FileParts, HashAlgorithm } from '../core/hasher.js';
import { HashThread } from './hash-thread.js';
import { createThreadedHasher } from './threaded-hasher.js';

const SIZE = 512 * 1024;
const started: HashThread[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((thread) => thread.stop()));
});
const startThread = (): HashThread | undefined => {
  const thread = HashThread.start();
  if (thread !== undefined) started.push(thread);
  return thread;
};
const hasherOf = (threads = 2, bytesWorthAThread = 0) =>
  createThreadedHasher({ threads, bytesWorthAThread, startThread });
const fileHasherOf = (threads = 2, bytesWorthAThread = 0) => {
  const { files } = hasherOf(threads, bytesWorthAThread);
  if (files === undefined) throw new Error('it hashes no files');
  /** Asks for one part alone. */
  return async (algorithm: HashAlgorithm, { start, end, ...file }: FilePart & Omit<FileParts, 'parts'>) =>
    (await files.hash(algorithm, { ...file, parts: [{ start, end }] }))[0];
};
const expected = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest('hex');
const hex = (digest: Uint8Array) => Buffer.from(digest).toString('hex');

describe('createThreadedHasher', () => {
  it('makes the same digests on its threads, many at once, and starts no more threads than it may', async () => {
    const hasher = hasherOf();
    const pieces = Array.from({ length: 12 }, (_, i) => hasher.allocate(SIZE + i).fill(i));
    const found = await Promise.all(
      pieces.flatMap((piece) => [
        Promise.resolve(hasher.hash('md5', piece)),
        Promise.resolve(hasher.hash('sha256', piece.subarray(1))),
      ]),
    );
    expect(found.map(hex)).toEqual(
      pieces.flatMap((piece) => [expected('md5', piece), expected('sha256', piece.subarray(1))]),
    );
    expect(started).toHaveLength(2);
  });

  it('starts no thread for little, nor for memory that it did not allocate', async () => {
    const hasher = hasherOf();
    const few = hasher.allocate(1000).fill(1);
    const other = Buffer.alloc(SIZE, 2);
    expect(hex(await hasher.hash('md5', few))).toBe(expected('md5', few));
    expect(hex(await hasher.hash('md5', other))).toBe(expected('md5', other));
    expect(started).toEqual([]);
  });

  it('starts a thread only once there was enough to do', async () => {
    const hasher = hasherOf(2, SIZE * 2);
    const piece = hasher.allocate(SIZE).fill(3);
    for (const threads of [0, 0, 1]) {
      await hasher.hash('md5', piece);
      expect(started).toHaveLength(threads);
    }
  });

  it('loses nothing when a thread dies while it is asked, and asks none again', async () => {
    const hasher = hasherOf(1);
    const piece = hasher.allocate(SIZE * 16).fill(4);
    const asked = Array.from({ length: 4 }, () => Promise.resolve(hasher.hash('md5', piece)));
    void started[0]?.stop();
    expect((await Promise.all(asked)).map(hex)).toEqual(Array.from({ length: 4 }, () => expected('md5', piece)));
    await hasher.hash('md5', piece);
    expect(started).toHaveLength(1);
  });

  it('does without threads where none can be started', async () => {
    const hasher = createThreadedHasher({ threads: 2, bytesWorthAThread: 0, startThread: () => undefined });
    const piece = hasher.allocate(SIZE).fill(5);
    expect(hex(await hasher.hash('md5', piece))).toBe(expected('md5', piece));
  });
});

describe('createThreadedHasher, of files', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'threaded-hasher-'));
  const content = Buffer.from(Uint8Array.from({ length: 5 * SIZE + 3 }, (_, i) => i * 31 + (i >> 8)));
  const file = path.join(directory, 'file');
  writeFileSync(file, content);
  const descriptor = openSync(file, 'r');
  const totalBytes = 0;
  afterAll(() => {
    closeSync(descriptor);
    rmSync(directory, { recursive: true });
  });

  it('makes the digest of each part, many at once', async () => {
    const hashFile = fileHasherOf();
    const parts = [
      [0, SIZE],
      [7, 5 * SIZE],
      [SIZE, content.length],
      [3 * SIZE - 1, 4 * SIZE],
    ] as const;
    const found = await Promise.all(
      parts.map(([start, end]) => hashFile('md5', { descriptor, start, end, totalBytes })),
    );
    expect(found.map((digest) => hex(digest ?? Buffer.alloc(0)))).toEqual(
      parts.map(([start, end]) => expected('md5', content.subarray(start, end))),
    );
  });

  it('makes the digests of parts that are asked for together, of any lengths, one of them not there', async () => {
    const { files } = hasherOf(1);
    const parts = Array.from({ length: 11 }, (_, i) => ({ start: i * 1000, end: i * 1000 + SIZE + 17 * i }));
    parts.splice(4, 0, { start: content.length - 100_000, end: content.length + 1 });
    for (const algorithm of ['md5', 'sha256'] as const) {
      const found = await files?.hash(algorithm, { descriptor, parts, totalBytes });
      expect(found?.map((digest) => digest && hex(digest))).toEqual(
        parts.map(({ start, end }) =>
          end > content.length ? undefined : expected(algorithm, content.subarray(start, end)),
        ),
      );
    }
    expect(started).toHaveLength(1);
  });

  it('answers nothing for a part that is not there, or cannot be read, and goes on', async () => {
    const hashFile = fileHasherOf(1);
    const end = content.length + 1;
    expect(await hashFile('md5', { descriptor, start: 0, end, totalBytes })).toBeUndefined();
    const closed = openSync(file, 'r');
    closeSync(closed);
    expect(await hashFile('md5', { descriptor: closed + 100, start: 0, end: SIZE, totalBytes })).toBeUndefined();
    const whole = { descriptor, start: 0, end: content.length, totalBytes };
    expect(hex((await hashFile('sha256', whole)) ?? Buffer.alloc(0))).toBe(expected('sha256', content));
    expect(started).toHaveLength(1);
  });

  it('leaves little to whoever asks, and what comes before a thread is worth it', async () => {
    const hashFile = fileHasherOf(2, SIZE);
    expect(await hashFile('md5', { descriptor, start: 0, end: 1000, totalBytes })).toBeUndefined();
    expect(await hashFile('md5', { descriptor, start: 0, end: SIZE, totalBytes })).toBeUndefined();
    expect(started).toEqual([]);
    expect(await hashFile('md5', { descriptor, start: 0, end: SIZE, totalBytes })).toBeDefined();
  });

  it('starts a thread at once for a file that is worth it', async () => {
    const hashFile = fileHasherOf(2, SIZE * 2);
    const part = { descriptor, start: 0, end: SIZE };
    expect(await hashFile('md5', { ...part, totalBytes: SIZE * 2 - 1 })).toBeUndefined();
    expect(await hashFile('md5', { ...part, totalBytes: SIZE * 2 })).toBeDefined();
    expect(started).toHaveLength(1);
  });

  it('leaves all to whoever asks once a thread has died, and where there are none', async () => {
    const hashFile = fileHasherOf(1);
    const part = { descriptor, start: 0, end: content.length, totalBytes };
    const asked = Array.from({ length: 8 }, () => hashFile('md5', part));
    void started[0]?.stop();
    await Promise.all(asked);
    expect(await hashFile('md5', part)).toBeUndefined();
    expect(started).toHaveLength(1);
    expect(hasherOf(0).files).toBeUndefined();
  });
});

describe('HashThread', () => {
  it('ends by itself when it has had nothing to do for a while', async () => {
    const thread = HashThread.start(1);
    if (thread === undefined) throw new Error('no thread could be started here');
    await thread.ask({ algorithm: 'md5', bytes: new Uint8Array(1) });
    // The timer alone does not keep a process alive, this test does.
    const awake = setInterval(() => {}, 1000);
    await thread.ended;
    clearInterval(awake);
    expect(thread.hasEnded).toBe(true);
    await expect(thread.ask({ algorithm: 'md5', bytes: new Uint8Array(1) })).rejects.toThrow('the thread has ended');
  });

  it('says so when it cannot do what is asked, and ends', async () => {
    const thread = HashThread.start();
    if (thread === undefined) throw new Error('no thread could be started here');
    await expect(thread.ask({ algorithm: 'none', bytes: new Uint8Array(1) })).rejects.toThrow();
    await thread.ended;
  });
});
