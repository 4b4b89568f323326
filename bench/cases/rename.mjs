// P9: a folder that was renamed: what it costs where it was renamed, and on another machine.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { compare, headline } from '../lib/compare.mjs';
import { makeFiles, makeLargeFile } from '../lib/data.mjs';
import { commonEnvironment, findProgram, rcloneEnvironment } from '../lib/peers.mjs';
import { show } from '../lib/picture.mjs';
import { startServer } from '../lib/server.mjs';

/** Beside the small files: some that travel in parts. */
const LARGE_FILES = 3;

export async function run({
  directory,
  dist,
  main,
  short,
  rounds = 3,
  files = 1000,
  mib = short ? 9 : 20,
  serverKind,
  log,
}) {
  const server = await startServer(serverKind, dist);
  try {
    const rclone = findProgram('rclone');
    const missing = rclone === undefined ? 'rclone is not on this machine' : undefined;
    const flags = ['--config', '', '--log-level', 'ERROR'];
    const env = rcloneEnvironment(server);
    const node = (folder, bucket, state) => ({
      command: process.execPath,
      args: [main, 'sync', folder, `s3://${bucket}`],
      env: commonEnvironment(server, state),
    });
    // Its guard takes a renamed folder for one that was emptied: it has to be told to go on.
    const bisync = (folder, bucket, state, more = ['--force']) => ({
      command: rclone,
      args: ['bisync', folder, `bench:${bucket}`, '--workdir', state, ...more, ...flags],
      env,
    });
    const oneWay = (more) => (folder, bucket) => ({
      command: rclone,
      args: ['sync', folder, `bench:${bucket}`, ...more, ...flags],
      env,
    });
    const programs = [
      { name: 'filecloudsync sync', sync: node },
      { name: 'rclone bisync --force', missing, sync: bisync, first: (...place) => bisync(...place, ['--resync']) },
      { name: 'rclone sync', missing, sync: oneWay([]), isOneWay: true },
      { name: 'rclone sync --track-renames', missing, sync: oneWay(['--track-renames']), isOneWay: true },
    ];
    log(`making ${files} files of 4 KiB and ${LARGE_FILES} of ${mib} MiB for each, and bringing them up once`);
    for (const [index, program] of programs.entries()) {
      if (program.missing !== undefined) continue;
      program.place = await setUp(program, path.join(directory, String(index)), `rename-${process.pid}-${index}`);
    }

    const here = await compare(
      programs.map(({ name, missing: why, sync, place }) => ({
        name,
        missing: why,
        async prepare() {
          renameFolder(place.folder);
          return sync(place.folder, place.bucket, place.state);
        },
      })),
      { rounds, server, log },
    );
    const there = await compare(
      programs.map(({ name, missing: why, sync, place, isOneWay }) => ({
        name,
        missing: why ?? (isOneWay === true ? 'one way only: it has no other machine' : undefined),
        async prepare() {
          // Whatever the rounds before left to do, then one rename.
          execute(sync(place.other, place.bucket, place.otherState));
          renameFolder(place.folder);
          execute(sync(place.folder, place.bucket, place.state));
          return sync(place.other, place.bucket, place.otherState);
        },
        async after() {
          for (const each of ['before', 'after']) {
            if (existsSync(path.join(place.folder, each)) !== existsSync(path.join(place.other, each)))
              throw new Error(`${each} stands on one machine only`);
          }
        },
      })),
      { rounds, server, log },
    );
    const bytes = ({ bytesIn, bytesOut }) => `${show(bytesIn)} bytes sent, ${show(bytesOut)} received`;
    const what = `a folder of ${show(files)} files and ${LARGE_FILES} large ones renamed`;
    return {
      title: `P9: a folder of ${files} files of 4 KiB and ${LARGE_FILES} of ${mib} MiB, renamed`,
      files,
      server: server.name,
      headlines: [
        headline(what, here, (row) => `${row.requests} requests, ${bytes(row)}, ${show(row.seconds.median)} s`),
        headline(
          `${what}, on the other machine`,
          there,
          (row) => `${row.requests} requests, ${show(row.seconds.median)} s`,
        ),
      ],
      tables: [
        { title: `where it was renamed, ${server.name}`, picture: 'sentMiB', rows: here },
        { title: `on another machine, ${server.name}`, picture: 'receivedMiB', rows: there },
      ],
      notes: [...here, ...there]
        .filter(({ byOperation }) => byOperation !== undefined)
        .map(
          (row) =>
            `${row.name}: ${bytes(row)} (lists and headers of objects included); asked ${JSON.stringify(row.byOperation)}`,
        ),
    };

    async function setUp({ sync, first = sync, isOneWay }, base, bucket) {
      const place = {
        bucket,
        folder: path.join(base, 'a'),
        state: path.join(base, 'a-state'),
        other: path.join(base, 'b'),
        otherState: path.join(base, 'b-state'),
      };
      await server.makeBucket(bucket);
      makeFiles(path.join(place.folder, 'before'), files, 4096);
      for (let i = 0; i < LARGE_FILES; i++)
        makeLargeFile(path.join(place.folder, 'before', `large-${i}.bin`), mib, i + 2);
      writeFileSync(path.join(place.folder, 'beside'), 'a file that stays where it is');
      mkdirSync(place.other);
      execute(first(place.folder, bucket, place.state));
      if (isOneWay !== true) execute(first(place.other, bucket, place.otherState));
      return place;
    }
  } finally {
    await server.stop();
  }
}

/** `before` becomes `after`, and back again in the next round. */
function renameFolder(folder) {
  const [from, to] = existsSync(path.join(folder, 'before')) ? ['before', 'after'] : ['after', 'before'];
  renameSync(path.join(folder, from), path.join(folder, to));
}

function execute({ command, args, env }) {
  execFileSync(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit'] });
}
