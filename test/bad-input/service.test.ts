import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect, exists, sync } from '../../src/s3/index.js';
import { clockOffBy, KEYS, SECRETS, type Ended, type RunOptions } from './command.js';
import {
  answerXml,
  hostileHttp,
  hostileTcp,
  listNothing,
  refuse,
  selfSigned,
  type HostileServer,
} from './hostile-server.js';
import { Stage, type BadPair } from './stage.js';

// Each test starts processes, and the machine may have other work.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

let stage: Stage;
let pair: BadPair;
let hostile: HostileServer | undefined;

beforeAll(async () => {
  stage = await Stage.open();
});
beforeEach(async () => {
  pair = await stage.pair({ files: { 'a.txt': 'a', 'b.txt': 'b' }, objects: { 'c.txt': 'c' } });
});
afterEach(async () => {
  await hostile?.close();
  hostile = undefined;
  // Whatever the service said, nothing was lost or changed here.
  expect((await pair.files()).slice(0, 2)).toEqual(['a.txt', 'b.txt']);
  expect([String(await pair.read('a.txt')), String(await pair.get('c.txt'))]).toEqual(['a', 'c']);
});
afterAll(() => stage.close());

async function syncAt(server: HostileServer, flags: readonly string[] = [], options: RunOptions = {}): Promise<Ended> {
  hostile = server;
  return pair.sync(['--endpoint', server.endpoint, ...flags], options);
}

function expectFailure(ended: Ended, code: string, message: RegExp, retryable = false): void {
  expect([ended.code, ended.error()['code']], ended.stderr).toEqual([1, code]);
  expect(ended.error()['message']).toMatch(message);
  expect(ended.error()['retryable']).toBe(retryable);
  expect(ended.stderr).not.toMatch(/\n\s+at /);
}

describe('a bucket that', () => {
  it('does not exist is not made', async () => {
    const ended = await stage.command.run(['sync', pair.folder, 's3://nobody-has-this', '--json']);
    expectFailure(ended, 'ERR_S3_BUCKET_NOT_FOUND', /no bucket "nobody-has-this".*Check its name and the endpoint/);
    await expect(
      sync(stage.client, 'nobody-has-this', pair.folder, { stateDir: `${stage.place}/library` }),
    ).rejects.toMatchObject({ name: 'S3ConnectionError', code: 'ERR_S3_BUCKET_NOT_FOUND' });
  });

  it('is in another region is named with its region, and the redirect is not followed', async () => {
    const ended = await syncAt(
      await hostileHttp((_request, response) =>
        refuse(response, 301, 'PermanentRedirect', {
          fields: '<Endpoint>bucket.s3.eu-central-1.amazonaws.com</Endpoint>',
          headers: { 'x-amz-bucket-region': 'eu-central-1', location: stage.server.endpoint },
        }),
      ),
    );
    expectFailure(ended, 'ERR_S3_WRONG_REGION', /in the region eu-central-1.*Give region "eu-central-1"/);
    expect(await pair.keys()).toEqual(['c.txt']);
  });

  it('is in another region by the words of a signature check is named too', async () => {
    const ended = await syncAt(
      await hostileHttp((_request, response) =>
        refuse(response, 400, 'AuthorizationHeaderMalformed', { fields: '<Region>ap-south-1</Region>' }),
      ),
    );
    expectFailure(ended, 'ERR_S3_WRONG_REGION', /ap-south-1/);
  });

  it('redirects elsewhere gets no signed request there', async () => {
    const ended = await syncAt(
      await hostileHttp((_request, response) =>
        response.writeHead(307, { location: `${stage.server.endpoint}/${pair.bucket}` }).end(),
      ),
    );
    expect([ended.code, ended.error()['code']]).toEqual([1, expect.stringMatching(/^ERR_S3_(REDIRECT|NOT_S3)$/)]);
    expect(ended.error()['message']).toMatch(/Check the endpoint/);
    expect(await pair.keys()).toEqual(['c.txt']);
  });

  it('is forbidden is told from one that is absent', async () => {
    const server = await hostileHttp((_request, response) => refuse(response, 403, 'AccessDenied'));
    expectFailure(
      await syncAt(server),
      'ERR_S3_FORBIDDEN',
      /no right to do that in the bucket ".*Ask for the right, or use others/,
    );
    const client = await connect({
      endpoint: server.endpoint,
      accessKeyId: KEYS.accessKeyId,
      secretAccessKey: KEYS.secretAccessKey,
    });
    await expect(exists(client, pair.bucket)).rejects.toMatchObject({ code: 'ERR_S3_FORBIDDEN' });
    client.destroy();
  });

  it('may be listed but not written to fails each path, and loses none', async () => {
    const ended = await syncAt(
      await hostileHttp((request, response) => {
        if (request.method === 'GET' && request.url?.includes('list-type')) listNothing(response);
        else refuse(response, 403, 'AccessDenied');
      }),
    );
    expect([1, 3]).toContain(ended.code);
    expect(ended.stdout).toContain('ERR_S3_FORBIDDEN');
    expect(ended.stdout).toMatch(/Ask for the right/);
  });
});

describe('credentials that', () => {
  it('have a wrong secret, or an unknown key, are told apart', async () => {
    const secret = await pair.sync([], { env: { S3_SECRET_KEY: SECRETS[1] } });
    expectFailure(
      secret,
      'ERR_S3_CREDENTIALS',
      /keys from the environment.*secret does not belong to the access key.*Check the credentials/,
    );
    const key = await pair.sync([], { env: { S3_ACCESS_KEY: 'nobody' } });
    expectFailure(key, 'ERR_S3_CREDENTIALS', /access key is not known there/);
    await expect(
      connect({ endpoint: stage.server.endpoint, accessKeyId: KEYS.accessKeyId, secretAccessKey: 'wrong' }),
    ).rejects.toMatchObject({ name: 'S3ConnectionError', code: 'ERR_S3_CREDENTIALS' });
  });

  it('have expired say so', async () => {
    const ended = await syncAt(await hostileHttp((_request, response) => refuse(response, 400, 'ExpiredToken')), [], {
      env: { S3_SESSION_TOKEN: SECRETS[1] },
    });
    expectFailure(ended, 'ERR_S3_CREDENTIALS', /session token has expired/);
  });

  it('expire in the middle of a run end it with what was done saved', async () => {
    let uploads = 0;
    const server = await hostileHttp((request, response) => {
      if (request.method === 'GET' && request.url?.includes('list-type')) listNothing(response);
      else if (request.method === 'PUT' && ++uploads <= 1)
        response.writeHead(200, { etag: '"0cc175b9c0f1b6a831c399e269772661"' }).end();
      else if (request.method === 'PUT') refuse(response, 400, 'ExpiredToken');
      else refuse(response, 404, 'NoSuchKey');
    });
    const ended = await syncAt(server, ['--no-probe', '--concurrency', '1']);
    expectFailure(ended, 'ERR_S3_CREDENTIALS', /expired/);
  });
});

describe('a clock that is off by an hour', () => {
  it.each([3_600_000, -3_600_000])('(%i ms) corrects itself by what the service says', async (shiftMs) => {
    const ended = await pair.sync([], { nodeFlags: clockOffBy(shiftMs) });
    expect(ended.code, ended.stderr).toBe(0);
    expect(await pair.keys()).toEqual(['a.txt', 'b.txt', 'c.txt']);
  });

  it('and cannot be corrected is told with the way out', async () => {
    // It calls the clock wrong and has none itself.
    const ended = await syncAt(
      await hostileHttp((_request, response) => {
        response.sendDate = false;
        refuse(response, 403, 'RequestTimeTooSkewed');
      }),
    );
    expectFailure(ended, 'ERR_S3_CLOCK', /clock of this machine is too far off.*Set it/);
  });
});

describe('an endpoint that', () => {
  it('refuses, or whose host is not known, is told at once', async () => {
    const refused = await pair.sync(['--endpoint', 'http://127.0.0.1:1']);
    expectFailure(
      refused,
      'ERR_S3_UNREACHABLE',
      /127\.0\.0\.1:1 .*nothing listens.*Check the endpoint and that the service runs/,
      true,
    );
    const unknown = await pair.sync(['--endpoint', 'http://does-not-exist.invalid']);
    expect([unknown.code, unknown.error()['code']]).toEqual([1, 'ERR_S3_DNS']);
    expect(unknown.error()['message']).toMatch(/does-not-exist\.invalid.*(not known|looked up).*Check/);
  });

  it('takes connections and stays silent is given up after the time that was set', async () => {
    const ended = await syncAt(await hostileTcp(() => {}), ['--timeout', '1']);
    expectFailure(ended, 'ERR_S3_TIMEOUT', /did not answer within 1 second.*give it more time/, true);
    expect(ended.elapsedMs).toBeLessThan(10_000);
  });

  it('takes no connection at all is given up after the time that was set', async () => {
    // An address of the documentation, to which nothing ever answers; a network that says so is as good.
    const ended = await pair.sync(['--endpoint', 'http://192.0.2.1:9', '--timeout', '1']);
    expect(ended.code).toBe(1);
    expect(ended.error()).toMatchObject({
      code: expect.stringMatching(/^ERR_S3_(TIMEOUT|UNREACHABLE)$/),
      retryable: true,
    });
    expect(ended.elapsedMs).toBeLessThan(10_000);
  });

  it('falls silent after the first answer is given up as well, in bounded time', async () => {
    let answered = 0;
    const server = await hostileHttp((_request, response) => {
      if (++answered === 1) listNothing(response);
    });
    const ended = await syncAt(server, ['--timeout', '0.3'], { deadlineMs: 30_000 });
    expectFailure(ended, 'ERR_S3_TIMEOUT', /did not answer in time/, true);
  });

  it('falls silent in the middle of a file is given up for that file, and the run ends', async () => {
    const server = await hostileHttp((request, response) => {
      if (request.url?.includes('list-type')) {
        const content =
          '<Contents><Key>half.bin</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>"0cc175b9c0f1b6a831c399e269772661"</ETag><Size>100000</Size></Contents>';
        answerXml(
          response,
          200,
          `<ListBucketResult><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>${content}</ListBucketResult>`,
        );
      } else if (request.method === 'GET') {
        response.writeHead(200, {
          'content-length': '100000',
          etag: '"0cc175b9c0f1b6a831c399e269772661"',
          'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT',
        });
        response.write(Buffer.alloc(5000));
      } else refuse(response, 404, 'NoSuchKey');
    });
    const ended = await syncAt(server, ['--timeout', '0.3', '--readonly'], { deadlineMs: 30_000 });
    expect([1, 3]).toContain(ended.code);
    expect(ended.stdout).toMatch(/ERR_S3_TIMEOUT/);
    expect([await pair.files(), await pair.staged()]).toEqual([['a.txt', 'b.txt'], []]);
  });

  it.each([
    ['a web page with 200', 200],
    ['a web page with 404', 404],
    ['a web page with 403', 403],
  ])('speaks HTML: %s', async (_name, status) => {
    const ended = await syncAt(
      await hostileHttp((_request, response) =>
        response
          .writeHead(status, { 'content-type': 'text/html' })
          .end('<!doctype html><html><body>Sign in, please</body></html>'),
      ),
    );
    expectFailure(ended, 'ERR_S3_NOT_S3', /not an S3 service.*web page.*Check the endpoint and its port/);
  });

  it('turns into a web page later, as a hotel network does, deletes nothing', async () => {
    await pair.sync();
    let answered = 0;
    const server = await hostileHttp((_request, response) => {
      if (++answered === 1) listNothing(response);
      else response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome to the hotel</html>');
    });
    expectFailure(await syncAt(server, ['--allow-overlap']), 'ERR_S3_NOT_S3', /web page/);
    expect(await pair.files()).toEqual(['a.txt', 'b.txt', 'c.txt']);
  });

  it('is out of breath is told that later may do, in bounded time', async () => {
    const ended = await syncAt(await hostileHttp((_request, response) => refuse(response, 503, 'SlowDown')));
    expectFailure(ended, 'ERR_S3_UNAVAILABLE', /cannot answer now.*Run again later/, true);
  });

  it('has a certificate that nobody vouches for is not talked to', async () => {
    const ended = await syncAt(await selfSigned((_request, response) => listNothing(response)));
    expectFailure(ended, 'ERR_S3_TLS', /secure connection could not be made.*certificate/);
    expect(hostile?.asked).toEqual([]);
  });

  it('speaks http where https was named, or no HTTP at all', async () => {
    const plain = await pair.sync(['--endpoint', stage.server.endpoint.replace('http:', 'https:')]);
    expectFailure(plain, 'ERR_S3_TLS', /whether the endpoint speaks http/);
    const ssh = await syncAt(await hostileTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
    expectFailure(ssh, 'ERR_S3_NOT_HTTP', /does not speak HTTP.*Check the port/);
  });

  it('closes every connection is told, in bounded time', async () => {
    const ended = await syncAt(await hostileTcp((socket) => socket.destroy()));
    expectFailure(ended, 'ERR_S3_CONNECTION_LOST', /connection broke/, true);
  });
});
