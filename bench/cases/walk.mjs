// P6: walking a folder in byte order.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare, headline } from '../lib/compare.mjs';
import { makeFiles } from '../lib/data.mjs';
import { show } from '../lib/picture.mjs';
import { findProgram, rcloneEnvironment } from '../lib/peers.mjs';

const script = (name) => fileURLToPath(new URL(`../peers/${name}.mjs`, import.meta.url));

export async function run({ directory, dist, short, rounds = 5, files = short ? 50_000 : 1_000_000, log }) {
  const folder = path.join(directory, 'folder');
  makeFiles(folder, files, 1);
  const seen = (_round, { stdout }) => {
    if (Number(stdout.trim()) !== files) throw new Error(`${stdout.trim()} files were seen instead of ${files}`);
  };
  const rclone = findProgram('rclone');
  const rows = await compare(
    [
      {
        name: 'filecloudsync, local replica',
        prepare: async () => ({ command: process.execPath, args: [script('walk-ours'), dist, folder] }),
        after: seen,
      },
      {
        name: "find -printf '%s %T@ %i'",
        prepare: async () => ({ command: 'find', args: [folder, '-printf', '%s %T@ %i\\n'] }),
      },
      {
        name: 'readdir and lstat in Node.js',
        prepare: async () => ({ command: process.execPath, args: [script('walk-plain'), folder] }),
        after: seen,
      },
      {
        name: 'rclone lsf -R',
        missing: rclone === undefined ? 'rclone is not on this machine' : undefined,
        prepare: async () => ({
          command: rclone,
          args: ['lsf', '-R', '--files-only', '--format', 'pst', folder, '--config', ''],
          env: rcloneEnvironment({}),
        }),
      },
    ],
    { rounds, log },
  );
  return {
    title: `P6: walking ${files} files, in folders of 500`,
    files,
    headlines: [headline(`walking ${show(files)} files in byte order`, rows)],
    tables: [{ title: 'warm cache', rows }],
  };
}
