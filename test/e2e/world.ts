import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { checkChanges, sync, type SyncOptions, type SyncResult } from '../../src/s3/index.js';

/** A server to run the scenarios on. */
export interface ServerUnderTest {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** How many requests of each operation were answered so far; only where the server counts them. */
  counts?(): Readonly<Record<string, number>>;
}

/** An empty bucket, a hand that reaches past the product, and machines that sync with it. */
export class World {
  readonly client: S3Client;
  readonly bucket = `fcs-e2e-${randomUUID().slice(0, 18)}`;
  readonly server: ServerUnderTest;
  readonly #folders: string[] = [];

  constructor(server: ServerUnderTest) {
    this.server = server;
    this.client = new S3Client({
      endpoint: server.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
    });
  }

  async open(): Promise<void> {
    await this.client.send(new CreateBucketCommand({ Bucket: this.bucket }));
  }

  async close(): Promise<void> {
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true });
    this.client.destroy();
  }

  async machine(address: string = this.bucket): Promise<Machine> {
    const base = await mkdtemp(path.join(tmpdir(), 'fcs-e2e-'));
    this.#folders.push(base);
    await mkdir(path.join(base, 'folder'));
    return new Machine(this.client, address, path.join(base, 'folder'), path.join(base, 'state'));
  }

  async put(key: string, content: string | Uint8Array, metadata: Record<string, string> = {}): Promise<void> {
    const body = Buffer.from(content);
    const md5 = createHash('md5').update(body).digest('base64');
    await this.client.send(
      new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: body, ContentMD5: md5, Metadata: metadata }),
    );
  }

  async remove(key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }));
  }

  async get(key: string): Promise<string> {
    return (await this.bytes(key)).toString();
  }

  async bytes(key: string): Promise<Buffer> {
    const answer = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
    return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
  }

  async contentType(key: string): Promise<string | undefined> {
    return (await this.client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }))).ContentType;
  }

  async keys(): Promise<string[]> {
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const page = await this.client.send(new ListObjectsV2Command({ Bucket: this.bucket, ContinuationToken: token }));
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return keys;
  }
}

/** A folder with a memory of its own. */
export class Machine {
  readonly folder: string;
  readonly stateDir: string;
  readonly #client: S3Client;
  readonly #address: string;

  constructor(client: S3Client, address: string, folder: string, stateDir: string) {
    this.#client = client;
    this.#address = address;
    this.folder = folder;
    this.stateDir = stateDir;
  }

  sync(options: SyncOptions = {}): Promise<SyncResult> {
    return sync(this.#client, this.#address, this.folder, { stateDir: this.stateDir, ...options });
  }

  check(options: SyncOptions = {}): ReturnType<typeof checkChanges> {
    return checkChanges(this.#client, this.#address, this.folder, { stateDir: this.stateDir, ...options });
  }

  at(name: string): string {
    return path.join(this.folder, name);
  }

  /** Writes a file whose times are old enough not to be taken for one that is still being written. */
  async write(
    name: string,
    content: string | Uint8Array,
    modified: Date = new Date(Date.now() - 60_000),
  ): Promise<void> {
    await mkdir(path.dirname(this.at(name)), { recursive: true });
    await writeFile(this.at(name), content);
    await utimes(this.at(name), modified, modified);
  }

  async read(name: string): Promise<string> {
    return readFile(this.at(name), 'utf8');
  }

  async remove(name: string): Promise<void> {
    await rm(this.at(name), { recursive: true });
  }

  async mtime(name: string): Promise<number> {
    return (await stat(this.at(name))).mtimeMs;
  }

  /** All files of the folder by path; the reserved folder left out. */
  async files(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const name of await readdir(this.folder, { recursive: true })) {
      if (name.startsWith('.filecloudsync')) continue;
      if ((await stat(this.at(name))).isFile()) found[name] = await this.read(name);
    }
    return found;
  }

  /** The contents that the trash keeps. */
  async trash(): Promise<string[]> {
    const base = this.at('.filecloudsync/trash');
    const kept: string[] = [];
    for (const name of await readdir(base, { recursive: true }).catch(() => [])) {
      if (path.basename(name) === 'content') kept.push(await readFile(path.join(base, name), 'utf8'));
    }
    return kept;
  }
}
