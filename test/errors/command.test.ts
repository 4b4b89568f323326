import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plainBucket } from '../../src/cli/demo/plain-bucket.js';
import { startDemoWorld } from '../../src/cli/demo/start-demo-world.js';
import { systemRuntime } from '../../src/s3/system-runtime.js';
import { cycle, run, runPair, temporaryFolder } from '../cli/harness.js';

const { clock } = systemRuntime;

describe('a command that asks for a yes', () => {
  it('says how to agree where nobody can be asked, and purges nothing (ERR_NOT_CONFIRMED)', async () => {
    const item = {
      id: 'x',
      path: 'a',
      origin: 'local',
      reason: 'deleted',
      runId: 'r',
      trashedAtMs: 0,
      sizeBytes: 1,
      modifiedMs: 0,
    } as const;
    const ran = await runPair('trash', {
      more: ['--purge-older-than', '0d', '--json'],
      pair: { trash: async () => [item] },
    });
    expect(ran.code).toBe(2);
    expect(ran.lines).toMatchObject([
      { type: 'error', code: 'ERR_NOT_CONFIRMED', message: expect.stringMatching(/--yes/) },
    ]);
  });
});

describe('demo', () => {
  it('takes no folder of somebody else (ERR_DEMO_PLACE)', async () => {
    const root = temporaryFolder();
    writeFileSync(join(root, 'mine.txt'), 'mine');
    const ran = await run(['demo', '--dir', root, '--json']);
    expect([ran.code, ran.lines.at(-1)]).toMatchObject([2, { type: 'error', code: 'ERR_DEMO_PLACE' }]);
  });

  it('says which of its claims is not so (ERR_DEMO_CLAIM)', async () => {
    // A pair that says it has done its work, and has not.
    const ran = await run(['demo', '--port', '0'], {
      overrides: { startDemoWorld: (options) => startDemoWorld({ ...options, clock }) },
      pair: { sync: async () => cycle() },
    });
    expect([ran.code, ran.stdout + ran.stderr]).toEqual([1, expect.stringContaining('ERR_DEMO_CLAIM')]);
  });

  it('says what its server answered where something else was expected (ERR_DEMO_SERVER)', async () => {
    const server = createServer((_request, response) => response.writeHead(503).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const bucket = plainBucket({
      endpoint: `http://127.0.0.1:${port}`,
      name: 'demo',
      accessKeyId: 'k',
      secretAccessKey: 's',
      nowMs: () => clock.nowMs(),
    });
    await expect(bucket.write('a', 'x')).rejects.toMatchObject({
      code: 'ERR_DEMO_SERVER',
      message: expect.stringMatching(/503 where 200/),
    });
    server.close();
  });
});
