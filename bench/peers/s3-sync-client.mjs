// The npm package s3-sync-client, where `bench/setup-peers.mjs` has put it.
//   node s3-sync-client.mjs up|down FOLDER BUCKET PACKAGES
import { createRequire } from 'node:module';
import path from 'node:path';

const [direction, folder, bucket, packages] = process.argv.slice(2);
const require = createRequire(path.join(packages, 'package.json'));
const { S3Client } = require('@aws-sdk/client-s3');
const { S3SyncClient } = require('s3-sync-client');
const client = new S3Client({ endpoint: process.env.S3_ENDPOINT, forcePathStyle: true });
const { sync } = new S3SyncClient({ client });
const remote = `s3://${bucket}`;
await (direction === 'up'
  ? sync(folder, remote, { maxConcurrentTransfers: 64 })
  : sync(remote, folder, { maxConcurrentTransfers: 64 }));
