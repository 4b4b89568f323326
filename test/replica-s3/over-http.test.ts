import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeReplica } from '../../src/testing/describe-replica.js';
import { type S3Server, startS3Server } from '../../src/testing/s3/index.js';
import { bucketOverHttp } from './bucket-under-test.js';
import { replicaHarness } from './replica-harness.js';

const credentials = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key' };

for (const kept of ['in memory', 'in a folder'] as const) {
  describe(`The embedded server, data ${kept}, over HTTP`, () => {
    let server: S3Server;
    let directory: string;

    beforeAll(async () => {
      directory = await mkdtemp(path.join(tmpdir(), 'fcs-http-'));
      server = await startS3Server({ credentials, ...(kept === 'in a folder' && { directory, durable: false }) });
    });

    afterAll(async () => {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    });

    describeReplica(
      'A bucket',
      async () => replicaHarness(await bucketOverHttp({ endpoint: server.endpoint, ...credentials }), ''),
      { describe, it, expect },
    );
  });
}
