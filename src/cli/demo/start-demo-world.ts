import type { Clock } from '../../core/runtime.js';
import { startS3Server } from '../../testing/s3/index.js';
import { DEMO_BUCKET, DEMO_KEYS, type DemoWorld } from './demo-world.js';
import { plainBucket } from './plain-bucket.js';

/** Starts an S3 server on 127.0.0.1 that keeps its data in `directory`. Port 0: any free one. */
export async function startDemoWorld(options: {
  readonly directory: string;
  readonly port: number;
  readonly clock: Clock;
}): Promise<DemoWorld> {
  const { directory, port, clock } = options;
  const server = await startS3Server({ port, directory, credentials: DEMO_KEYS });
  const endpoint = server.endpoint;
  return {
    endpoint,
    ...DEMO_KEYS,
    bucket: plainBucket({ endpoint, name: DEMO_BUCKET, ...DEMO_KEYS, nowMs: () => clock.nowMs() }),
    stop: () => server.close(),
  };
}
