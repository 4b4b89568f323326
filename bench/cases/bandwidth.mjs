// P10: `bandwidth` on the real clock, from the first byte that is begun to the last that is done.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { makeFiles, makeLargeFile } from '../lib/data.mjs';
import { median } from '../lib/compare.mjs';
import { startServer } from '../lib/server.mjs';

const MIB = 1024 * 1024;
const LIMIT_MIB = 1;
const SMALL_BYTES = 16 * 1024;

export async function run({ directory, dist, short, rounds = short ? 1 : 5, mib = short ? 8 : 32, serverKind, log }) {
  const server = await startServer(serverKind, dist);
  const { endpoint, accessKeyId, secretAccessKey } = server;
  const { s3 } = await import(`${dist}/index.js`);
  const client = await s3.connect({ endpoint, accessKeyId, secretAccessKey });
  const kinds = [
    { what: 'one large file', make: (folder) => makeLargeFile(path.join(folder, 'large.bin'), mib) },
    { what: 'files of 16 KiB', make: (folder) => makeFiles(folder, (mib * MIB) / SMALL_BYTES, SMALL_BYTES) },
  ];
  const notes = [];
  const figures = [];
  try {
    for (const { what, make } of kinds) {
      const shares = { up: [], down: [] };
      for (let round = 0; round < rounds; round++) {
        const took = await transfer({ s3, client, server, directory, make });
        for (const way of ['up', 'down']) shares[way].push((mib / took[way] / LIMIT_MIB) * 100);
        log(`${what}: up ${shares.up.at(-1).toFixed(1)} %, down ${shares.down.at(-1).toFixed(1)} % of the limit`);
      }
      for (const [way, all] of Object.entries(shares)) {
        const percent = [median(all), Math.min(...all), Math.max(...all)].map((each) => Number(each.toFixed(1)));
        figures.push({ what, way, percentOfLimit: { median: percent[0], least: percent[1], most: percent[2] } });
        notes.push(`${what}, ${way}: ${percent[0]} % of the limit (${percent[1]}-${percent[2]})`);
      }
    }
    const title = `P10: ${mib} MiB with bandwidth ${LIMIT_MIB}MiB`;
    return { title, rounds, mib, server: server.name, tables: [], figures, notes };
  } finally {
    client.destroy();
    await server.stop();
  }
}

/** @returns the seconds that each way took. */
async function transfer({ s3, client, server, directory, make }) {
  const [source, target] = ['source', 'target'].map((name) => path.join(directory, name));
  const stateDir = path.join(directory, 'state');
  mkdirSync(source);
  mkdirSync(target);
  make(source);
  await server.makeBucket('bandwidth');
  const seconds = async (folder) => {
    let began;
    let ended;
    await s3.sync(client, 'bandwidth', folder, {
      stateDir,
      bandwidth: `${LIMIT_MIB}MiB`,
      onProgress({ type }) {
        if (type === 'start') began ??= performance.now();
        if (type === 'done') ended = performance.now();
      },
    });
    return (ended - began) / 1000;
  };
  const up = await seconds(source);
  const down = await seconds(target);
  await server.removeBucket('bandwidth');
  for (const each of [source, target, stateDir]) rmSync(each, { recursive: true });
  return { up, down };
}
