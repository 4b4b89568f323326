// Our command and rclone as the two programs of a benchmark that carries one folder up and down.
import { commonEnvironment, findProgram, rcloneEnvironment } from './peers.mjs';

/**
 * @param {{ main: string, server: object, verb: 'sync' | 'copy' }} options - `verb`: what rclone is to do
 * @returns two programs, ours first: `commandFor(folder, bucket, way)` gives the command that carries it `up` or `down`;
 *   `missing` says why one does not take part
 */
export function oursAndRclone({ main, server, verb }) {
  const rclone = findProgram('rclone');
  return [
    {
      name: 'filecloudsync sync',
      commandFor: (folder, bucket) => ({
        command: process.execPath,
        args: [main, 'sync', folder, `s3://${bucket}`],
        env: commonEnvironment(server, `${folder}-state`),
      }),
    },
    {
      name: `rclone ${verb}`,
      missing: rclone === undefined ? 'rclone is not on this machine' : undefined,
      commandFor: (folder, bucket, way) => ({
        command: rclone,
        args: [
          verb,
          ...(way === 'up' ? [folder, `bench:${bucket}`] : [`bench:${bucket}`, folder]),
          '--config',
          '',
          '--log-level',
          'ERROR',
        ],
        env: rcloneEnvironment(server),
      }),
    },
  ];
}
