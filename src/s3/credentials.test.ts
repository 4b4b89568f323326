import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfigFile } from '../store/config-file.js';
import { getCredentials } from './credentials.js';
import type { Surroundings } from './surroundings.js';

const KEYS = { accessKeyId: 'ARG', secretAccessKey: 'arg-secret' };
let base: string;
let cwd: string;
let home: string;
let warnings: { message: string; code: string }[];
let env: Record<string, string>;
let chain: Surroundings['awsChain'];

beforeEach(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'fcs-credentials-'));
  cwd = path.join(base, 'cwd');
  home = path.join(base, 'home');
  await mkdir(cwd);
  await mkdir(home);
  warnings = [];
  env = {};
  chain = () =>
    Promise.reject(
      Object.assign(new Error('Could not load credentials from any providers'), { name: 'CredentialsProviderError' }),
    );
});

afterEach(() => rm(base, { recursive: true }));

describe('getCredentials', () => {
  it('takes each source before the later ones', async () => {
    chain = async (profile) => ({
      keys: async () => ({ accessKeyId: `AWS ${profile}`, secretAccessKey: 'x' }),
      endpoint: 'https://aws.test',
      region: 'r',
    });
    expect(await get()).toEqual({
      accessKeyId: 'AWS undefined',
      secretAccessKey: 'x',
      endpoint: 'https://aws.test',
      region: 'r',
    });
    await conf(
      home,
      'aws_access_key_id: HOME\naws_secret_access_key: h\nendpoint_url: https://home.test\nregion_name: hr\n',
    );
    expect(await get()).toEqual({
      accessKeyId: 'HOME',
      secretAccessKey: 'h',
      endpoint: 'https://home.test',
      region: 'hr',
    });
    await conf(cwd, 'aws_access_key_id: CWD\naws_secret_access_key: c\naws_session_token: t\n');
    expect(await get()).toEqual({ accessKeyId: 'CWD', secretAccessKey: 'c', sessionToken: 't' });
    env = { S3_ACCESS_KEY: 'ENV', S3_SECRET_KEY: 'e' };
    expect(await get()).toEqual({ accessKeyId: 'ENV', secretAccessKey: 'e' });
    expect(await get(KEYS)).toEqual(KEYS);
    expect(await get({ profile: 'p' })).toMatchObject({ accessKeyId: 'AWS p' });
  });

  it('never sends keys from elsewhere to the host of a file in the current folder', async () => {
    await conf(cwd, 'endpoint_url: https://evil.test\nregion_name: evil\n');
    await conf(home, 'aws_access_key_id: HOME\naws_secret_access_key: h\n');
    expect(await get()).toEqual({ accessKeyId: 'HOME', secretAccessKey: 'h' });
    await conf(cwd, 'aws_access_key_id: CWD\naws_secret_access_key: c\nendpoint_url: https://evil.test\n');
    expect(await get(KEYS)).toEqual(KEYS);
    env = { S3_ACCESS_KEY: 'ENV', S3_SECRET_KEY: 'e' };
    expect(await get()).toEqual({ accessKeyId: 'ENV', secretAccessKey: 'e' });
  });

  it('takes endpoint and region from the arguments, else the environment, else the source', async () => {
    await conf(
      home,
      'aws_access_key_id: HOME\naws_secret_access_key: h\nendpoint_url: https://home.test\nregion_name: hr\n',
    );
    env = { S3_ENDPOINT: 'https://env.test', S3_REGION: 'er' };
    expect(await get()).toMatchObject({ endpoint: 'https://env.test', region: 'er' });
    expect(await get({ endpoint: 'https://arg.test', region: 'ar' })).toMatchObject({
      endpoint: 'https://arg.test',
      region: 'ar',
    });
    env = { S3_ENDPOINT: 'nonsense' };
    await expect(get()).rejects.toMatchObject({ code: 'ERR_USAGE', message: expect.stringContaining('S3_ENDPOINT') });
  });

  it('says of half a source that it is none', async () => {
    env = { S3_ACCESS_KEY: 'ENV', S3_SECRET_KEY: ' ' };
    await conf(cwd, 'aws_access_key_id: CWD\n');
    const error = await get().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'ERR_NO_CREDENTIALS', name: 'S3ConnectionError' });
    const { message } = error as Error;
    expect(message).toContain('S3_ACCESS_KEY is set, S3_SECRET_KEY is not');
    expect(message).toContain(`${path.join(cwd, '.s3conf.yml')}: it lacks aws_secret_access_key`);
    expect(message).toContain(`${path.join(home, '.s3conf.yml')}: not there`);
    expect(message).toContain('the AWS default chain: Could not load credentials');
    await conf(home, 'aws_access_key_id: HOME\naws_secret_access_key: h\n');
    expect(await get()).toEqual({ accessKeyId: 'HOME', secretAccessKey: 'h' });
  });

  it('does not tell what a program of a profile printed', async () => {
    chain = () =>
      Promise.reject(
        Object.assign(new Error('Command failed: get-keys --password s3cr3t'), { name: 'CredentialsProviderError' }),
      );
    const error = await get().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'ERR_NO_CREDENTIALS' });
    expect(inspect(error, { depth: 9 })).not.toContain('s3cr3t');
  });

  it('asks nothing but the profile when one is named', async () => {
    env = { S3_ACCESS_KEY: 'ENV', S3_SECRET_KEY: 'e' };
    await expect(get({ profile: 'p' })).rejects.toMatchObject({
      code: 'ERR_NO_CREDENTIALS',
      data: { looked: [expect.stringContaining('the AWS profile "p"')] },
    });
  });

  it.each([
    ['is not YAML (line 3)', 'aws_access_key_id: s3cr3t\naws_secret_access_key: "s3cr3t\n'],
    ['is not YAML (line 3)', 'aws_access_key_id: s3cr3t\naws_secret_access_key: b\naws_access_key_id: s3cr3t\n'],
    ['is not a list of fields', '- s3cr3t\n'],
    ['that is not a text (line 1)', 'aws_secret_access_key: [s3cr3t]\n'],
    ['that is not an address', 'aws_access_key_id: a\naws_secret_access_key: s3cr3t\nendpoint_url: s3cr3t\n'],
    ['is larger than', '#'.repeat(70_000)],
  ])('refuses a file that %s, and tells nothing of its content', async (reason, text) => {
    await conf(cwd, text);
    const error = await get().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'ERR_CREDENTIALS_FILE', message: expect.stringContaining(reason) });
    expect((error as Error).message).toContain(path.join(cwd, '.s3conf.yml'));
    expect(inspect(error, { depth: 9 })).not.toContain('s3cr3t');
  });

  it('refuses a folder of that name', async () => {
    await mkdir(path.join(cwd, '.s3conf.yml'));
    await expect(get()).rejects.toMatchObject({
      code: 'ERR_CREDENTIALS_FILE',
      message: expect.stringContaining('is a directory'),
    });
  });

  it('keeps a key of digits as it is written', async () => {
    await conf(cwd, 'aws_access_key_id: 007\naws_secret_access_key: 1e3\n');
    expect(await get()).toEqual({ accessKeyId: '007', secretAccessKey: '1e3' });
  });

  it.skipIf(process.platform === 'win32')('warns when others can read the secret', async () => {
    await conf(cwd, 'aws_access_key_id: a\naws_secret_access_key: s3cr3t\n', 0o644);
    await get();
    expect(warnings).toEqual([{ code: 'WARN_CREDENTIALS_READABLE', message: expect.stringContaining('chmod 600') }]);
    expect(warnings[0]?.message).not.toContain('s3cr3t');
    await conf(cwd, 'aws_access_key_id: a\naws_secret_access_key: b\n', 0o600);
    await get();
    expect(warnings).toHaveLength(1);
  });

  it('refuses one key without the other among the arguments', async () => {
    await expect(get({ accessKeyId: 'a' })).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });
});

function get(options: Parameters<typeof getCredentials>[0] = {}): ReturnType<typeof getCredentials> {
  const warn = (message: string, code: string): void => void warnings.push({ message, code });
  return getCredentials(options, { cwd, home, env, readConfigFile, warn, awsChain: chain });
}

async function conf(folder: string, text: string, mode = 0o600): Promise<void> {
  const file = path.join(folder, '.s3conf.yml');
  await writeFile(file, text);
  await chmod(file, mode);
}
