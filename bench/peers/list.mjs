// Lists a bucket to its end and prints the number of keys, and how many a second, on the clock and on the processor, without start-up.
//   node list.mjs ours|sdk DIST BUCKET [HINTS]      HINTS: a file in which ours keeps what the next listing is made faster by
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
const [who, dist, bucket, hints] = process.argv.slice(2);
const S3 = await import('@aws-sdk/client-s3');
const client = new S3.S3Client({ endpoint: process.env.S3_ENDPOINT, forcePathStyle: true });

async function openOurs() {
  const { createS3Replica } = await import(`${dist}/replica/s3/index.js`);
  const { createPathFilter } = await import(`${dist}/replica/local/filter.js`);
  const { systemRuntime } = await import(`${dist}/s3/system-runtime.js`);
  const nothing = { get: async () => undefined, put: async () => {}, delete: async () => {}, list: async () => [] };
  const kept = hints !== undefined && existsSync(hints) ? JSON.parse(readFileSync(hints, 'utf8')) : {};
  const facts = {
    get: async (name) => kept[name],
    put: async (name, value) => {
      kept[name] = value;
      if (hints !== undefined) writeFileSync(hints, JSON.stringify(kept));
    },
  };
  const replica = createS3Replica({
    client,
    bucket,
    uploads: nothing,
    facts,
    runtime: systemRuntime,
    pathRules: 'linux',
    partSizeBytes: 16 * 1024 * 1024,
    probe: false,
  });
  await replica.prepare({ readonly: true });
  return async function* pages() {
    for await (const page of replica.scan({ filter: createPathFilter(), remember: true })) yield page.entries.length;
    await replica.close();
  };
}

async function* sdk() {
  for await (const page of S3.paginateListObjectsV2({ client }, { Bucket: bucket })) yield page.Contents?.length ?? 0;
}

const open = who === 'ours' ? await openOurs() : sdk;
const before = process.cpuUsage();
const began = performance.now();
let keys = 0;
for await (const count of open()) keys += count;
const { user, system } = process.cpuUsage(before);
const seconds = (performance.now() - began) / 1000;
console.log(
  JSON.stringify({
    keys,
    seconds,
    keysPerCpuSecond: Math.round(keys / ((user + system) / 1e6)),
    keysPerSecond: Math.round(keys / seconds),
  }),
);
