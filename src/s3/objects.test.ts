import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startS3Server, type S3Server } from '../testing/s3/index.js';
import { connect } from './connect.js';
import { downloadFile } from './download-file.js';
import { exists } from './exists.js';
import { getBucketKeys } from './get-bucket-keys.js';
import { readJson, writeJson } from './json.js';
import { uploadFile } from './upload-file.js';
import { readYaml, writeYaml } from './yaml.js';

const credentials = { accessKeyId: 'TESTKEY', secretAccessKey: 'very-secret-text' };
let server: S3Server;
let client: S3Client;
let stranger: S3Client;
let bucket: string;
let count = 0;
let folder: string;

beforeAll(async () => {
  server = await startS3Server({ credentials });
  client = await connect({ ...credentials, endpoint: server.endpoint });
  const { S3Client: Client } = await import('@aws-sdk/client-s3');
  stranger = new Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'OTHER', secretAccessKey: 'x' },
  });
});
afterAll(async () => {
  client.destroy();
  await server.close();
});
beforeEach(async () => {
  bucket = `bucket-${++count}`;
  server.core.createBucket(bucket);
  folder = await mkdtemp(path.join(tmpdir(), 'fcs-objects-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe.each([
  { name: 'Json', read: readJson, write: writeJson, invalid: '{"a": s3cr3t' },
  { name: 'Yaml', read: readYaml, write: writeYaml, invalid: 'a: [s3cr3t' },
])('read$name and write$name', ({ read, write, invalid }) => {
  it('give back what was written, packed or not', async () => {
    const value = { text: 'ö\u{1F600}', list: [1, 2.5, null, true], nested: { empty: {} } };
    await write(value, client, bucket, 'a.doc');
    await write(value, client, bucket, 'a.doc.gz');
    expect(await read(client, bucket, 'a.doc')).toEqual(value);
    expect(await read(client, bucket, 'a.doc.gz')).toEqual(value);
    expect((await bytesOf('a.doc.gz')).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
    expect((await bytesOf('a.doc')).toString()).toContain('ö');
  });

  it('recognise gzip by its first bytes, whatever the key is called', async () => {
    await server.core.put(bucket, 'packed', gzipSync('{"a": 1}'));
    await server.core.put(bucket, 'plain.gz', '{"a": 1}');
    expect(await read(client, bucket, 'packed')).toEqual({ a: 1 });
    expect(await read(client, bucket, 'plain.gz')).toEqual({ a: 1 });
  });

  it('use the default for what is absent, and for nothing else', async () => {
    expect(await read(client, bucket, 'absent', { default: 7 })).toBe(7);
    expect(await read(client, bucket, 'absent', { default: undefined })).toBeUndefined();
    await expect(read(client, bucket, 'absent')).rejects.toMatchObject({ code: 'ERR_OBJECT_NOT_FOUND' });
    await expect(read(client, 'no-such-bucket', 'a', { default: 7 })).rejects.toMatchObject({
      code: 'ERR_S3_BUCKET_NOT_FOUND',
    });
    await expect(read(stranger, bucket, 'absent', { default: 7 })).rejects.toMatchObject({
      code: 'ERR_S3_CREDENTIALS',
    });
    await server.core.put(bucket, 'invalid', invalid);
    await expect(read(client, bucket, 'invalid', { default: 7 })).rejects.toMatchObject({
      code: 'ERR_DOCUMENT_INVALID',
    });
  });

  it('name bucket and key of a document that is not valid, and tell nothing of it', async () => {
    for (const [key, content] of [
      ['invalid', invalid],
      ['cut', gzipSync('{"a": 1}').subarray(0, 12)],
      ['latin1', Buffer.from([0x22, 0xe4, 0x22])],
    ] as const) {
      await server.core.put(bucket, key, content);
      const error = await read(client, bucket, key).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'ERR_DOCUMENT_INVALID' });
      expect((error as Error).message).toContain(`"${key}" of the bucket "${bucket}"`);
      expect((error as Error).cause).toBeUndefined();
      expect((error as Error).message).not.toContain('s3cr3t');
    }
  });

  it('write nothing for what the format cannot hold', async () => {
    await expect(write(undefined, client, bucket, 'a')).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await expect(write(() => 1, client, bucket, 'a')).rejects.toMatchObject({ code: 'ERR_USAGE' });
    expect(server.core.keys(bucket)).toEqual([]);
  });
});

describe('writeJson', () => {
  it('refuses circles', async () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    await expect(writeJson(circle, client, bucket, 'a')).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });
});

describe('exists', () => {
  it('is false only for what is absent', async () => {
    await server.core.put(bucket, 'a', '1');
    await server.core.put(bucket, 'ö ü?#', '1');
    expect(await exists(client, bucket)).toBe(true);
    expect(await exists(client, 'no-such-bucket')).toBe(false);
    expect(await exists(client, bucket, 'a', 'ö ü?#')).toBe(true);
    expect(await exists(client, bucket, 'a', 'b')).toBe(false);
    await expect(exists(stranger, bucket)).rejects.toMatchObject({ code: 'ERR_S3_CREDENTIALS' });
    await expect(exists(stranger, bucket, 'a')).rejects.toMatchObject({ code: 'ERR_S3_FORBIDDEN' });
    await expect(exists(client, bucket, '')).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });
});

describe('getBucketKeys', () => {
  it('answers all pages', async () => {
    const names = Array.from({ length: 2500 }, (_, index) => `p/${String(index).padStart(5, '0')} ö&+.txt`);
    for (const name of names) await server.core.put(bucket, name, 'x');
    await server.core.put(bucket, 'q', 'yy');
    const keys = await getBucketKeys(client, bucket);
    expect([...keys.keys()]).toEqual([...names, 'q']);
    expect(keys.get('q')).toEqual({
      sizeBytes: 2,
      lastModified: expect.any(Date),
      etag: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect((await getBucketKeys(client, bucket, { prefix: 'p/00' })).size).toBe(1000);
    expect((await getBucketKeys(client, bucket, { prefix: 'none' })).size).toBe(0);
  });

  it('rejects when the bucket cannot be listed', async () => {
    await expect(getBucketKeys(client, 'no-such-bucket')).rejects.toMatchObject({ code: 'ERR_S3_BUCKET_NOT_FOUND' });
    await expect(getBucketKeys(stranger, bucket)).rejects.toMatchObject({ code: 'ERR_S3_CREDENTIALS' });
  });
});

describe('uploadFile and downloadFile', () => {
  it('carry content and time, small and in parts', async () => {
    const time = new Date('2001-02-03T04:05:06.789Z');
    for (const [name, size] of [
      ['empty', 0],
      ['small', 10],
      ['large', 9 * 1024 * 1024],
    ] as const) {
      const file = path.join(folder, name);
      const content = Buffer.alloc(size, name);
      await writeFile(file, content);
      await utimes(file, time, time);
      await uploadFile(file, client, bucket, `dir/${name}`);
      expect((await stat(file)).mtimeMs).toBeCloseTo(time.getTime(), 2);
      expect((await bytesOf(`dir/${name}`)).equals(content)).toBe(true);
      const target = await downloadFile(client, bucket, `dir/${name}`, folder);
      expect(target).toBe(path.join(folder, 'dir', name));
      expect((await readFile(target)).equals(content)).toBe(true);
      expect((await stat(target)).mtimeMs).toBeCloseTo(time.getTime(), 2);
    }
  });

  it('replace what stands there, and keep the local version in the trash', async () => {
    await server.core.put(bucket, 'a', 'old object');
    await writeFile(path.join(folder, 'a'), 'local');
    await uploadFile(path.join(folder, 'a'), client, bucket, 'a');
    expect((await bytesOf('a')).toString()).toBe('local');
    await server.core.put(bucket, 'a', 'newer');
    await downloadFile(client, bucket, 'a', folder);
    expect(await readFile(path.join(folder, 'a'), 'utf8')).toBe('newer');
    const trash = await readdir(path.join(folder, '.filecloudsync', 'trash'), { recursive: true, withFileTypes: true });
    const kept = await Promise.all(
      trash.filter((each) => each.isFile()).map((each) => readFile(path.join(each.parentPath, each.name), 'utf8')),
    );
    expect(kept).toContain('local');
  });

  it.each(['../evil', 'a/../../evil', '/evil', 'a//b', 'dir/', '.filecloudsync/tmp/x', 'a\0b'])(
    'refuse the key %j',
    async (key) => {
      const inner = path.join(folder, 'inner');
      await mkdir(inner);
      await expect(downloadFile(client, bucket, key, inner)).rejects.toMatchObject({
        name: 'PathError',
        code: expect.stringMatching(/^ERR_(KEY|NAME)_/),
      });
      expect(await readdir(folder)).toEqual(['inner']);
    },
  );

  it('do not follow a link out of the folder', async () => {
    await server.core.put(bucket, 'link/evil', 'x');
    const inner = path.join(folder, 'inner');
    await mkdir(inner);
    await symlink(folder, path.join(inner, 'link'));
    await expect(downloadFile(client, bucket, 'link/evil', inner)).rejects.toMatchObject({ name: 'PathError' });
    expect(await readdir(folder)).toEqual(['inner']);
  });

  it('say what is missing', async () => {
    await expect(uploadFile(path.join(folder, 'absent'), client, bucket, 'a')).rejects.toMatchObject({
      code: 'ERR_FILE_NOT_FOUND',
    });
    await expect(downloadFile(client, bucket, 'absent', folder)).rejects.toMatchObject({
      code: 'ERR_OBJECT_NOT_FOUND',
    });
    await expect(downloadFile(client, bucket, 'absent', path.join(folder, 'none'))).rejects.toMatchObject({
      code: 'ERR_FOLDER_MISSING',
    });
    await expect(uploadFile(folder, client, bucket, 'a')).rejects.toMatchObject({ code: 'ERR_NOT_A_FILE' });
    await expect(uploadFile('', client, 's3://b/a', '')).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });
});

async function bytesOf(key: string): Promise<Buffer> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
}
