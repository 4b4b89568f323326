// P2: the memory of a plan for a pair that was never compared, at any number of files.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { compare } from '../lib/compare.mjs';
import { makeEmptyFiles } from '../lib/data.mjs';
import { commonEnvironment, findProgram, rcloneEnvironment } from '../lib/peers.mjs';
import { show } from '../lib/picture.mjs';
import { startGenerated } from '../lib/server.mjs';

/** Beyond it a real folder takes minutes to make: the bucket alone is that large then, and everything would be downloaded. */
const MOST_FILES = 1_000_000;

export async function run({ directory, main, short, rounds = 1, files, log }) {
  const steps = files !== undefined ? [files] : short ? [20_000, 100_000] : [100_000, 1_000_000, 5_000_000];
  const tables = [];
  const figures = [];
  for (const objects of steps) {
    const server = await startGenerated({ objects });
    try {
      const withFiles = objects <= MOST_FILES;
      const folder = path.join(directory, `folder-${objects}`);
      mkdirSync(folder);
      if (withFiles) {
        log(`making ${objects} files`);
        makeEmptyFiles(folder, objects);
      }
      const rows = await compare(contestants({ server, main, directory, folder, objects, withFiles }), {
        rounds,
        server,
        log,
      });
      const title = `${show(objects)} objects${withFiles ? ' and files, all to compare' : ', empty folder, all to download'}`;
      tables.push({ title, picture: 'peakMiB', rows });
      figures.push(`${show(objects)} objects: ${rows[0].peakMiB} MiB`);
      rmSync(folder, { recursive: true });
    } finally {
      await server.stop();
    }
  }
  return {
    title: 'P2: memory of a plan for a pair that was never compared (goals: 256 MiB at 1000000, 300 MiB at 5000000)',
    headlines: [{ what: 'memory of a first plan', figure: figures.join(', ') }],
    tables,
    notes: [`Generated listing, real folder of empty files; beyond ${show(MOST_FILES)} objects the folder is empty.`],
  };
}

function contestants({ server, main, directory, folder, objects, withFiles }) {
  const rclone = findProgram('rclone');
  const sum = `sync would carry: ${objects.toLocaleString('en')} files ${withFiles ? 'to compare' : 'down (0 B)'}.`;
  return [
    {
      name: 'filecloudsync plan',
      prepare: async (round) => ({
        command: process.execPath,
        args: [main, 'plan', folder, 's3://generated'],
        env: commonEnvironment(server, path.join(directory, `state-${objects}-${round}`)),
      }),
      after: async (_round, { stdout }) => {
        if (!stdout.trimEnd().endsWith(sum)) throw new Error(`the plan ends with ${stdout.slice(-200)}`);
      },
    },
    {
      name: 'rclone sync --dry-run --fast-list --size-only',
      missing: missingRclone(rclone, objects),
      prepare: async () => ({
        command: rclone,
        args: [
          'sync',
          '--dry-run',
          '--fast-list',
          '--size-only',
          '--no-update-modtime',
          'bench:generated',
          folder,
          '--config',
          '',
          '--log-level',
          'ERROR',
        ],
        env: { ...rcloneEnvironment(server), RCLONE_CONFIG_BENCH_LIST_VERSION: '2' },
      }),
    },
  ];
}

function missingRclone(rclone, objects) {
  if (rclone === undefined) return 'rclone is not on this machine';
  return objects > MOST_FILES ? 'left out: it takes about a gigabyte for each million' : undefined;
}
