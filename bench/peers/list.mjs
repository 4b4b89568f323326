// Lists a bucket to its end and prints the number of keys and the CPU milliseconds of the listing itself, without start-up.
//   node list.mjs ours|sdk DIST BUCKET
const [who, dist, bucket] = process.argv.slice(2);
const S3 = await import('@aws-sdk/client-s3');
const client = new S3.S3Client({ endpoint: process.env.S3_ENDPOINT, forcePathStyle: true });

async function* ours() {
  const { createS3Replica } = await import(`${dist}/replica/s3/index.js`);
  const { createPathFilter } = await import(`${dist}/replica/local/filter.js`);
  const { systemRuntime } = await import(`${dist}/s3/system-runtime.js`);
  const nothing = { get: async () => undefined, put: async () => {}, delete: async () => {}, list: async () => [] };
  const replica = createS3Replica({
    client,
    bucket,
    uploads: nothing,
    facts: nothing,
    runtime: systemRuntime,
    pathRules: 'linux',
    partSizeBytes: 16 * 1024 * 1024,
    probe: false,
  });
  await replica.prepare({ readonly: true });
  for await (const page of replica.scan({ filter: createPathFilter() })) yield page.entries.length;
  await replica.close();
}

async function* sdk() {
  for await (const page of S3.paginateListObjectsV2({ client }, { Bucket: bucket })) yield page.Contents?.length ?? 0;
}

const pages = who === 'ours' ? ours() : sdk();
let { value: keys } = await pages.next();
const counted = keys;
const before = process.cpuUsage();
const began = performance.now();
for await (const count of pages) keys += count;
const { user, system } = process.cpuUsage(before);
const seconds = (performance.now() - began) / 1000;
console.log(
  JSON.stringify({
    keys,
    keysPerCpuSecond: Math.round((keys - counted) / ((user + system) / 1e6)),
    keysPerSecond: Math.round((keys - counted) / seconds),
  }),
);
