import { describe, expect, it } from 'vitest';
import { fileStat } from '../../../test/local/file-stat.js';
import type { FileHandle, FileStat } from './file-system.js';
import { fileEntryOf } from './fingerprint.js';
import { assertVersion, LocalSource } from './local-source.js';

const ENTRY = fileEntryOf('a/file', fileStat, 1e9);

type Answer = <T>(value: () => T) => T | Promise<T>;
const WAYS: readonly (readonly [string, Answer])[] = [
  ['at once', (value) => value()],
  ['later', async (value) => value()],
];

function diskError(): never {
  throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
}

/** What a step throws at once, or rejects with. */
async function failureOf(step: () => Promise<void> | undefined): Promise<unknown> {
  try {
    await step();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe.each(WAYS)('a file of the folder whose disk answers %s', (_, answer) => {
  const calls: string[] = [];
  const handle = (steps: { read?: () => number }) =>
    ({
      read: () => answer(steps.read ?? (() => 3)),
      close: () => {
        const closing = answer(() => void calls.push('closed'));
        return closing instanceof Promise ? closing : undefined;
      },
    }) as Partial<FileHandle> as FileHandle;
  const sourceOf = (steps: Parameters<typeof handle>[0], found: () => string | undefined = () => ENTRY.fingerprint) =>
    new LocalSource(handle(steps), ENTRY, {
      fingerprintAtPath: () => answer(found),
      onClose: () => void calls.push('given back'),
    });
  const readAll = (source: LocalSource) => failureOf(() => source.readInto(new Uint8Array(3), 0));

  it('is read whole, and found unchanged', async () => {
    const source = sourceOf({});
    expect(await readAll(source)).toBeUndefined();
    expect(await failureOf(() => source.verify())).toBeUndefined();
  });

  it.each([
    ['ends early', (): unknown => readAll(sourceOf({ read: () => 2 }))],
    ['is another one by now', () => failureOf(() => sourceOf({}, () => 'another').verify())],
    ['is gone', () => failureOf(() => sourceOf({}, () => undefined).verify())],
  ])('is another version when it %s', async (_how, fail) => {
    expect(await fail()).toMatchObject({ name: 'StaleError', data: { path: 'a/file' } });
  });

  it.each([
    ['read', (): unknown => readAll(sourceOf({ read: diskError }))],
    ['look at', () => failureOf(() => sourceOf({}, diskError).verify())],
  ])('tells which file the disk could not %s', async (verb, fail) => {
    const text = `Could not ${verb} "a/file": the disk reports an input/output error: check it (EIO).`;
    expect(await fail()).toMatchObject({ code: 'ERR_DISK_IO', message: text, data: { path: 'a/file' } });
  });

  it('is closed once, before its place is given back', async () => {
    calls.length = 0;
    const source = sourceOf({});
    await source.close();
    await source.close();
    expect(calls).toEqual(['closed', 'given back']);
  });

  it('is not read for somebody who has given up', async () => {
    const signal = AbortSignal.abort();
    expect(await failureOf(() => sourceOf({ read: diskError }).readInto(new Uint8Array(3), 0, signal))).toMatchObject({
      name: 'AbortError',
    });
  });
});

describe('assertVersion', () => {
  it('knows the file that was observed', () => {
    expect(() => assertVersion(ENTRY, fileStat)).not.toThrow();
  });

  it.each<[string, Partial<FileStat>]>([
    ['was written to', { ctimeNs: 3n }],
    ['is another one', { inode: 4n }],
    ['is no file', { type: 'other' }],
  ])('knows one that %s', (_how, changes) => {
    expect(() => assertVersion(ENTRY, { ...fileStat, ...changes })).toThrow(
      '"a/file" is not the version that was observed',
    );
  });
});
