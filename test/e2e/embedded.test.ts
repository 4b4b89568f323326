import { afterAll, beforeAll } from 'vitest';
import { startS3Server, type S3Server } from '../../src/testing/s3/index.js';
import { describeScenarios } from './scenarios.js';

const credentials = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key' };
let server: S3Server;

beforeAll(async () => {
  server = await startS3Server({ port: 0, credentials });
});

afterAll(async () => {
  await server.close();
});

describeScenarios('sync on the embedded server', () => ({
  endpoint: server.endpoint,
  ...credentials,
  counts: () => ({ ...server.core.counter.byOperation }),
}));
