// The servers that the programs talk to: the embedded one as a sink with its data in memory, or a real one.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/**
 * @param {'sink' | 'ceph'} kind
 * @param {{ countsBytes?: boolean }} [options] - `countsBytes`: bytes have to be counted, on the wire if the server does not do it
 * @returns the place and keys, a client of the AWS SDK for the benchmark's own errands, `counts()` and `stop()`.
 */
export async function startServer(kind, dist, { countsBytes = false } = {}) {
  const plain = kind === 'sink' ? await startSink(dist) : await findCeph();
  const started = countsBytes && (await plain.counts()) === undefined ? await countingProxy(plain) : plain;
  const S3 = await import('@aws-sdk/client-s3');
  const client = new S3.S3Client({
    endpoint: started.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: started.accessKeyId, secretAccessKey: started.secretAccessKey },
  });
  return {
    ...started,
    makeBucket: (bucket) => client.send(new S3.CreateBucketCommand({ Bucket: bucket })),
    async removeBucket(bucket) {
      for (;;) {
        const { Contents: found = [] } = await client.send(new S3.ListObjectsV2Command({ Bucket: bucket }));
        if (found.length === 0) break;
        await client.send(
          new S3.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: found.map(({ Key }) => ({ Key })) } }),
        );
      }
      await client.send(new S3.DeleteBucketCommand({ Bucket: bucket }));
    },
  };
}

async function startSink(dist) {
  const child = fork(fileURLToPath(new URL('../s3-server.mjs', import.meta.url)), [], {
    env: { ...process.env, FILECLOUDSYNC_DIST: dist },
    execArgv: ['--max-old-space-size=12000'],
  });
  const [{ endpoint }] = await once(child, 'message');
  return {
    name: 'embedded server in a process of its own, data in memory',
    ...servedBy(child, endpoint),
  };
}

/**
 * A server of a bucket whose keys are computed and held nowhere, for listings of any length.
 *
 * @param {{ objects: number, delayMs?: number }} options - `delayMs`: how long each page takes
 */
export async function startGenerated({ objects, delayMs = 0 }) {
  const script = fileURLToPath(new URL('../generated-server.mjs', import.meta.url));
  const child = fork(script, [String(objects), String(delayMs)]);
  const [{ endpoint }] = await once(child, 'message');
  return {
    name: `generated listing in a process of its own, ${delayMs} ms a page`,
    delayMs,
    ...servedBy(child, endpoint),
  };
}

async function findCeph() {
  const endpoint = process.env.FCS_TEST_ENDPOINT ?? 'http://127.0.0.1:7480';
  const answer = await fetch(endpoint).catch(() => undefined);
  if (answer === undefined)
    throw new Error(`No server answers at ${endpoint}. Start one with scripts/ceph/start.sh and source its env file.`);
  return {
    name: `Ceph (${answer.headers.get('server') ?? 'version not told'}) at ${endpoint}`,
    endpoint,
    accessKeyId: process.env.FCS_TEST_ACCESS_KEY ?? 'SYNCKEY',
    secretAccessKey: process.env.FCS_TEST_SECRET_KEY ?? 'SYNCSECRET',
    counts: async () => undefined,
    stop: async () => {},
  };
}

/** The same server behind a proxy that counts bytes on the wire, headers included. It sees no requests. */
async function countingProxy(server) {
  const { hostname, port } = new URL(server.endpoint);
  let bytesIn = 0;
  let bytesOut = 0;
  const proxy = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    client.on('data', (data) => (bytesIn += data.length));
    upstream.on('data', (data) => (bytesOut += data.length));
    client.pipe(upstream);
    upstream.pipe(client);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    ...server,
    endpoint: `http://127.0.0.1:${proxy.address().port}`,
    counts: async () => ({ requests: 0, bytesIn, bytesOut, byOperation: {} }),
    async stop() {
      proxy.close();
      await server.stop();
    },
  };
}

/** What was asked between two counts, in one line and in numbers. */
export function asked(before, after) {
  if (before === undefined) return {};
  const byOperation = {};
  for (const [name, count] of Object.entries(after.byOperation)) {
    const more = count - (before.byOperation[name] ?? 0);
    if (more > 0) byOperation[name] = more;
  }
  return {
    requests: after.requests - before.requests,
    bytesIn: after.bytesIn - before.bytesIn,
    bytesOut: after.bytesOut - before.bytesOut,
    byOperation,
  };
}

/** The keys of a server of ours in a process of its own, and how it is asked and ended. */
function servedBy(child, endpoint) {
  return {
    endpoint,
    accessKeyId: 'bench-access-key',
    secretAccessKey: 'bench-secret-key',
    async counts() {
      child.send('counts');
      return (await once(child, 'message'))[0];
    },
    async stop() {
      child.send('stop');
      await once(child, 'exit');
    },
  };
}
