import { chmod, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { KEYS, type Ended, type RunOptions } from './command.js';
import { Stage, type BadPair } from './stage.js';

// Each test starts processes, and the machine may have other work.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let stage: Stage;
let pair: BadPair;
/** The current folder of the command, with the file `.s3conf.yml`. */
let cwd: string;

beforeAll(async () => {
  stage = await Stage.open();
  pair = await stage.pair({ files: { 'a.txt': 'a' } });
});
afterAll(() => stage.close());
beforeEach(async () => {
  cwd = await mkdtemp(path.join(stage.place, 'cwd-'));
});

const GOOD = (): string =>
  `aws_access_key_id: ${KEYS.accessKeyId}\naws_secret_access_key: ${KEYS.secretAccessKey}\nendpoint_url: ${stage.server.endpoint}\n`;

function run(flags: readonly string[] = ['--json'], options: RunOptions = {}): Promise<Ended> {
  // No other source of keys: neither the environment, nor the AWS chain of this machine.
  const env = {
    S3_ACCESS_KEY: undefined,
    S3_SECRET_KEY: undefined,
    S3_ENDPOINT: undefined,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: path.join(cwd, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: path.join(cwd, 'none'),
  };
  return stage.command.run(['sync', ...pair.argv, ...flags], { cwd, ...options, env: { ...env, ...options.env } });
}

async function configure(text: string | Uint8Array, mode = 0o600): Promise<void> {
  await writeFile(path.join(cwd, '.s3conf.yml'), text, { mode });
}

describe('a configuration file that', () => {
  it('is not YAML is named with its line, and nothing of what it holds', async () => {
    await configure(`aws_access_key_id: "${KEYS.accessKeyId}\naws_secret_access_key: [${KEYS.secretAccessKey}\n`);
    const ended = await run();
    expect(ended.code).toBe(1);
    expect(ended.error()).toMatchObject({
      code: 'ERR_CREDENTIALS_FILE',
      message: expect.stringMatching(/\.s3conf\.yml.*not YAML \(line \d+\).*Correct it or move it away/),
    });
    expect(ended.stdout).not.toContain(KEYS.accessKeyId);
  });

  it.each([
    ['is text, not fields', 'just some words\n', /not a list of fields/],
    ['is a binary', Buffer.from([0xff, 0xfe, 0x00, 0x80]), /UTF-8/],
    ['has a field that is no text', 'aws_access_key_id: [1, 2]\naws_secret_access_key: x\n', /aws_access_key_id/],
    [
      'has an endpoint that is none',
      'aws_access_key_id: a\naws_secret_access_key: b\nendpoint_url: "storage"\n',
      /endpoint_url/,
    ],
    ['is as large as a video', Buffer.alloc(70_000, '#'), /larger/],
  ] as const)('%s is refused', async (_name, text, wanted) => {
    await configure(text);
    const ended = await run();
    expect(ended.code).toBe(1);
    expect(ended.error()).toMatchObject({ code: 'ERR_CREDENTIALS_FILE', message: expect.stringMatching(wanted) });
  });

  it('is a directory is refused', async () => {
    await mkdir(path.join(cwd, '.s3conf.yml'));
    const ended = await run();
    expect([ended.code, ended.error()['code']]).toEqual([1, 'ERR_CREDENTIALS_FILE']);
    expect(ended.error()['message']).toContain('is a directory');
  });

  it('may not be read by this user is refused, and no other source is tried', async () => {
    await configure(GOOD(), 0o600);
    await chmod(path.join(cwd, '.s3conf.yml'), 0o000);
    const ended = await run(['--json'], { withoutPrivileges: true });
    expect(ended.code).toBe(1);
    expect(ended.error()).toMatchObject({
      code: 'ERR_CREDENTIALS_FILE',
      message: expect.stringContaining('may not be read'),
    });
  });

  it('lacks a field is passed over, and named among the places that were looked at', async () => {
    await configure(`aws_access_key_id: ${KEYS.accessKeyId}\n`);
    const ended = await run();
    expect(ended.code).toBe(1);
    expect(ended.error()).toMatchObject({ code: 'ERR_NO_CREDENTIALS' });
    const message = String(ended.error()['message']);
    for (const part of [
      'S3_ACCESS_KEY',
      `${path.join(cwd, '.s3conf.yml')}: it lacks aws_secret_access_key`,
      `${path.join(stage.place, '.s3conf.yml')}: not there`,
      'the AWS default chain',
    ])
      expect(message).toContain(part);
    expect(await pair.keys()).toEqual([]);
  });

  it('can be read by everyone works, with one warning that says what to do', async () => {
    await configure(GOOD(), 0o644);
    await chmod(path.join(cwd, '.s3conf.yml'), 0o644);
    const ended = await run(['--json']);
    expect(ended.code).toBe(0);
    expect(ended.stderr.match(/can be read by other users/g)).toHaveLength(1);
    expect(ended.stderr).toContain(`chmod 600 ${path.join(cwd, '.s3conf.yml')}`);
    await chmod(path.join(cwd, '.s3conf.yml'), 0o600);
    const quiet = await run(['--json']);
    expect([quiet.code, quiet.stderr]).toEqual([0, '']);
  });
});
