// P3: many small files, up and down.
import path from 'node:path';
import { headline } from '../lib/compare.mjs';
import { makeFiles } from '../lib/data.mjs';
import { show } from '../lib/picture.mjs';
import { startServer } from '../lib/server.mjs';
import { compareTransfers } from '../lib/transfer.mjs';

export async function run({
  directory,
  dist,
  main,
  short,
  rounds = 5,
  files = short ? 2000 : 10_000,
  serverKind,
  log,
}) {
  const server = await startServer(serverKind, dist);
  try {
    const source = path.join(directory, 'source');
    makeFiles(source, files, 4096);
    const tables = await compareTransfers({ source, directory, main, rounds, server, log, large: false });
    const headlines = tables.map(({ direction, rows }) =>
      headline(`${show(files)} files of 4 KiB, ${direction}`, rows),
    );
    return { title: `P3: ${files} files of 4 KiB, up and down`, files, server: server.name, headlines, tables };
  } finally {
    await server.stop();
  }
}
