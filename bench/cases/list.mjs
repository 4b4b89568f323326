// P5: listing a far bucket several pages at a time, and what it costs on one core.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare, spread } from '../lib/compare.mjs';
import { commonEnvironment, findPackage, findProgram, rcloneEnvironment } from '../lib/peers.mjs';
import { show } from '../lib/picture.mjs';
import { startGenerated } from '../lib/server.mjs';

const script = fileURLToPath(new URL('../peers/list.mjs', import.meta.url));
const DELAY_MS = 80;

export async function run({ directory, dist, short, rounds = 5, files = short ? 50_000 : 100_000, log }) {
  const tables = [];
  const told = {};
  for (const delayMs of [DELAY_MS, 0]) {
    const server = await startGenerated({ objects: files, delayMs });
    try {
      log(server.name);
      const rows = await compare(contestants({ server, directory, dist, files, told: (told[delayMs] = {}) }), {
        rounds,
        server,
        log,
      });
      tables.push({ title: `${delayMs} ms a page; whole program, start-up included`, rows });
    } finally {
      await server.stop();
    }
  }
  const far = told[DELAY_MS];
  const speedUp = spread(far.hinted.map((one, i) => far.first[i].seconds / one.seconds));
  const perCpuSecond = Object.fromEntries(
    Object.entries(told[0]).map(([who, runs]) => [who, spread(runs.map((one) => one.keysPerCpuSecond))]),
  );
  const perSecond = spread(far.hinted.map((one) => one.keysPerSecond));
  return {
    title: `P5: listing ${files} keys (goals: 8 times faster than page by page at ${DELAY_MS} ms a page; 20000 keys per CPU second)`,
    files,
    speedUp,
    keysPerCpuSecond: perCpuSecond,
    headlines: [
      {
        what: `listing ${show(files)} keys at ${DELAY_MS} ms a page, from the second run on`,
        figure: `${show(speedUp.median)} times as fast as page by page, ${show(perSecond.median)} keys a second`,
      },
      {
        what: 'listing, keys a second on one core',
        figure: `${show(perCpuSecond.hinted.median)}; AWS SDK ${show(perCpuSecond.sdk.median)}`,
      },
    ],
    tables,
    notes: [
      `at ${DELAY_MS} ms a page, without start-up, from hints against the first listing, which goes page by page: ${show(speedUp.median)} (${show(speedUp.min)}–${show(speedUp.max)}) times as fast, ${show(perSecond.median)} keys a second`,
      `keys per CPU second without start-up: from hints ${show(perCpuSecond.hinted.median)}, first listing ${show(perCpuSecond.first.median)}, AWS SDK ${show(perCpuSecond.sdk.median)}`,
    ],
  };
}

function contestants({ server, directory, dist, files, told }) {
  const bucket = 'generated';
  const env = commonEnvironment(server);
  const hintsOf = (key) => path.join(directory, `${key}-${server.delayMs}.json`);
  const lister = (name, key, who) => ({
    name,
    prepare: async () => {
      if (key === 'first') rmSync(hintsOf(key), { force: true });
      return { command: process.execPath, args: [script, who, dist, bucket, hintsOf(key)], env };
    },
    after: async (_round, { stdout }) => {
      const figures = JSON.parse(stdout);
      if (figures.keys !== files) throw new Error(`${figures.keys} keys were listed instead of ${files}`);
      (told[key] ??= []).push(figures);
    },
  });
  // A first listing leaves the hints for all that follow.
  execFileSync(process.execPath, [script, 'ours', dist, bucket, hintsOf('hinted')], {
    env: { ...process.env, ...env },
  });
  const rclone = findProgram('rclone');
  return [
    lister('filecloudsync, from the second listing on', 'hinted', 'ours'),
    lister('filecloudsync, first listing', 'first', 'ours'),
    lister('AWS SDK, paginateListObjectsV2', 'sdk', 'sdk'),
    {
      name: 'rclone lsf -R --fast-list',
      missing: rclone === undefined ? 'rclone is not on this machine' : undefined,
      prepare: async () => ({
        command: rclone,
        args: ['lsf', '-R', '--fast-list', '--files-only', `bench:${bucket}`, '--config', ''],
        env: { ...rcloneEnvironment(server), RCLONE_CONFIG_BENCH_LIST_VERSION: '2' },
      }),
    },
    {
      name: 's3p ls',
      missing: findPackage('s3p') === undefined ? 'not in the npm registry that this machine reaches' : 'not measured',
    },
    {
      name: 's3-fast-list',
      missing: 'a Rust crate; no registry of crates is reached from this machine',
    },
  ];
}
