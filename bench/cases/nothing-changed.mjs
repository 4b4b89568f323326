// P1: a folder and a bucket that are the same already.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { compare, headline } from '../lib/compare.mjs';
import { makeFiles } from '../lib/data.mjs';
import { commonEnvironment, findProgram, rcloneEnvironment } from '../lib/peers.mjs';
import { show } from '../lib/picture.mjs';
import { startServer } from '../lib/server.mjs';

export async function run({
  directory,
  dist,
  main,
  short,
  rounds = 5,
  files = short ? 20_000 : 100_000,
  serverKind,
  log,
}) {
  const server = await startServer(serverKind, dist);
  try {
    const bucket = `nothing-changed-${process.pid}`;
    const folder = path.join(directory, 'folder');
    const env = commonEnvironment(server, path.join(directory, 'state'));
    const rclone = findProgram('rclone');
    const rcloneEnv = rcloneEnvironment(server);
    log(`making ${files} files, and bringing them up once`);
    makeFiles(folder, files, 16);
    await server.makeBucket(bucket);
    const ours = ['sync', folder, `s3://${bucket}`];
    execFileSync(process.execPath, [main, ...ours], { env: { ...process.env, ...env }, stdio: 'ignore' });
    // Ours leaves a folder of its own in the folder; the others get one without it.
    const plain = path.join(directory, 'plain');
    cpSync(folder, plain, {
      recursive: true,
      preserveTimestamps: true,
      filter: (file) => path.basename(file) !== '.filecloudsync',
    });
    const remote = `bench:${bucket}`;
    const flags = ['--config', '', '--log-level', 'ERROR'];
    const workdir = path.join(directory, 'bisync');
    const noRclone = rclone === undefined ? 'rclone is not on this machine' : undefined;
    const noBisync =
      noRclone ?? unable(rclone, ['bisync', plain, remote, '--resync', '--workdir', workdir, ...flags], rcloneEnv);
    const peer = (name, args, missing = noRclone) => ({
      name: `rclone ${name}`,
      missing,
      prepare: async () => ({ command: rclone, args: [...args, ...flags], env: rcloneEnv }),
    });
    const rows = await compare(
      [
        {
          name: 'filecloudsync sync',
          prepare: async () => ({ command: process.execPath, args: [main, ...ours], env }),
        },
        peer('sync', ['sync', plain, remote]),
        peer('sync --fast-list --size-only --no-update-modtime --checkers 64', [
          'sync',
          plain,
          remote,
          '--fast-list',
          '--size-only',
          '--no-update-modtime',
          '--checkers',
          '64',
        ]),
        peer('sync --fast-list --checksum --checkers 64', [
          'sync',
          plain,
          remote,
          '--fast-list',
          '--checksum',
          '--checkers',
          '64',
        ]),
        peer('bisync', ['bisync', plain, remote, '--workdir', workdir], noBisync),
        peer(
          'bisync --fast-list --size-only',
          ['bisync', plain, remote, '--workdir', workdir, '--fast-list', '--size-only'],
          noBisync,
        ),
      ],
      { rounds, server, log },
    );
    const { byOperation } = rows[0];
    return {
      stateBytesPerFile: Math.round(bytesBelow(path.join(directory, 'state')) / files),
      headlines: [
        headline(
          `nothing changed, ${show(files)} files`,
          rows,
          (row) => `${row.requests} requests, ${show(row.seconds.median)} s, ${row.peakMiB} MiB`,
        ),
      ],
      title: `P1: nothing changed, ${files} files of 16 bytes`,
      files,
      server: server.name,
      tables: [{ title: server.name, rows }],
      notes: byOperation === undefined ? [] : [`ours asked: ${JSON.stringify(byOperation)}`],
    };
  } finally {
    await server.stop();
  }
}

/** Why a peer cannot be prepared; `undefined` when it was. */
function unable(program, args, env) {
  const { status, stderr } = spawnSync(program, args, { env: { ...process.env, ...env }, encoding: 'utf8' });
  return status === 0 ? undefined : `could not be prepared: ${stderr.trim().split('\n').at(-1)?.slice(0, 120)}`;
}

function bytesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .reduce((sum, item) => sum + statSync(path.join(item.parentPath, item.name)).size, 0);
}
