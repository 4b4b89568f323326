// P4: one large file, up and down.
import path from 'node:path';
import { headline } from '../lib/compare.mjs';
import { makeLargeFile } from '../lib/data.mjs';
import { show } from '../lib/picture.mjs';
import { startServer } from '../lib/server.mjs';
import { compareTransfers } from '../lib/transfer.mjs';

export async function run({
  directory,
  dist,
  main,
  short,
  rounds = short ? 3 : 5,
  mib = short ? 256 : 1024,
  serverKind,
  log,
}) {
  const server = await startServer(serverKind, dist);
  try {
    const source = path.join(directory, 'source');
    makeLargeFile(path.join(source, 'large.bin'), mib);
    const tables = await compareTransfers({ source, directory, main, rounds, server, log, large: true });
    const headlines = tables.map(({ direction, rows }) => headline(`one file of ${show(mib)} MiB, ${direction}`, rows));
    return { title: `P4: one file of ${mib} MiB, up and down`, mib, server: server.name, headlines, tables };
  } finally {
    await server.stop();
  }
}
