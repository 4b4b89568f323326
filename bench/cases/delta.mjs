// P7: one MiB changed inside a large file: what goes up, and what comes down on the other machine.
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { createRandom, makeLargeFile } from '../lib/data.mjs';
import { measureAlone, summary } from '../lib/compare.mjs';
import { oursAndRclone } from '../lib/programs.mjs';
import { show } from '../lib/picture.mjs';
import { asked, startServer } from '../lib/server.mjs';

const MIB = 1024 * 1024;

export async function run({
  directory,
  dist,
  main,
  short,
  rounds = short ? 1 : 3,
  mib = short ? 128 : 1024,
  serverKind,
  log,
}) {
  const server = await startServer(serverKind, dist, { countsBytes: true });
  const half = Math.floor(mib / 16) * 8 * MIB;
  // Across the border of two parts, which is the worst place; a plain one; at the end; and one that moves all that follows.
  const edits = [
    { what: '1 MiB changed across two parts', at: half - MIB / 2, headline: 'changed in' },
    { what: '1 MiB changed again elsewhere', at: half + 33 * MIB + 12_345 },
    { what: '1 MiB appended', at: undefined },
    { what: '1 MiB put in', at: half - 12_345, isPutIn: true, headline: 'put into' },
  ];
  const programs = oursAndRclone({ main, server, verb: 'sync' });
  try {
    const results = programs.map(({ name, missing }) => ({ name, missing, rounds: [] }));
    for (let round = 0; round < rounds; round++) {
      for (const [i, program] of programs.entries())
        if (program.missing === undefined)
          results[i].rounds.push(await runProgram({ program, round, directory, server, mib, edits, log }));
    }
    const [ours] = results;
    const of = ({ rounds: all }, i, way) => all.map((runs) => runs[i][way]);
    const tables = edits.flatMap(({ what }, i) =>
      ['up', 'down'].map((way) => ({
        title: `${what}: ${way}, ${server.name}`,
        columns: ['sentMiB', 'receivedMiB', 'seconds', 'cpuSeconds', 'peakMiB', 'requests', 'ratio'],
        picture: way === 'up' ? 'sentMiB' : 'receivedMiB',
        rows: results.map((result) => {
          const { name, missing } = result;
          return missing === undefined ? summary(name, of(result, i, way), of(ours, i, way)) : { name, missing };
        }),
      })),
    );
    const first = ours.rounds[0];
    const notes = edits.map(
      ({ what }, i) => `${what}: ${sent(first[i].up)} MiB sent, ${received(first[i].down)} MiB received`,
    );
    const headlines = edits.flatMap(({ headline }, i) =>
      headline === undefined
        ? []
        : {
            what: `1 MiB ${headline} a file of ${show(mib)} MiB`,
            figure: `${sent(first[i].up)} MiB sent, ${received(first[i].down)} MiB received on the other machine; others: ${show(mib)}`,
          },
    );
    return { title: `P7: 1 MiB changed in a file of ${mib} MiB`, mib, server: server.name, headlines, tables, notes };
  } finally {
    await server.stop();
  }
}

const sent = ({ bytesIn }) => show(bytesIn / MIB);
const received = ({ bytesOut }) => show(bytesOut / MIB);

/** Two folders and a bucket with the same file; then each edit goes up from the one and comes down into the other. */
async function runProgram({ program, round, directory, server, mib, edits, log }) {
  const { name } = program;
  const slug = `${name.replaceAll(/[^a-z]/g, '')}-${round}`;
  const bucket = `delta-${slug}-${process.pid}`;
  const [here, there] = ['here', 'there'].map((which) => path.join(directory, `${slug}-${which}`));
  mkdirSync(there);
  const file = path.join(here, 'large.bin');
  makeLargeFile(file, mib);
  await server.makeBucket(bucket);
  const carry = async (way) => {
    const { command, args, env } = program.commandFor(way === 'up' ? here : there, bucket, way);
    const before = await server.counts();
    const { stdout, stderr, exitCode, ...figures } = await measureAlone(command, args, { env });
    if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}:\n${stdout}\n${stderr}`);
    return { ...figures, ...asked(before, await server.counts()) };
  };
  await carry('up');
  await carry('down');
  const runs = [];
  for (const [i, { what, at, isPutIn = false }] of edits.entries()) {
    change(file, at ?? statSync(file).size, i + 1, isPutIn);
    const pair = { up: await carry('up'), down: await carry('down') };
    if (!isSame(file, path.join(there, 'large.bin'))) throw new Error(`${name} brought other bytes`);
    log(`${name}: ${what}: ${sent(pair.up)} MiB sent, ${received(pair.down)} MiB received`);
    runs.push(pair);
  }
  await server.removeBucket(bucket);
  for (const folder of [here, there]) rmSync(folder, { recursive: true });
  return runs;
}

function change(file, at, seed, isPutIn) {
  const random = createRandom(1000 + seed);
  const bytes = Buffer.alloc(MIB);
  for (let i = 0; i < MIB; i += 4) bytes.writeUInt32LE(random(), i);
  const rest = readFileSync(file).subarray(isPutIn ? at : at + MIB);
  truncateSync(file, at);
  for (const each of [bytes, rest]) appendFileSync(file, each);
}

function isSame(a, b) {
  return readFileSync(a).equals(readFileSync(b));
}
