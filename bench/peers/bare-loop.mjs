// The least that any client in Node.js has to do: undici, a hand-written SigV4 signature, nothing else. No comparison, no
// check of what arrives, no condition, no state, no fsync, nothing kept for resuming.
// "durable", for small files that come down: each is made under another name, synced, and gets its own name only if nothing
// stands there; the directories are synced at the end. That is what a disk asks of any client that loses no file.
//   node bare-loop.mjs up|down FOLDER BUCKET [large|durable]
import { createHash, createHmac } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Agent } from 'undici';

const [direction, folder, bucket, variant] = process.argv.slice(2);
const isLarge = variant === 'large';
const isDurable = variant === 'durable';
const { S3_ENDPOINT: endpoint, AWS_ACCESS_KEY_ID: keyId, AWS_SECRET_ACCESS_KEY: secret } = process.env;
const MIB = 1024 * 1024;
const PART = 16 * MIB;
const host = new URL(endpoint).host;
const agent = new Agent({ connections: 64 });
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
const scope = `${day}/us-east-1/s3/aws4_request`;
const signingKey = ['us-east-1', 's3', 'aws4_request'].reduce(hmac, hmac(`AWS4${secret}`, day));
const encode = (text) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

async function send(method, key, { query = '', body, headers = {} } = {}) {
  const at = `/${bucket}${key === undefined ? '' : `/${key.split('/').map(encode).join('/')}`}`;
  const payload = sha256(body ?? '');
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const canonical = `${method}\n${at}\n${query}\nhost:${host}\nx-amz-content-sha256:${payload}\nx-amz-date:${time}\n\nhost;x-amz-content-sha256;x-amz-date\n${payload}`;
  const signature = hmac(signingKey, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString('hex');
  const answer = await agent.request({
    origin: endpoint,
    method,
    path: query === '' ? at : `${at}?${query}`,
    headers: {
      ...headers,
      host,
      'x-amz-date': time,
      'x-amz-content-sha256': payload,
      authorization: `AWS4-HMAC-SHA256 Credential=${keyId}/${scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}`,
    },
    body,
  });
  if (answer.statusCode >= 300) throw new Error(`${method} ${at}: ${answer.statusCode} ${await answer.body.text()}`);
  return answer;
}

async function each(items, lanes, work) {
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < items.length) await work(items[next++]);
    }),
  );
}

async function keysOfBucket() {
  const keys = [];
  for (let token; ;) {
    const query = [...(token === undefined ? [] : [`continuation-token=${encode(token)}`]), 'list-type=2'].join('&');
    const text = await (await send('GET', undefined, { query })).body.text();
    for (const [, key] of text.matchAll(/<Key>([^<]*)<\/Key>/g)) keys.push(key);
    token = /<NextContinuationToken>([^<]*)</.exec(text)?.[1];
    if (token === undefined) return keys;
  }
}

async function filesOf(root) {
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  return found.filter((item) => item.isFile()).map((item) => path.join(item.parentPath, item.name));
}

async function up() {
  for (const file of isLarge ? await filesOf(folder) : []) {
    const key = path.relative(folder, file);
    const { size } = await stat(file);
    const handle = await open(file);
    const created = await (await send('POST', key, { query: 'uploads=' })).body.text();
    const id = /<UploadId>([^<]*)</.exec(created)[1];
    const etags = [];
    await each(
      Array.from({ length: Math.ceil(size / PART) }, (_, i) => i),
      4,
      async (i) => {
        const body = Buffer.allocUnsafe(Math.min(PART, size - i * PART));
        await handle.read(body, 0, body.length, i * PART);
        const answer = await send('PUT', key, { query: `partNumber=${i + 1}&uploadId=${encode(id)}`, body });
        await answer.body.dump();
        etags[i] = answer.headers.etag;
      },
    );
    await handle.close();
    const parts = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`).join('');
    await (
      await send('POST', key, {
        query: `uploadId=${encode(id)}`,
        body: `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`,
      })
    ).body.dump();
  }
  if (isLarge) return;
  await each(await filesOf(folder), 64, async (file) => {
    const answer = await send('PUT', path.relative(folder, file), { body: await readFile(file) });
    await answer.body.dump();
  });
}

let staged = 0;

async function writeDurably(file, content) {
  const first = path.join(folder, `.staged-${staged++}`);
  await writeFile(first, content, { flag: 'wx', flush: true });
  await link(first, file);
  await unlink(first);
}

async function syncDirectory(directory) {
  const handle = await open(directory);
  await handle.sync();
  await handle.close();
}

async function down() {
  const keys = await keysOfBucket();
  const folders = new Set(keys.map((key) => path.dirname(path.join(folder, key))));
  for (const one of folders) await mkdir(one, { recursive: true });
  if (!isLarge) {
    const write = isDurable ? writeDurably : writeFile;
    await each(keys, 64, async (key) =>
      write(path.join(folder, key), Buffer.from(await (await send('GET', key)).body.arrayBuffer())),
    );
    if (isDurable) for (const one of [...folders, folder]) await syncDirectory(one);
    return;
  }
  for (const key of keys) {
    const head = await send('HEAD', key);
    await head.body.dump();
    const size = Number(head.headers['content-length']);
    const handle = await open(path.join(folder, key), 'w');
    await each(
      Array.from({ length: Math.ceil(size / PART) }, (_, i) => i * PART),
      4,
      async (begin) => {
        let at = begin;
        const { body } = await send('GET', key, {
          headers: { range: `bytes=${begin}-${Math.min(size, begin + PART) - 1}` },
        });
        for await (const chunk of body) {
          await handle.write(chunk, 0, chunk.length, at);
          at += chunk.length;
        }
      },
    );
    await handle.close();
  }
}

await (direction === 'up' ? up() : down());
await agent.close();
