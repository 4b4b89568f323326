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
    const title = `P3: ${files} files of 4 KiB, up and down`;
    return { title, files, server: server.name, headlines, tables, notes: notesOf(tables) };
  } finally {
    await server.stop();
  }
}

/** How much CPU the SDK's client takes, and what the loop does that stands beside the bare one. */
function notesOf(tables) {
  const ratios = tables.flatMap(({ direction, rows }) => {
    const sdk = rows.find(({ name }) => name === 'AWS SDK loop');
    if (sdk.missing !== undefined) return [];
    return [`${direction}: the AWS SDK's client takes ${show(1 / sdk.oursToThis.cpuSeconds.median)} times the CPU`];
  });
  return [
    ...ratios,
    '"durable": the bare loop with what a disk asks of whoever loses no file: each is made under another name, synced, and gets its own name only if nothing stands there. No other peer here does all of it.',
  ];
}
