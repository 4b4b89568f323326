// Brings a folder up into an empty bucket and down into an empty folder, with everybody in turns.
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare } from './compare.mjs';
import { commonEnvironment, findPackage, findProgram, PEERS, rcloneEnvironment } from './peers.mjs';

const loop = (name) => fileURLToPath(new URL(`../peers/${name}.mjs`, import.meta.url));

/** @returns the tables of both directions. `large`: one file that goes in parts. */
export async function compareTransfers({ source, directory, main, rounds, server, log, large }) {
  const expected = bytesIn(source);
  const tables = [];
  for (const direction of ['up', 'down']) {
    const full = `full-${process.pid}`;
    if (direction === 'down') {
      await server.makeBucket(full);
      execFileSync(process.execPath, [loop('bare-loop'), 'up', source, full, ...(large ? ['large'] : [])], {
        env: { ...process.env, ...commonEnvironment(server) },
      });
    }
    log(direction);
    let serial = 0;
    const contestant = (name, missing, command) => {
      let target;
      return {
        name,
        missing,
        async prepare() {
          target = `${direction}-${process.pid}-${++serial}`;
          const place =
            direction === 'up'
              ? { folder: source, bucket: target }
              : { folder: path.join(directory, target), bucket: full };
          if (direction === 'up') await server.makeBucket(target);
          else mkdirSync(place.folder, { recursive: true });
          return command({ ...place, state: path.join(directory, `state-${target}`) });
        },
        async after() {
          if (direction === 'up') {
            await server.removeBucket(target);
            // What ours keeps in the folder must not be brought up by the others.
            rmSync(path.join(source, '.filecloudsync'), { recursive: true, force: true });
          } else {
            const folder = path.join(directory, target);
            const arrived = bytesIn(folder);
            if (arrived.files !== expected.files || arrived.bytes !== expected.bytes) {
              throw new Error(
                `${name} brought ${arrived.files} files and ${arrived.bytes} bytes instead of ${expected.files} and ${expected.bytes}`,
              );
            }
            if (large && !isSame(source, folder)) throw new Error(`${name} brought other bytes`);
            // Many are left to the end: for minutes after a file was deleted, ext4 looks at its inode and passes it over
            // whenever it makes another one, which whoever comes next would have to pay for.
            if (large) rmSync(folder, { recursive: true, force: true });
          }
          rmSync(path.join(directory, `state-${target}`), { recursive: true, force: true });
        },
      };
    };
    const rclone = findProgram('rclone');
    const s5cmd = findProgram('s5cmd');
    const aws = findProgram('aws');
    const pick = (up, down) => (direction === 'up' ? up : down);
    const node =
      (script, extra = []) =>
      ({ folder, bucket }) => ({
        command: process.execPath,
        args: [script, direction, folder, bucket, ...extra],
        env: commonEnvironment(server),
      });
    const rows = await compare(
      [
        contestant('filecloudsync sync', undefined, ({ folder, bucket, state }) => ({
          command: process.execPath,
          args: [main, 'sync', folder, `s3://${bucket}`],
          env: commonEnvironment(server, state),
        })),
        contestant('bare HTTP loop', undefined, node(loop('bare-loop'), large ? ['large'] : [])),
        ...(direction === 'down' && !large
          ? [contestant('bare HTTP loop, durable', undefined, node(loop('bare-loop'), ['durable']))]
          : []),
        contestant('AWS SDK loop', undefined, node(loop('sdk-loop'), large ? ['large'] : [])),
        contestant(
          large ? 'rclone copy' : 'rclone copy --transfers 64',
          rclone === undefined ? 'rclone is not on this machine' : undefined,
          ({ folder, bucket }) => ({
            command: rclone,
            args: [
              'copy',
              ...pick([folder, `bench:${bucket}`], [`bench:${bucket}`, folder]),
              ...(large ? [] : ['--transfers', '64', '--checkers', '64']),
              '--config',
              '',
              '--log-level',
              'ERROR',
            ],
            env: rcloneEnvironment(server),
          }),
        ),
        contestant(
          's5cmd cp',
          s5cmd === undefined ? 's5cmd is not on this machine' : undefined,
          ({ folder, bucket }) => ({
            command: s5cmd,
            args: [
              '--endpoint-url',
              server.endpoint,
              'cp',
              ...pick([`${folder}/*`, `s3://${bucket}/`], [`s3://${bucket}/*`, `${folder}/`]),
            ],
            env: commonEnvironment(server),
          }),
        ),
        contestant(
          's3-sync-client',
          large ? 'left out here' : findPackage('s3-sync-client') === undefined ? 'not installed' : undefined,
          node(loop('s3-sync-client'), [PEERS]),
        ),
        contestant(
          'aws s3 cp --recursive',
          aws === undefined ? 'aws is not on this machine' : undefined,
          ({ folder, bucket }) => ({
            command: aws,
            args: [
              '--endpoint-url',
              server.endpoint,
              's3',
              'cp',
              '--recursive',
              '--quiet',
              ...pick([folder, `s3://${bucket}`], [`s3://${bucket}`, folder]),
            ],
            env: commonEnvironment(server),
          }),
        ),
      ],
      { rounds, server, log },
    );
    tables.push({ title: `${direction}, ${server.name}`, direction, rows });
    if (direction === 'down') await server.removeBucket(full);
  }
  return tables;
}

function bytesIn(folder) {
  const found = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
  const files = found.filter((item) => item.isFile() && !item.parentPath.includes('.filecloudsync'));
  return {
    files: files.length,
    bytes: files.reduce((sum, item) => sum + statSync(path.join(item.parentPath, item.name)).size, 0),
  };
}

/** For a folder of one file. In blocks, because Node.js reads no file of more than 2 GiB at once. */
function isSame(a, b) {
  const [name] = readdirSync(a).filter((each) => each !== '.filecloudsync');
  const files = [a, b].map((folder) => openSync(path.join(folder, name), 'r'));
  try {
    const blocks = files.map(() => Buffer.allocUnsafe(8 * 1024 * 1024));
    for (;;) {
      const [x, y] = files.map((file, i) => blocks[i].subarray(0, readSync(file, blocks[i])));
      if (!x.equals(y)) return false;
      if (x.length === 0) return true;
    }
  } finally {
    for (const file of files) closeSync(file);
  }
}
