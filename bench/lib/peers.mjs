// The programs that are compared, found on PATH or where `bench/setup-peers.mjs` puts them.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where peers are installed: outside the repository. */
export const PEERS = process.env.FILECLOUDSYNC_BENCH_PEERS ?? path.join(homedir(), '.cache', 'filecloudsync-bench');

/** The path of a peer's program; `undefined` when it is not there. */
export function findProgram(name) {
  const places = [path.join(PEERS, 'bin'), ...(process.env.PATH ?? '').split(path.delimiter)];
  return places.map((place) => path.join(place, name)).find((file) => existsSync(file));
}

/** A package that was installed beside the peers. */
export function findPackage(name) {
  const folder = path.join(PEERS, 'node_modules', name);
  return existsSync(path.join(folder, 'package.json')) ? folder : undefined;
}

function versionLine(file, ...args) {
  try {
    const text = execFileSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 });
    return text.trim().split('\n')[0];
  } catch (error) {
    return `does not run: ${String(error.message).split('\n')[0]}`;
  }
}

const versionOfPackage = (folder) => JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).version;

/** The version of every peer; `missing` for one that is not there. */
export function peerVersions() {
  const versions = { node: process.version };
  for (const [name, ...args] of [
    ['rclone', 'version'],
    ['s5cmd', 'version'],
    ['aws', '--version'],
    ['find', '--version'],
  ]) {
    const file = findProgram(name);
    versions[name] = file === undefined ? 'missing' : versionLine(file, ...args);
  }
  const client = findPackage('s3-sync-client');
  versions['s3-sync-client'] = client === undefined ? 'missing' : versionOfPackage(client);
  const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
  for (const name of ['@aws-sdk/client-s3', 'undici']) versions[name] = versionOfPackage(path.join(modules, name));
  return versions;
}

/** The environment and the remote under which rclone finds the server. */
export function rcloneEnvironment(server) {
  return {
    RCLONE_CONFIG_BENCH_TYPE: 's3',
    RCLONE_CONFIG_BENCH_PROVIDER: 'Other',
    RCLONE_CONFIG_BENCH_ENV_AUTH: 'false',
    RCLONE_CONFIG_BENCH_ACCESS_KEY_ID: server.accessKeyId,
    RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY: server.secretAccessKey,
    RCLONE_CONFIG_BENCH_ENDPOINT: server.endpoint,
    RCLONE_CONFIG_BENCH_REGION: 'us-east-1',
    RCLONE_CONFIG_BENCH_FORCE_PATH_STYLE: 'true',
    RCLONE_CONFIG_BENCH_NO_CHECK_BUCKET: 'true',
    // Some builds fail on it, and nothing here goes over TLS.
    AWS_CA_BUNDLE: undefined,
  };
}

/** The environment under which our command, s5cmd, aws and the loops of this folder find the server. */
export function commonEnvironment(server, stateDir) {
  return {
    S3_ENDPOINT: server.endpoint,
    S3_REGION: 'us-east-1',
    S3_ACCESS_KEY: server.accessKeyId,
    S3_SECRET_KEY: server.secretAccessKey,
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    // Nobody speaks TLS here, and certificates that a machine adds are read by Node.js at each start, 0.03 s of a processor.
    NODE_EXTRA_CA_CERTS: '',
    ...(stateDir !== undefined && { FILECLOUDSYNC_STATE_DIR: stateDir }),
  };
}
