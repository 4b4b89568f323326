import { afterEach, describe, expect, it, vi } from 'vitest';
import { S3ConnectionError } from '../../src/errors.js';
import { connect } from '../../src/s3/index.js';
import { createBackoff } from '../../src/replica/wrap/backoff.js';
import { createS3Api } from '../../src/replica/s3/s3-api.js';
import { createHttpTransport } from '../../src/replica/s3/http-transport.js';
import { probeStore } from '../../src/replica/s3/probe.js';
import { systemRuntime } from '../../src/s3/system-runtime.js';
import type { Fault } from '../../src/testing/s3/index.js';
import { KEYS } from './command.js';
import { Stage } from './stage.js';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let stage: Stage | undefined;
afterEach(() => stage?.close());

describe('a connection that breaks while the store is tried out', () => {
  it.each(['reset-before', 'reset-after', 'short-body'] as const)(
    '(%s) is a failure of the connection that may pass, at whichever request',
    async (fault: Fault) => {
      // Each probe breaks at a later request than the one before: the first, the twelfth, and so on to the last.
      const steps = Array.from({ length: 7 }, (_, i) => 1 + 11 * i);
      const nth = steps.map((_, i) => steps.slice(0, i + 1).reduce((sum, step) => sum + step, 0));
      let seen = 0;
      const broken = await Stage.open({
        rules: [{ fault, key: /\.filecloudsync\/probe-/, nth }],
        onFault: () => void seen++,
      });
      stage = broken;
      const { bucket } = await broken.pair();
      const client = await connect({
        endpoint: broken.server.endpoint,
        accessKeyId: KEYS.accessKeyId,
        secretAccessKey: KEYS.secretAccessKey,
      });
      const transport = createHttpTransport({ client, clock: systemRuntime.clock });
      const backoff = createBackoff(systemRuntime, { baseMs: 1, capMs: 1 });
      const api = createS3Api(transport, bucket, backoff);
      const tools = { api, together: api, backoff, clock: systemRuntime.clock, signal: undefined };
      for (let at = 0; at < steps.length; at++) {
        const base = `.filecloudsync/probe-${String(at).padStart(12, '0')}`;
        const result = await probeStore(base, { ...tools, onKeys: () => Promise.resolve() }).catch(
          (error: unknown) => error,
        );
        if (result instanceof Error) {
          expect(result, String(result)).toBeInstanceOf(S3ConnectionError);
          expect(result).toMatchObject({ code: 'ERR_S3_CONNECTION_LOST', retryable: true });
        } else expect(result).toMatchObject({ finished: true });
      }
      await transport.close();
      client.destroy();
      expect(seen).toBeGreaterThan(5);
    },
  );

  it('does not keep a sync from being done, and leaves nothing', async () => {
    stage = await Stage.open({ rules: [{ fault: 'reset-before', key: /\.filecloudsync\/probe-/, nth: [7, 40] }] });
    const pair = await stage.pair({ files: { 'a.txt': 'a' } });
    const ended = await pair.sync();
    expect(ended.code, ended.stderr).toBe(0);
    expect([await pair.keys(), await pair.unfinishedUploads()]).toEqual([['a.txt'], []]);
  });
});
