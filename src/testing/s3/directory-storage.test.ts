import { createHash } from 'node:crypto';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collect } from './body.js';
import { DirectoryStorage } from './directory-storage.js';
import { SimulatedS3 } from './simulated-s3.js';

let root: string;
let folder: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'fcs-storage-'));
  folder = join(root, 'data');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function open(): Promise<SimulatedS3> {
  return SimulatedS3.open(await DirectoryStorage.open(folder));
}

async function text(s3: SimulatedS3, key: string): Promise<string | undefined> {
  const found = await s3.peek('bkt', key);
  return found === undefined ? undefined : Buffer.from(found.bytes).toString();
}

async function blobs(): Promise<string[]> {
  return (await readdir(join(folder, 'blobs'), { recursive: true })).filter((name) => /[\da-f]{12}$/.test(name));
}

describe('DirectoryStorage', () => {
  it('has everything after a restart: objects, versions, headers, tags, uploads and their parts', async () => {
    const first = await open();
    first.createBucket('bkt', 'Enabled');
    await first.put('bkt', 'k', 'one', { 'x-amz-meta-a': 'b', 'x-amz-tagging': 't=u' });
    await first.put('bkt', 'k', 'two');
    await first.put('bkt', 'empty', '');
    await first.remove('bkt', 'empty');
    const started = await first.handle({
      method: 'POST',
      bucket: 'bkt',
      key: 'mp',
      query: { uploads: '' },
      headers: {},
    });
    const uploadId = /<UploadId>(.*?)</.exec(Buffer.from(await collect(started.body)).toString())?.[1] ?? '';
    await first.handle({
      method: 'PUT',
      bucket: 'bkt',
      key: 'mp',
      query: { uploadId, partNumber: '3' },
      headers: {},
      body: Buffer.from('part'),
    });
    const ask = async (s3: SimulatedS3): Promise<string> => {
      const queries: Record<string, string>[] = [{ versions: '' }, { uploads: '' }, { versioning: '' }];
      const answers = await Promise.all(
        queries.map((query) => s3.handle({ method: 'GET', bucket: 'bkt', key: undefined, query, headers: {} })),
      );
      answers.push(await s3.handle({ method: 'GET', bucket: 'bkt', key: 'mp', query: { uploadId }, headers: {} }));
      return (await Promise.all(answers.map(async ({ body }) => Buffer.from(await collect(body)).toString()))).join(
        '\n',
      );
    };
    const before = await ask(first);
    expect(before).toContain('<PartNumber>3</PartNumber>');
    await first.close();
    const second = await open();
    expect(await ask(second)).toBe(before);
    expect(await text(second, 'k')).toBe('two');
    expect((await second.peek('bkt', 'k'))?.headers).toEqual({ 'content-type': 'binary/octet-stream' });
    await second.close();
  });

  it('ignores a last line that was cut short or damaged, and goes on from there', async () => {
    const first = await open();
    first.createBucket('bkt');
    await first.put('bkt', 'a', 'kept');
    await first.put('bkt', 'b', 'lost with its line');
    await first.close();
    const journal = join(folder, 'journal');
    const bytes = await readFile(journal);
    await writeFile(journal, bytes.subarray(0, -10));
    const second = await open();
    expect(second.keys('bkt')).toEqual(['a']);
    await second.put('bkt', 'c', 'after');
    await second.close();
    await appendFile(journal, '00000000 [{"type":"bucket-removed","bucket":"bkt"}]\n');
    const third = await open();
    expect(third.keys('bkt')).toEqual(['a', 'c']);
    expect(await blobs()).toHaveLength(2);
    await third.close();
  });

  it('has whole objects only, whatever byte of the journal was the last to be written', async () => {
    const s3 = await open();
    s3.createBucket('bkt');
    for (let i = 0; i < 6; i++) await s3.put('bkt', `k${i}`, `content ${i} `.repeat(i * 50));
    const journal = await readFile(join(folder, 'journal'));
    const seen = new Set<number>();
    for (let length = 0; length <= journal.length; length += 61) {
      const copy = join(root, `copy-${length}`);
      await cp(join(folder, 'blobs'), join(copy, 'blobs'), { recursive: true });
      await writeFile(join(copy, 'journal'), journal.subarray(0, length));
      const survivor = await SimulatedS3.open(await DirectoryStorage.open(copy));
      survivor.createBucket('bkt');
      seen.add(survivor.keys('bkt').length);
      for (const key of survivor.keys('bkt')) {
        const found = await survivor.peek('bkt', key);
        expect(
          createHash('md5')
            .update(found?.bytes ?? '')
            .digest('hex'),
        ).toBe(found?.etag);
      }
      await survivor.close();
    }
    expect([...seen]).toEqual([0, 1, 2, 3, 4, 5]);
    await s3.close();
  });

  it('makes no name from a key, whatever the key', async () => {
    const s3 = await open();
    s3.createBucket('bkt');
    const keys = [
      '../up',
      '../../../../tmp/x',
      '/etc/passwd',
      'a\0b',
      '..',
      '.',
      'C:\\x',
      'x'.repeat(1024),
      'journal',
      'lock',
    ];
    for (const key of keys) await s3.put('bkt', key, `body of ${key}`);
    for (const key of keys) expect(await text(s3, key)).toBe(`body of ${key}`);
    expect(await readdir(root)).toEqual(['data']);
    expect((await readdir(folder)).sort()).toEqual(['blobs', 'journal', 'lock']);
    await s3.close();
  });

  it('removes the bytes nobody refers to, at once or after the last reader, and orphans at the next start', async () => {
    const s3 = await open();
    s3.createBucket('bkt');
    const big = Buffer.alloc(700_000, 'x');
    await s3.put('bkt', 'k', big);
    const { body } = await s3.handle({ method: 'GET', bucket: 'bkt', key: 'k', query: {}, headers: {} });
    await s3.remove('bkt', 'k');
    expect(await blobs()).toHaveLength(1);
    expect((await collect(body)).length).toBe(big.length);
    await s3.put('bkt', 'k', 'first');
    await s3.put('bkt', 'k', 'second');
    await s3.close();
    expect(await blobs()).toHaveLength(1);
    const [name = ''] = await blobs();
    await writeFile(join(folder, 'blobs', name.slice(0, 2), '0000000000ff'), 'from a killed upload');
    const again = await open();
    expect(await blobs()).toEqual([name]);
    await again.put('bkt', 'l', 'gets a number of its own');
    expect(await text(again, 'k')).toBe('second');
    await again.close();
  });

  it('stores nothing of a body that breaks off', async () => {
    const s3 = await open();
    s3.createBucket('bkt');
    async function* broken(): AsyncIterable<Uint8Array> {
      yield Buffer.alloc(100_000);
      throw new Error('the sender went away');
    }
    await expect(
      s3.handle({ method: 'PUT', bucket: 'bkt', key: 'k', query: {}, headers: {}, body: broken() }),
    ).rejects.toThrow('went away');
    expect([s3.keys('bkt'), await blobs()]).toEqual([[], []]);
    await s3.close();
  });

  it('refuses a folder that a running server has, and takes that of a killed one', async () => {
    const s3 = await open();
    await expect(open()).rejects.toMatchObject({ code: 'ERR_S3_SERVER_FOLDER_IN_USE' });
    await s3.close();
    // No process has this id: Linux gives at most 2^22.
    await writeFile(join(folder, 'lock'), '99999999');
    const next = await open();
    expect((await stat(join(folder, 'lock'))).size).toBeLessThan(8);
    await next.close();
  });
});
