import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startS3Server, type S3Server } from '../../src/testing/s3/index.js';
import { buildCommand } from '../cli/built-command.js';
import { SELF_SIGNED, SELF_SIGNED_FILE } from '../fixtures/self-signed.js';

const credentials = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key' };

describe('https', () => {
  let server: S3Server;
  let front: Server;
  let base: string;

  beforeAll(async () => {
    server = await startS3Server({ credentials });
    server.core.createBucket('over-tls');
    front = createServer(SELF_SIGNED, (incoming, answer) => {
      const { method, url, headers } = incoming;
      const onward = request({ host: '127.0.0.1', port: server.port, method, path: url, headers }, (answered) => {
        answer.writeHead(answered.statusCode ?? 502, answered.headers);
        answered.pipe(answer);
      });
      incoming.pipe(onward);
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    base = await mkdtemp(path.join(tmpdir(), 'fcs-https-'));
    await mkdir(path.join(base, 'folder'));
  });

  afterAll(async () => {
    front.closeAllConnections();
    front.close();
    await server.close();
    await rm(base, { recursive: true, force: true });
  });

  async function sync(extra: Readonly<Record<string, string>>): Promise<number | null> {
    const child = spawn(process.execPath, [await buildCommand(), 'sync', path.join(base, 'folder'), 's3://over-tls'], {
      env: {
        PATH: process.env['PATH'],
        S3_ENDPOINT: `https://127.0.0.1:${(front.address() as AddressInfo).port}`,
        S3_REGION: 'us-east-1',
        S3_ACCESS_KEY: credentials.accessKeyId,
        S3_SECRET_KEY: credentials.secretAccessKey,
        FILECLOUDSYNC_STATE_DIR: path.join(base, 'state'),
        ...extra,
      },
      stdio: 'ignore',
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  }

  it('carries files both ways once the certificate is vouched for, and nothing before', async () => {
    await writeFile(path.join(base, 'folder/up.bin'), Buffer.alloc(9 * 1024 * 1024, 7));
    await server.core.put('over-tls', 'down.txt', 'from the bucket');
    expect(await sync({})).toBe(1);
    expect(server.core.keys('over-tls')).toEqual(['down.txt']);
    expect(await sync({ NODE_EXTRA_CA_CERTS: SELF_SIGNED_FILE })).toBe(0);
    expect(server.core.keys('over-tls')).toEqual(['down.txt', 'up.bin']);
    expect(await readFile(path.join(base, 'folder/down.txt'), 'utf8')).toBe('from the bucket');
  }, 120_000);
});
