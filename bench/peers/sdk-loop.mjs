// The AWS SDK's own client in a plain loop, 64 requests at a time for small files; lib-storage for a large one.
//   node sdk-loop.mjs up|down FOLDER BUCKET [large]
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, paginateListObjectsV2, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

const [direction, folder, bucket, large] = process.argv.slice(2);
const client = new S3Client({
  endpoint: process.env.S3_ENDPOINT,
  forcePathStyle: true,
  requestHandler: { httpAgent: { maxSockets: 64, keepAlive: true }, httpsAgent: { maxSockets: 64, keepAlive: true } },
});

async function each(items, lanes, work) {
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < items.length) await work(items[next++]);
    }),
  );
}

if (direction === 'up') {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((item) => item.isFile()).map((item) => path.join(item.parentPath, item.name));
  await each(files, 64, async (file) => {
    const Key = path.relative(folder, file);
    if (large === undefined)
      return client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: await readFile(file) }));
    return new Upload({
      client,
      partSize: 16 * 1024 * 1024,
      queueSize: 4,
      params: { Bucket: bucket, Key, Body: createReadStream(file) },
    }).done();
  });
} else {
  const keys = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket }))
    keys.push(...(page.Contents ?? []).map(({ Key }) => Key));
  for (const parent of new Set(keys.map((key) => path.dirname(path.join(folder, key)))))
    await mkdir(parent, { recursive: true });
  await each(keys, 64, async (Key) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
    if (large === undefined) await writeFile(path.join(folder, Key), await Body.transformToByteArray());
    else await pipeline(Body, createWriteStream(path.join(folder, Key)));
  });
}
client.destroy();
