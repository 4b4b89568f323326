import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, getCredentials, sync } from '../../src/s3/index.js';
import { buildCommand } from '../cli/built-command.js';
import { HostileServer, write, type Hostility, type SeenRequest } from './hostile-server.js';
import { contentsOf, leaksIn, secret, SECRETS } from './secrets.js';

/** `FCS_S4=1`: every command under every fault, not each fault under one of them. */
const isLong = process.env['FCS_S4'] !== undefined;

const COMMANDS: readonly (readonly string[])[] = [
  ['sync'],
  ['plan'],
  ['verify'],
  ['status'],
  ['conflicts'],
  ['resolve', 'a.txt', '--use', 'local'],
  ['trash'],
  ['restore', 'a.txt'],
  ['sync', '--readonly'],
];

let main = '';
let server: HostileServer;
let elsewhere: HostileServer;
let base = '';

beforeAll(async () => {
  main = await buildCommand();
  server = new HostileServer();
  elsewhere = new HostileServer();
  await server.listen();
  await elsewhere.listen();
}, 60_000);

afterAll(async () => {
  await server.close();
  await elsewhere.close();
});

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'fcs-secrets-'));
  mkdirSync(join(base, 'folder'));
  mkdirSync(join(base, 'home/.aws'), { recursive: true });
  writeFileSync(join(base, 'folder/a.txt'), 'a');
  server.hostility = () => false;
  server.seen.length = 0;
  elsewhere.seen.length = 0;
  server.objects.clear();
  server.objects.set('b.txt', 'from there');
});

afterEach(() => {
  rmSync(base, { recursive: true, force: true });
});

type Environment = Readonly<Record<string, string>>;

const keys = (): Environment => ({
  S3_ENDPOINT: `http://127.0.0.1:${server.port}`,
  S3_ACCESS_KEY: 'AKIDPUBLIC',
  S3_SECRET_KEY: secret('secret-key'),
  S3_SESSION_TOKEN: secret('session-token'),
});

/** An error document that says all that it was told. */
const echo =
  (status: number, code: string): Hostility =>
  (socket, request) => {
    const said = request.headers.replaceAll(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);
    const token = /^x-amz-security-token: *(.*)$/im.exec(request.headers)?.[1] ?? '';
    const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>Token ${token} and headers ${said}</Message><StringToSign>${said}</StringToSign><Region>${token}</Region></Error>`;
    write(socket, status, request.method === 'HEAD' ? '' : body, {
      'x-amz-request-id': token,
      'x-amz-bucket-region': token,
    });
    return true;
  };

/** Honest until the bucket was asked once. */
const later =
  (hostility: Hostility): Hostility =>
  (socket, request, honest) =>
    request.operation === 'list' && request.target.includes('max-keys=1000')
      ? hostility(socket, request, honest)
      : request.operation === 'put'
        ? hostility(socket, request, honest)
        : false;

const toElsewhere =
  (status: number): Hostility =>
  (socket) => {
    write(socket, status, '', { location: `http://127.0.0.1:${elsewhere.port}/bucket/?list-type=2` });
    return true;
  };

interface Fault {
  readonly name: string;
  readonly env: () => Environment;
  readonly hostility?: Hostility;
  readonly files?: () => Environment;
  readonly argv?: () => readonly string[];
}

const FAULTS: readonly Fault[] = [
  { name: 'nothing is wrong', env: keys },
  { name: 'nothing listens', env: () => ({ ...keys(), S3_ENDPOINT: 'http://127.0.0.1:1' }) },
  { name: 'a refusal that says all that it was told', env: keys, hostility: echo(403, 'AccessDenied') },
  {
    name: 'a refusal of the signature that says what was signed',
    env: keys,
    hostility: echo(403, 'SignatureDoesNotMatch'),
  },
  { name: 'a refusal of the token that names it', env: keys, hostility: echo(400, 'InvalidToken') },
  {
    name: 'a refusal of the region that names the token',
    env: keys,
    hostility: echo(400, 'AuthorizationHeaderMalformed'),
  },
  { name: 'a refusal later, of a listing and a write', env: keys, hostility: later(echo(403, 'AccessDenied')) },
  {
    name: 'a web page that says all that it was told',
    env: keys,
    hostility: (socket, { headers }) => (write(socket, 200, `<html>${headers}</html>`), true),
  },
  { name: 'a bad argument that names the token', env: keys, hostility: later(echo(400, 'InvalidArgument')) },
  ...[301, 302, 303, 307, 308].map((status) => ({
    name: `a redirection ${status} to another host`,
    env: keys,
    hostility: toElsewhere(status),
  })),
  { name: 'a redirection 307 to another host later', env: keys, hostility: later(toElsewhere(307)) },
  {
    name: 'a password in the endpoint',
    env: () => ({
      ...keys(),
      S3_ENDPOINT: `http://user:${encodeURIComponent(secret('endpoint-password'))}@127.0.0.1:${server.port}`,
    }),
  },
  {
    name: 'a password in an endpoint that is none',
    env: () => ({ ...keys(), S3_ENDPOINT: `http://user:${secret('endpoint-password')}@[bad` }),
  },
  {
    name: 'a password in the endpoint of a flag',
    env: keys,
    argv: () => ['--endpoint', `http://user:${encodeURIComponent(secret('endpoint-password'))}@127.0.0.1:1`],
  },
  {
    name: 'a presigned address as the endpoint',
    env: () => ({
      ...keys(),
      S3_ENDPOINT: `http://127.0.0.1:${server.port}/?X-Amz-Signature=${encodeURIComponent(secret('presigned-signature'))}`,
    }),
  },
  {
    name: 'a proxy with a password',
    env: () => ({
      ...keys(),
      HTTP_PROXY: `http://u:${encodeURIComponent(secret('proxy-password'))}@127.0.0.1:1`,
      HTTPS_PROXY: `http://u:${encodeURIComponent(secret('proxy-password'))}@127.0.0.1:1`,
    }),
  },
  {
    name: 'a file of credentials that others can read, and a refusal',
    env: () => ({}),
    files: () => ({
      '.s3conf.yml': `aws_access_key_id: AKID\naws_secret_access_key: ${secret('conf-secret')}\naws_session_token: ${secret('conf-token')}\nendpoint_url: http://127.0.0.1:${server.port}\n`,
    }),
    hostility: echo(403, 'InvalidAccessKeyId'),
  },
  {
    name: 'a file of credentials with a secret on the bad line',
    env: () => ({}),
    files: () => ({
      '.s3conf.yml': `aws_access_key_id: AKID\naws_secret_access_key: "${secret('conf-secret')}\n  ${secret('conf-bad-line')}: : [\n`,
    }),
  },
  {
    name: 'a file of credentials with a secret that is a list, and a password in its endpoint',
    env: () => ({}),
    files: () => ({
      '.s3conf.yml': `aws_access_key_id: AKID\naws_secret_access_key: [${secret('conf-bad-line')}]\nendpoint_url: http://u:${secret('conf-endpoint-password')}@h\n`,
    }),
  },
  {
    name: 'a file of credentials with a password in its endpoint',
    env: () => ({}),
    files: () => ({
      '.s3conf.yml': `aws_access_key_id: AKID\naws_secret_access_key: ${secret('conf-secret')}\nendpoint_url: "http://u:${encodeURIComponent(secret('conf-endpoint-password'))}@127.0.0.1:1"\n`,
    }),
  },
  {
    name: 'keys of AWS in the environment, and a refusal',
    env: () => ({
      S3_ENDPOINT: `http://127.0.0.1:${server.port}`,
      AWS_ACCESS_KEY_ID: 'AKID',
      AWS_SECRET_ACCESS_KEY: secret('aws-secret'),
      AWS_SESSION_TOKEN: secret('aws-token'),
    }),
    hostility: echo(403, 'ExpiredToken'),
  },
  {
    name: 'a program for credentials that fails and says a secret',
    env: () => ({ AWS_EC2_METADATA_DISABLED: 'true', S3_ENDPOINT: `http://127.0.0.1:${server.port}` }),
    files: () => ({
      'home/.aws/config': `[default]\nregion = us-east-1\ncredential_process = sh -c "echo ${secret('process-secret')} >&2; exit 3"\n`,
    }),
  },
  {
    name: 'a program for credentials that answers a secret that is no JSON',
    env: () => ({ AWS_EC2_METADATA_DISABLED: 'true', S3_ENDPOINT: `http://127.0.0.1:${server.port}` }),
    files: () => ({
      'home/.aws/config': `[default]\nregion = us-east-1\ncredential_process = echo ${secret('process-secret')}\n`,
    }),
  },
];

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function run(command: readonly string[], fault: Fault): Promise<Ended> {
  for (const [name, content] of Object.entries(fault.files?.() ?? {})) writeFileSync(join(base, name), content);
  const [name = '', ...more] = command;
  const argv = [
    main,
    name,
    'folder',
    's3://bucket',
    ...more,
    ...(fault.argv?.() ?? []),
    '--verbose',
    '--json',
    '--log',
    'log.jsonl',
  ];
  const env = {
    PATH: process.env['PATH'],
    HOME: join(base, 'home'),
    FILECLOUDSYNC_STATE_DIR: join(base, 'state'),
    S3_REGION: 'us-east-1',
    NODE_DEBUG: '',
    ...fault.env(),
  };
  const child = spawn(process.execPath, ['--trace-warnings', '--trace-uncaught', ...argv], {
    cwd: base,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
}

/** Everything that the run left behind but the files the secrets were planted in. */
function leftBehind(fault: Fault): string {
  for (const name of Object.keys(fault.files?.() ?? {})) rmSync(join(base, name), { force: true });
  return contentsOf(base);
}

function isWholeRequest({ headers }: SeenRequest): boolean {
  return headers !== '';
}

describe('S4: secrets', () => {
  it('are twelve, and are found in every form by the one who looks for them', () => {
    expect(Object.keys(SECRETS)).toHaveLength(12);
    for (const [name, value] of Object.entries(SECRETS)) {
      const forms = [
        value,
        Buffer.from(value).toString('hex'),
        encodeURIComponent(value),
        ...['', 'x', 'xy'].map((before) => Buffer.from(`${before}${value}zz`).toString('base64')),
      ];
      for (const form of forms) expect(leaksIn(`before ${form} after`), `${name} as ${form}`).not.toEqual([]);
    }
    expect(leaksIn('nothing of that kind')).toEqual([]);
  });

  const rows = FAULTS.flatMap((fault, i) =>
    (isLong ? COMMANDS : [COMMANDS[i % 3] ?? ['sync']]).map(
      (command) => [fault.name, command.join(' '), fault, command] as const,
    ),
  );
  it.each(rows)(
    'stay where they are: %s, %s',
    async (_name, _command, fault, command) => {
      server.hostility = fault.hostility ?? (() => false);
      const { code, output } = await run(command, fault);
      expect(leaksIn(output), output).toEqual([]);
      expect(leaksIn(leftBehind(fault))).toEqual([]);
      // Faults that are found before anything is asked are told from those that came to pass.
      expect(output.includes('ERR_USAGE')).toBe(/^a (password|presigned address)/.test(fault.name));
      expect([0, 1, 2, 3, 4, 10]).toContain(code);
      // A command that crashed told nothing to anybody either, but would prove nothing.
      expect(output).not.toMatch(/Uncaught|ERR_UNEXPECTED/);
      // Nothing at all was asked of the other host.
      expect(elsewhere.seen).toEqual([]);
      // Where they must go they go: not as they are, but for the token, which is sent to be read.
      for (const { headers, target } of server.seen.filter(isWholeRequest)) {
        expect(leaksIn(`${target}\n${headers}`).filter((leak) => !leak.includes('token'))).toEqual([]);
      }
    },
    60_000,
  );

  it('are in no error of the library, however deep one looks', async () => {
    const options = {
      endpoint: `http://127.0.0.1:${server.port}`,
      region: 'us-east-1',
      accessKeyId: 'AKID',
      secretAccessKey: secret('secret-key'),
      sessionToken: secret('session-token'),
    };
    const look = (error: unknown): void => {
      expect(error).toBeInstanceOf(Error);
      const shown = `${inspect(error, { depth: Infinity, showHidden: true, getters: true })}\n${JSON.stringify(error)}\n${error instanceof Error ? error.stack : ''}`;
      expect(leaksIn(shown), shown.slice(0, 3000)).toEqual([]);
    };
    const failure = (work: Promise<unknown>): Promise<unknown> =>
      work.then(
        () => undefined,
        (error: unknown) => error,
      );
    for (const code of ['AccessDenied', 'SignatureDoesNotMatch', 'InvalidToken', 'AuthorizationHeaderMalformed']) {
      server.hostility = echo(403, code);
      look(await failure(connect({ ...options, bucket: 'bucket' })));
    }
    look(await failure(connect({ ...options, endpoint: 'http://127.0.0.1:1' })));
    look(await failure(connect({ ...options, endpoint: `http://u:${secret('endpoint-password')}@[bad` })));
    look(await failure(connect({ ...options, timeoutSeconds: 0 })));
    look(await failure(getCredentials({ ...options, accessKeyId: 7 as unknown as string })));
    server.hostility = () => false;
    const client = await connect({ ...options, bucket: 'bucket' });
    try {
      for (const hostility of [
        later(echo(403, 'AccessDenied')),
        later(toElsewhere(307)),
        later((socket) => (socket.destroy(), true)),
      ]) {
        server.hostility = hostility;
        look(await failure(sync(client, 'bucket', join(base, 'folder'), { stateDir: join(base, 'state') })));
      }
    } finally {
      client.destroy();
    }
    expect(leaksIn(contentsOf(base))).toEqual([]);
    expect(elsewhere.seen).toEqual([]);
  }, 60_000);
});
