// Installs the peers of the benchmarks into a folder outside the repository, with the clients of their registries.
//   node bench/setup-peers.mjs
// What cannot be had is told and left out; the benchmarks then name it as missing. aws-cli is taken from PATH alone.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { findPackage, findProgram, PEERS, peerVersions } from './lib/peers.mjs';

const modules = { rclone: 'github.com/rclone/rclone@latest', s5cmd: 'github.com/peak/s5cmd/v2@latest' };
mkdirSync(PEERS, { recursive: true });
for (const [name, module] of Object.entries(modules)) {
  if (findProgram(name) !== undefined) continue;
  console.log(`installing ${module}, which takes some minutes`);
  const { status, error } = spawnSync('go', ['install', module], {
    stdio: 'inherit',
    env: { ...process.env, GOBIN: path.join(PEERS, 'bin') },
  });
  if (status !== 0) console.log(`${name} could not be installed${error === undefined ? '' : `: ${error.message}`}`);
}
if (findPackage('s3-sync-client') === undefined) {
  const { status } = spawnSync(
    'npm',
    ['install', '--no-save', '--ignore-scripts', '--prefix', PEERS, 's3-sync-client', '@aws-sdk/client-s3'],
    { stdio: 'inherit' },
  );
  if (status !== 0) console.log('s3-sync-client could not be installed');
}
console.log(peerVersions());
