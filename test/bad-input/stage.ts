import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { startS3Server, type FaultPlan, type S3Server } from '../../src/testing/s3/index.js';
import { Command, KEYS, type Ended, type RunOptions, type Started } from './command.js';

/** A server, a place on the disk, and the command. */
export class Stage {
  readonly server: S3Server;
  readonly place: string;
  readonly client: S3Client;
  readonly command: Command;
  /** Told each request that was answered, as `200 PUT /bucket/key`. */
  readonly listeners: Set<(line: string) => void>;

  private constructor(server: S3Server, place: string, command: Command, listeners: Set<(line: string) => void>) {
    this.listeners = listeners;
    this.server = server;
    this.place = place;
    this.command = command;
    this.client = new S3Client({
      endpoint: server.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      credentials: { ...KEYS },
    });
  }

  static async open(faults?: FaultPlan): Promise<Stage> {
    const place = await mkdtemp(path.join(tmpdir(), 'fcs-bad-input-'));
    const listeners = new Set<(line: string) => void>();
    const log = (line: string): void => {
      for (const listener of listeners) listener(line);
    };
    const server = await startS3Server({ credentials: KEYS, log, ...(faults === undefined ? {} : { faults }) });
    const command = await Command.build(place, {
      HOME: place,
      FILECLOUDSYNC_STATE_DIR: path.join(place, 'state'),
      S3_ENDPOINT: server.endpoint,
      S3_REGION: 'us-east-1',
      S3_ACCESS_KEY: KEYS.accessKeyId,
      S3_SECRET_KEY: KEYS.secretAccessKey,
    });
    return new Stage(server, place, command, listeners);
  }

  /** A folder and a bucket with these files and objects; the folder may be given. */
  async pair(
    given: { readonly files?: Contents; readonly objects?: Contents; readonly folder?: string } = {},
  ): Promise<BadPair> {
    const bucket = `bad-${randomUUID().slice(0, 18)}`;
    const folder = given.folder ?? path.join(this.place, `folder of ${bucket}`);
    await mkdir(folder, { recursive: true });
    await this.client.send(new CreateBucketCommand({ Bucket: bucket }));
    const pair = new BadPair(this, folder, bucket);
    for (const [name, content] of Object.entries(given.files ?? {})) await pair.write(name, content);
    for (const [key, content] of Object.entries(given.objects ?? {})) await pair.put(key, content);
    return pair;
  }

  async close(): Promise<void> {
    this.client.destroy();
    await this.server.close();
    await rm(this.place, { recursive: true, force: true });
  }
}

type Contents = Readonly<Record<string, string | Uint8Array>>;

/** A folder and a bucket, seen past the product. */
export class BadPair {
  readonly folder: string;
  readonly bucket: string;
  readonly #stage: Stage;

  constructor(stage: Stage, folder: string, bucket: string) {
    this.#stage = stage;
    this.folder = folder;
    this.bucket = bucket;
  }

  get argv(): [folder: string, address: string] {
    return [this.folder, `s3://${this.bucket}`];
  }

  /** Runs `sync --json` on the pair. */
  sync(flags: readonly string[] = [], options: RunOptions = {}): Promise<Ended> {
    return this.start(flags, options).ended;
  }

  start(flags: readonly string[] = [], options: RunOptions = {}): Started {
    return this.#stage.command.start(['sync', ...this.argv, '--json', ...flags], options);
  }

  /** Writes a file that is old enough not to be taken for one that is being written. */
  async write(name: string, content: string | Uint8Array): Promise<void> {
    const file = path.join(this.folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
    const before = new Date(Date.now() - 60_000);
    await utimes(file, before, before);
  }

  async put(key: string, content: string | Uint8Array): Promise<void> {
    await this.#stage.client.send(new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: Buffer.from(content) }));
  }

  async get(key: string): Promise<Buffer> {
    const answer = await this.#stage.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
    return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
  }

  async remove(name: string): Promise<void> {
    await rm(path.join(this.folder, name));
  }

  /** All keys of the bucket, those of the product included. */
  async keys(): Promise<string[]> {
    const page = await this.#stage.client.send(new ListObjectsV2Command({ Bucket: this.bucket }));
    return (page.Contents ?? []).map(({ Key }) => Key ?? '');
  }

  /** Keys of the uploads that nobody has finished. */
  async unfinishedUploads(): Promise<string[]> {
    const page = await this.#stage.client.send(new ListMultipartUploadsCommand({ Bucket: this.bucket }));
    return (page.Uploads ?? []).map(({ Key }) => Key ?? '');
  }

  /** Paths of all files of the folder, but for the product's own folder. */
  async files(): Promise<string[]> {
    const names: string[] = [];
    for (const name of await readdir(this.folder, { recursive: true })) {
      if (name.startsWith('.filecloudsync')) continue;
      if ((await stat(path.join(this.folder, name))).isFile()) names.push(name);
    }
    return names.sort();
  }

  read(name: string): Promise<Buffer> {
    return readFile(path.join(this.folder, name));
  }

  /** What lies in the folder of staged files. */
  async staged(): Promise<string[]> {
    return readdir(path.join(this.folder, '.filecloudsync', 'tmp')).catch(() => []);
  }

  /** How many versions the trash holds. */
  async trashed(): Promise<string[]> {
    return (
      await readdir(path.join(this.folder, '.filecloudsync', 'trash'), { recursive: true }).catch(() => [])
    ).filter((name) => path.basename(name) === 'content');
  }
}
