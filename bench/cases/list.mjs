// P5: keys a second of the listing path on one core.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare, spread } from '../lib/compare.mjs';
import { makeFiles } from '../lib/data.mjs';
import { show } from '../lib/picture.mjs';
import { commonEnvironment } from '../lib/peers.mjs';
import { startServer } from '../lib/server.mjs';

const script = (name) => fileURLToPath(new URL(`../peers/${name}.mjs`, import.meta.url));

export async function run({ directory, dist, short, rounds = 5, files = short ? 20_000 : 100_000, serverKind, log }) {
  const server = await startServer(serverKind, dist);
  try {
    const bucket = `list-${process.pid}`;
    const env = commonEnvironment(server);
    const source = path.join(directory, 'source');
    makeFiles(source, files, 1);
    await server.makeBucket(bucket);
    execFileSync(process.execPath, [script('bare-loop'), 'up', source, bucket], { env: { ...process.env, ...env } });
    const rates = { ours: [], sdk: [] };
    const lister = (name, who) => ({
      name,
      prepare: async () => ({ command: process.execPath, args: [script('list'), who, dist, bucket], env }),
      after: async (_round, { stdout }) => {
        const told = JSON.parse(stdout);
        if (told.keys !== files) throw new Error(`${told.keys} keys were listed instead of ${files}`);
        rates[who].push(told);
      },
    });
    const rows = await compare(
      [lister('filecloudsync, bucket replica', 'ours'), lister('AWS SDK, paginateListObjectsV2', 'sdk')],
      { rounds, server, log },
    );
    const keysPerCpuSecond = Object.fromEntries(
      Object.entries(rates).map(([who, runs]) => [who, spread(runs.map((one) => one.keysPerCpuSecond))]),
    );
    await server.removeBucket(bucket);
    return {
      title: `P5: listing ${files} keys (goal: 20000 keys per CPU second)`,
      files,
      server: server.name,
      keysPerCpuSecond,
      headlines: [
        {
          what: 'listing, keys a second on one core',
          figure: `${show(keysPerCpuSecond.ours.median)}; AWS SDK ${show(keysPerCpuSecond.sdk.median)}`,
        },
      ],
      tables: [{ title: `${server.name}; whole program, start-up included`, rows }],
      notes: [`keys per CPU second without start-up: ${JSON.stringify(keysPerCpuSecond)}`],
    };
  } finally {
    await server.stop();
  }
}
