// Measures the command against its peers and prints tables; the figures go to bench/results/<name>.json, and from there into
// docs/benchmarks.md, docs/pictures, docs/scale.md and README.md (report.mjs).
//   npm run bench [-- NAME …] [--short] [--rounds N] [--files N] [--mib N] [--server sink|ceph] [--dist DIR] [--dir DIR] [--no-write]
// NAME: start-up, nothing-changed, small-files, large-file, delta, resume, walk, list, scale, bandwidth, rename, latency. Default: all of them in their short form.
// All traffic stays on this machine. Peers: node bench/setup-peers.mjs; one that is missing is named as missing.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { printTable } from './lib/compare.mjs';
import { peerVersions } from './lib/peers.mjs';
import { writeReport } from './report.mjs';

const NAMES = [
  'start-up',
  'nothing-changed',
  'small-files',
  'large-file',
  'delta',
  'resume',
  'walk',
  'list',
  'scale',
  'bandwidth',
  'rename',
  'latency',
];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    files: { type: 'string' },
    mib: { type: 'string' },
    server: { type: 'string', default: 'sink' },
    dist: { type: 'string' },
    dir: { type: 'string' },
    'no-write': { type: 'boolean', default: false },
  },
});
const wrong = positionals.find((name) => !NAMES.includes(name));
if (wrong !== undefined) {
  console.error(`There is no benchmark "${wrong}". Choose from: ${NAMES.join(', ')}.`);
  process.exit(2);
}
// Each process of Node.js reads it through before anything else, and nothing here goes over TLS: as for rclone (lib/peers.mjs).
delete process.env.NODE_EXTRA_CA_CERTS;
const here = path.dirname(fileURLToPath(import.meta.url));
const dist = path.resolve(values.dist ?? path.join(here, '../dist'));
const log = (line) => console.log(line);
const number = (text) => (text === undefined ? undefined : Number(text));

for (const name of positionals.length > 0 ? positionals : NAMES) {
  const directory = await mkdtemp(path.join(values.dir ?? tmpdir(), `filecloudsync-bench-${name}-`));
  try {
    const { run } = await import(`./cases/${name}.mjs`);
    const loadBefore = loadavg()[0];
    const result = await run({
      directory,
      dist: pathToFileURL(dist).href,
      main: path.join(dist, 'cli/main.cjs'),
      short: values.short || positionals.length === 0,
      rounds: number(values.rounds),
      files: number(values.files),
      mib: number(values.mib),
      serverKind: values.server,
      log,
    });
    log(`\n## ${result.title}`);
    for (const { title, rows } of result.tables) {
      log(`\n${title}`);
      printTable(rows, log);
    }
    for (const note of result.notes ?? []) log(note);
    log('');
    if (values['no-write']) continue;
    const machine = {
      cores: cpus().length,
      processor: cpus()[0]?.model,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      kernel: release(),
      // Others worked on it at the same time when this is above 2.
      loadBefore: Number(loadBefore.toFixed(2)),
      loadAfter: Number(loadavg()[0].toFixed(2)),
    };
    const document = { name, measured: new Date().toISOString(), ...result, machine, versions: peerVersions() };
    await mkdir(path.join(here, 'results'), { recursive: true });
    await writeFile(path.join(here, 'results', `${name}.json`), `${JSON.stringify(document, undefined, 2)}\n`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
if (!values['no-write']) log(writeReport());
