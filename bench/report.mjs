// Writes what people read from the figures in bench/results: docs/benchmarks.md with a picture of each comparison in
// docs/pictures, the tables of docs/scale.md, and the figures in README.md.
//   npm run bench:report [-- --check]      --check: writes nothing, exit code 1 when something is not fresh
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawBars, show } from './lib/picture.mjs';
import { scaleTables } from './lib/scale-model.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const results = path.join(root, 'bench', 'results');

/** What a column shows, and how a row of a result gives it. */
const MEASURES = {
  seconds: { unit: 's', of: (row) => row.seconds },
  cpuSeconds: { unit: 'CPU s', of: (row) => row.cpuSeconds },
  milliseconds: { unit: 'ms', of: (row) => row.milliseconds },
  peakMiB: { unit: 'MiB', of: (row) => (row.peakMiB === undefined ? undefined : { median: row.peakMiB }) },
  sentMiB: { unit: 'MiB sent', of: (row) => inMib(row.bytesIn) },
  receivedMiB: { unit: 'MiB received', of: (row) => inMib(row.bytesOut) },
};

function inMib(bytes) {
  return bytes === undefined ? undefined : { median: bytes / 2 ** 20 };
}

/** All results, in the order of their titles (P1, P2, …). */
export function readResults() {
  return readdirSync(results)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(path.join(results, name), 'utf8')))
    .toSorted((a, b) => a.title.localeCompare(b.title, 'en', { numeric: true }));
}

/** Every file that is made from the results: its path in the repository, and its text. */
export function reportFiles() {
  const all = readResults();
  const pictures = all.flatMap(picturesOf);
  return [
    { path: 'docs/benchmarks.md', text: benchmarksPage(all) },
    ...pictures.map(({ file, svg }) => ({ path: `docs/pictures/${file}`, text: svg })),
    filled('docs/scale.md', 'scale', scaleTables(all)),
    filled('README.md', 'figures', readmeFigures(all)),
  ];
}

function picturesOf(result) {
  return result.tables.flatMap((table, i) => {
    const measure = MEASURES[table.picture ?? 'seconds'];
    const bars = table.rows.flatMap((row) => {
      const value = row.missing === undefined ? measure.of(row) : undefined;
      return value === undefined ? [] : [{ name: row.name, ...value }];
    });
    if (bars.length < 2) return [];
    const file = `${result.name}${result.tables.length > 1 ? `-${i + 1}` : ''}.svg`;
    return [{ table, file, svg: drawBars({ title: result.title, subtitle: table.title, unit: measure.unit, bars }) }];
  });
}

function benchmarksPage(all) {
  const sections = all.flatMap((result) => {
    const pictures = picturesOf(result);
    return [
      `## ${result.title}`,
      '',
      `\`npm run bench -- ${result.name}\`, measured ${result.measured.slice(0, 10)} on ${machineOf(result)}.`,
      '',
      ...result.tables.flatMap((table) => {
        const picture = pictures.find((one) => one.table === table);
        return [
          ...(picture === undefined ? [] : [`![${result.title}: ${table.title}](pictures/${picture.file})`, '']),
          ...markdownTable(table),
          '',
        ];
      }),
      ...(result.notes ?? []).flatMap((note) => [`- ${note}`]),
      ...(result.notes?.length > 0 ? [''] : []),
    ];
  });
  return [
    '# Benchmarks',
    '',
    'Made by `npm run bench:report` from the figures in `bench/results`; do not edit. Each table is one run in which the programs',
    'took turns (A B C, A B C, …): medians, with the least and the most in brackets. The ratios are made round by round, so that what',
    'the machine did meanwhile falls on all alike; before each, what the others left to be written is written to the disk.',
    '`npm run bench:peers` installs the peers; one that is missing is named as missing.',
    '',
    `Versions: ${versionsOf(all)}.`,
    '',
    ...sections,
  ]
    .join('\n')
    .replace(/\n+$/, '\n');
}

function machineOf({ machine }) {
  return `${machine.cores} cores (${machine.processor}), ${machine.memoryGiB} GiB, Linux ${machine.kernel.split('-')[0]}, load ${machine.loadBefore} before and ${machine.loadAfter} after`;
}

function versionsOf(all) {
  const latest = all.toSorted((a, b) => a.measured.localeCompare(b.measured)).at(-1);
  return Object.entries(latest?.versions ?? {})
    .map(([name, version]) => (version === 'missing' ? `${name} missing` : `${name}: ${version}`))
    .join(' · ');
}

function markdownTable({ rows, columns = ['seconds', 'cpuSeconds', 'peakMiB', 'requests', 'ratio'] }) {
  const used = columns.filter((name) => rows.some((row) => COLUMNS[name].cell(row) !== undefined));
  return [
    `| | ${used.map((name) => COLUMNS[name].title).join(' | ')} |`,
    `|---|${used.map(() => '---|').join('')}`,
    ...rows.map((row) => {
      const cells =
        row.missing === undefined
          ? used.map((name) => COLUMNS[name].cell(row) ?? '')
          : used.map((_, i) => (i === 0 ? `missing: ${row.missing}` : ''));
      return `| ${row.name.replaceAll('|', '\\|')} | ${cells.join(' | ')} |`;
    }),
  ];
}

const spreadCell = (value) =>
  value === undefined
    ? undefined
    : value.min === undefined
      ? show(value.median)
      : `${show(value.median)} (${show(value.min)}–${show(value.max)})`;

const COLUMNS = {
  seconds: { title: 'time, s', cell: (row) => spreadCell(row.seconds) },
  cpuSeconds: { title: 'CPU, s', cell: (row) => spreadCell(row.cpuSeconds) },
  milliseconds: { title: 'ms', cell: (row) => spreadCell(row.milliseconds) },
  peakMiB: { title: 'peak, MiB', cell: (row) => (row.peakMiB === undefined ? undefined : String(row.peakMiB)) },
  requests: { title: 'requests', cell: (row) => (row.requests === undefined ? undefined : show(row.requests)) },
  sentMiB: { title: 'sent, MiB', cell: (row) => (row.bytesIn === undefined ? undefined : show(row.bytesIn / 2 ** 20)) },
  receivedMiB: {
    title: 'received, MiB',
    cell: (row) => (row.bytesOut === undefined ? undefined : show(row.bytesOut / 2 ** 20)),
  },
  ratio: {
    title: 'ours / this: time, CPU',
    cell: ({ oursToThis }) =>
      oursToThis === undefined
        ? undefined
        : [oursToThis.seconds, oursToThis.cpuSeconds]
            .map((one) => (one === undefined ? '' : show(one.median)))
            .join(', '),
  },
};

/** The comparisons that the first page shows: ours against each peer of the tables that it names. */
function readmeFigures(all) {
  const lines = all.flatMap((result) =>
    (result.headlines ?? []).map(({ what, figure }) => `| ${what} | ${figure} | \`npm run bench -- ${result.name}\` |`),
  );
  return [
    '| | measured | repeat it |',
    '|---|---|---|',
    ...lines,
    '',
    `[docs/benchmarks.md](docs/benchmarks.md) has every table, with the peers' versions and a picture of each comparison.`,
  ].join('\n');
}

/** A page with the text between its two marks replaced. */
function filled(file, mark, text) {
  const page = readFileSync(path.join(root, file), 'utf8');
  const [begin, end] = [`<!-- ${mark}: npm run bench:report -->`, `<!-- ${mark}: end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${file} has no marks "${begin}" and "${end}" to write between.`);
  return { path: file, text: `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}` };
}

/** Writes what is not fresh; answers what was written, in words. */
export function writeReport() {
  const stale = staleFiles();
  for (const { path: file, text } of stale) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  return stale.length === 0 ? 'What is made from the benchmarks is fresh.' : `Written: ${namesOf(stale)}`;
}

function staleFiles() {
  return reportFiles().filter(({ path: file, text }) => {
    const target = path.join(root, file);
    return !existsSync(target) || readFileSync(target, 'utf8') !== text;
  });
}

const namesOf = (files) => files.map(({ path: file }) => file).join(', ');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    const stale = staleFiles();
    if (stale.length > 0) console.error(`Stale: ${namesOf(stale)}. Run: npm run bench:report`);
    process.exitCode = stale.length > 0 ? 1 : 0;
  } else console.log(writeReport());
}
