import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startS3Server } from '../../src/testing/s3/index.js';

const script = fileURLToPath(new URL('../../scripts/s3-feature-test.mjs', import.meta.url));
const credentials = { accessKeyId: 'CONFORMANCE', secretAccessKey: 'conformance-secret' };
/** Notifications are not part of the server. */
const WITHOUT = ['notify'];
/** All 28 groups but the three about throughput. */
const GROUPS = 25;

interface Group {
  readonly id: string;
  readonly status: string;
  readonly fatal?: string;
  readonly subs: readonly { readonly name: string; readonly ok: boolean; readonly note?: string }[];
}

async function ask(endpoint: string, output: string): Promise<readonly Group[]> {
  await promisify(execFile)(
    process.execPath,
    [
      '--no-warnings',
      script,
      endpoint,
      credentials.accessKeyId,
      credentials.secretAccessKey,
      '--no-perf',
      '--json',
      output,
    ],
    { timeout: 170_000 },
  );
  return (JSON.parse(await readFile(output, 'utf8')) as { results: readonly Group[] }).results;
}

describe('the embedded server answers the feature test', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fcs-feature-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(['memory', 'folder'])(
    'with yes in every group but notifications (%s)',
    { timeout: 180_000 },
    async (storage) => {
      const directory = storage === 'folder' ? { directory: join(folder, 'data') } : {};
      await using server = await startS3Server({ credentials, ...directory });
      const groups = await ask(server.endpoint, join(folder, `${storage}.json`));
      const short = groups
        .filter(({ id, status }) => status !== 'yes' && !WITHOUT.includes(id))
        .map(({ id, fatal, subs }) => ({ id, fatal, failed: subs.filter(({ ok }) => !ok) }));
      expect(short).toEqual([]);
      expect(groups).toHaveLength(GROUPS);
      expect(groups.find(({ id }) => id === 'notify')?.status).toBe('no');
    },
  );
});
