import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startS3Server, type S3Server } from '../testing/s3/index.js';
import { connect } from './connect.js';
import type { ConnectOptions } from './connect-options.js';
import { connectSlim } from './connect-slim.js';
import type { Surroundings } from './surroundings.js';

const credentials = { accessKeyId: 'TESTKEY', secretAccessKey: 'very-secret-text' };
const nowhere: Surroundings = {
  cwd: '/nowhere',
  home: '/nowhere',
  env: {},
  readConfigFile: () => Promise.resolve(undefined),
  warn: () => undefined,
  awsChain: () => Promise.reject(new Error('none')),
};
let server: S3Server;
const open: (Server | TcpServer)[] = [];

beforeAll(async () => {
  server = await startS3Server({ credentials });
  server.core.createBucket('photos');
});
afterAll(() => server.close());
afterEach(() => {
  for (const each of open.splice(0)) {
    if ('closeAllConnections' in each) each.closeAllConnections();
    each.close();
  }
});

describe('connect', () => {
  it('answers a client that works, without printing anything', async () => {
    const warnings: Error[] = [];
    const collect = (warning: Error): void => void warnings.push(warning);
    process.on('warning', collect);
    const client = await tryConnect({ ...credentials, endpoint: server.endpoint });
    const { ListBucketsCommand, PutObjectCommand } = await import('@aws-sdk/client-s3');
    const answer = await client.send(new ListBucketsCommand({}));
    expect(answer.Buckets?.map(({ Name }) => Name)).toEqual(['photos']);
    await client.send(new PutObjectCommand({ Bucket: 'photos', Key: 'a', Body: 'b' }));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', collect);
    expect(warnings).toEqual([]);
    expect(await client.config.requestChecksumCalculation()).toBe('WHEN_REQUIRED');
    expect(client.config.forcePathStyle).toBe(true);
    client.destroy();
  });

  it('leaves the switch for the notice of the SDK as it was', async () => {
    const name = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';
    (await tryConnect({ ...credentials, endpoint: server.endpoint })).destroy();
    expect(process.env[name]).toBeUndefined();
  });

  it('asks for the bucket when one is given', async () => {
    (await tryConnect({ ...credentials, endpoint: server.endpoint, bucket: 's3://photos/2026' })).destroy();
    await expect(tryConnect({ ...credentials, endpoint: server.endpoint, bucket: 'absent' })).rejects.toMatchObject({
      code: 'ERR_S3_BUCKET_NOT_FOUND',
    });
  });

  it('says of the command when it has asked, before there is an answer', async () => {
    const heard: string[] = [];
    const endpoint = await serve(200, '<ListBucketResult></ListBucketResult>', () => heard.push('answer'));
    const options = { ...credentials, endpoint, bucket: 'photos' };
    (await connectSlim(options, () => heard.push('asked'), nowhere)).destroy();
    expect(heard).toEqual(['asked', 'answer']);
    await expect(
      connectSlim({ ...options, endpoint: 'nowhere' }, () => heard.push('asked'), nowhere),
    ).rejects.toThrow();
    expect(heard).toHaveLength(2);
  });

  it('does not need the right to list buckets', async () => {
    const endpoint = await serve(
      403,
      '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>',
    );
    (await tryConnect({ ...credentials, endpoint })).destroy();
    await expect(tryConnect({ ...credentials, endpoint, bucket: 'photos' })).rejects.toMatchObject({
      code: 'ERR_S3_FORBIDDEN',
    });
  });

  it.each([
    ['ERR_S3_CREDENTIALS', { accessKeyId: 'OTHER' }],
    ['ERR_S3_CREDENTIALS', { secretAccessKey: 'wrong-secret-text' }],
  ])('says %s for %j', async (code, wrong) => {
    const error = await tryConnect({ ...credentials, ...wrong, endpoint: server.endpoint }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ name: 'S3ConnectionError', code });
    expect((error as Error).message).toContain(server.endpoint);
    expect((error as Error).message).toContain('the arguments');
    expect(inspect(error, { depth: 9 })).not.toMatch(/secret-text/);
  });

  it.each([
    ['ERR_S3_CREDENTIALS', 400, xmlError('ExpiredToken')],
    ['ERR_S3_CLOCK', 403, xmlError('RequestTimeTooSkewed')],
    ['ERR_S3_FORBIDDEN', 403, xmlError('AllAccessDisabled')],
    [
      'ERR_S3_WRONG_REGION',
      400,
      '<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-central-1</Region></Error>',
    ],
    ['ERR_S3_UNAVAILABLE', 503, xmlError('SlowDown')],
    ['ERR_S3_NOT_S3', 200, '<!doctype html><html><body>Welcome</body></html>'],
    ['ERR_S3_NOT_S3', 200, ''],
    ['ERR_S3_NOT_S3', 200, '{"ok":true}'],
    ['ERR_S3_NOT_S3', 404, '<html>nothing here</html>'],
    ['ERR_S3_NOT_S3', 404, ''],
  ])('says %s for the answer %i %j', async (code, status, body) => {
    const endpoint = await serve(status, body);
    await expect(tryConnect({ ...credentials, endpoint })).rejects.toMatchObject({ name: 'S3ConnectionError', code });
    await expect(tryConnect({ ...credentials, endpoint, bucket: 'photos' })).rejects.toMatchObject({
      name: 'S3ConnectionError',
      code,
    });
  });

  it('says that nothing listens', async () => {
    const endpoint = await serve(200, '');
    open.splice(0).forEach((each) => each.close());
    await expect(tryConnect({ ...credentials, endpoint })).rejects.toMatchObject({
      code: 'ERR_S3_UNREACHABLE',
      message: expect.stringContaining(endpoint),
    });
  });

  it('says that the service hangs', async () => {
    const silent = createTcpServer(() => undefined);
    const endpoint = await listen(silent, 'http');
    const error = await tryConnect({ ...credentials, endpoint, timeoutSeconds: 0.2 }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ code: 'ERR_S3_TIMEOUT', message: expect.stringContaining('0.2 seconds') });
  });

  it('says that another protocol is spoken', async () => {
    const greeting = createTcpServer(
      (socket) => void socket.on('error', () => undefined).once('data', () => socket.end('220 mail ready\r\n')),
    );
    await expect(tryConnect({ ...credentials, endpoint: await listen(greeting, 'http') })).rejects.toMatchObject({
      code: 'ERR_S3_NOT_HTTP',
    });
    const plain = createTcpServer(
      (socket) => void socket.on('error', () => undefined).once('data', () => socket.end('no TLS here\r\n')),
    );
    await expect(tryConnect({ ...credentials, endpoint: await listen(plain, 'https') })).rejects.toMatchObject({
      code: 'ERR_S3_TLS',
    });
  });

  it('says that a host is not known', async () => {
    await expect(tryConnect({ ...credentials, endpoint: 'http://no-such-host.invalid' })).rejects.toMatchObject({
      code: 'ERR_S3_DNS',
    });
  });

  it('says what was looked for when there are no keys', async () => {
    await expect(tryConnect({ endpoint: server.endpoint })).rejects.toMatchObject({ code: 'ERR_NO_CREDENTIALS' });
  });

  it('collects usage errors', async () => {
    await expect(tryConnect({ accessKeyId: 'a', endpoint: 'nonsense', timeoutSeconds: -1 })).rejects.toMatchObject({
      code: 'ERR_USAGE',
      data: { errors: expect.objectContaining({ length: 3 }) },
    });
  });
});

function tryConnect(options: ConnectOptions): ReturnType<typeof connect> {
  return connect({ timeoutSeconds: 10, ...options }, nowhere);
}

function xmlError(code: string): string {
  return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`;
}

async function serve(status: number, body: string, onAnswer?: () => void): Promise<string> {
  return listen(
    createHttpServer((_request, response) => {
      onAnswer?.();
      response.writeHead(status, { 'content-type': 'text/plain' }).end(body);
    }),
    'http',
  );
}

async function listen(each: Server | TcpServer, scheme: string): Promise<string> {
  open.push(each);
  await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
  return `${scheme}://127.0.0.1:${(each.address() as AddressInfo).port}`;
}
