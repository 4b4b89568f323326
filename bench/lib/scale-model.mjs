// What keeping a folder and a bucket the same costs at sizes that nobody measures every day: computed from measured constants.
import { show } from './picture.mjs';

/** What a store bills and allows, with where it is said. Amazon S3 Standard, us-east-1; other stores: put in their own. */
export const PRICES = {
  /** PUT, COPY, POST and LIST, a thousand. */
  listPerThousand: 0.005,
  getPerThousand: 0.0004,
  /** Out of the region, a GB of 10^9 bytes; within it, nothing. */
  egressPerGb: 0.09,
  /** A million requests of a standard queue; a message needs three (send, receive, delete). */
  queuePerMillion: 0.4,
};

/** GET and HEAD a second that one partition of a bucket takes before it answers 503 (Amazon's performance guidelines). */
const READS_PER_SECOND = 5500;
const SECONDS_A_MONTH = 30 * 86_400;
/** The default of `delaySeconds`. */
const DELAY_SECONDS = 60;
/** A monitor looks at everything so often: its other polls look at the bucket alone. */
const WHOLE_LOOK_SECONDS = 600;
/** One LIST page from a distant region, as others measured it over 100,000,000 keys. */
const PAGE_SECONDS = 0.08;
const LANES = 32;

const OBJECTS = [1e4, 1e5, 1e6, 1e7, 1e8];
const MACHINES = [1, 10, 100, 1e3, 1e4];

/** The constants that the benchmarks measured; throws when a benchmark has not been run. */
export function measuredConstants(results) {
  const of = (name) => {
    const found = results.find((result) => result.name === name);
    if (found === undefined)
      throw new Error(`docs/scale.md needs bench/results/${name}.json: npm run bench -- ${name}`);
    return found;
  };
  const quiet = of('nothing-changed');
  const [ours] = quiet.tables[0].rows;
  const startUp = of('start-up').cpuMilliseconds['first request of sync'].median / 1000;
  const idle = of('latency');
  const { idlePercent, wholeCpuMs } = idle.figures;
  const idleCpuSeconds = (idlePercent / 100) * WHOLE_LOOK_SECONDS - wholeCpuMs / 1000;
  return {
    files: quiet.files,
    bytesPerKey: ours.bytesOut / quiet.files,
    cpuSecondsPerFile: Math.max(ours.cpuSeconds.median - startUp, 0) / quiet.files,
    stateBytesPerFile: quiet.stateBytesPerFile,
    startUpCpuSeconds: startUp,
    pollCpuSecondsPerFile: idleCpuSeconds / (WHOLE_LOOK_SECONDS / DELAY_SECONDS) / idle.files,
    idleFiles: idle.files,
  };
}

/** The tables of docs/scale.md, as Markdown. */
export function scaleTables(results) {
  const constants = measuredConstants(results);
  return [
    ...constantsTable(constants),
    '',
    '### One poll of one machine, when nothing changed',
    '',
    ...pollTable(constants),
    '',
    `### Requests a month in money, polled every ${DELAY_SECONDS} seconds (LIST at $${PRICES.listPerThousand} a thousand)`,
    '',
    ...moneyTable(),
    '',
    '### The first sync',
    '',
    ...firstSyncTable(),
    '',
    '### The delay that keeps one machine at $10 a month',
    '',
    ...delayTable(),
  ].join('\n');
}

function constantsTable(constants) {
  const { files, bytesPerKey, cpuSecondsPerFile, stateBytesPerFile, startUpCpuSeconds } = constants;
  const { pollCpuSecondsPerFile, idleFiles } = constants;
  return [
    '| constant | measured | by |',
    '|---|---|---|',
    `| LIST requests | ⌈N / 1,000⌉, and one for the connection and one for the bucket | \`npm run bench -- nothing-changed\` |`,
    `| bytes of a key in a listing | ${show(bytesPerKey)} (keys of 38 bytes) | the same, ${show(files)} files |`,
    `| CPU of \`sync\`, when nothing changed | ${show(startUpCpuSeconds)} s to start, then ${show(cpuSecondsPerFile * 1e6)} s for 1,000,000 files | the same, and \`start-up\` |`,
    `| CPU of a poll of \`watch\`, when nothing changed | ${show(pollCpuSecondsPerFile * 1e6)} s for 1,000,000 files | \`npm run bench -- latency\`, ${show(idleFiles)} files |`,
    `| state on this machine | ${show(stateBytesPerFile)} bytes a file | \`nothing-changed\` |`,
    `| time of a LIST page | ${PAGE_SECONDS * 1000} ms | others' measurement of a distant region |`,
  ];
}

function pollTable({ bytesPerKey, cpuSecondsPerFile, pollCpuSecondsPerFile, stateBytesPerFile, startUpCpuSeconds }) {
  return [
    `| objects | LIST requests | bytes | CPU of a poll of \`watch\` | CPU of \`sync\` | at least, ${PAGE_SECONDS * 1000} ms a page: \`sync\` in one lane | in ${LANES} lanes | state on disk |`,
    '|---|---|---|---|---|---|---|---|',
    ...OBJECTS.map((objects) => {
      const pages = Math.ceil(objects / 1000);
      const cpu = startUpCpuSeconds + objects * cpuSecondsPerFile;
      return `| ${power(objects)} | ${show(pages)} | ${bytes(objects * bytesPerKey)} | ${duration(objects * pollCpuSecondsPerFile)} | ${duration(cpu)} | ${duration(Math.max(pages * PAGE_SECONDS, cpu))} | ${duration(Math.max((pages * PAGE_SECONDS) / LANES, cpu))} | ${bytes(objects * stateBytesPerFile)} |`;
    }),
  ];
}

function moneyTable() {
  const polls = SECONDS_A_MONTH / DELAY_SECONDS;
  return [
    `| objects | ${MACHINES.map((count) => (count === 1 ? '1 machine' : power(count))).join(' | ')} |`,
    `|---|${MACHINES.map(() => '---|').join('')}`,
    ...OBJECTS.map((objects) => {
      const cells = MACHINES.map((machines) => {
        const requests = Math.ceil(objects / 1000) * polls * machines;
        const perSecond = requests / SECONDS_A_MONTH;
        const cost = money((requests / 1000) * PRICES.listPerThousand);
        return perSecond > READS_PER_SECOND ? `(${cost})` : cost;
      });
      return `| ${power(objects)} | ${cells.join(' | ')} |`;
    }),
    '',
    `In brackets: more than ${show(READS_PER_SECOND)} requests a second, which one partition of a bucket does not take.`,
  ];
}

function firstSyncTable() {
  return [
    '| objects | PUT, to bring them up | GET, each further machine |',
    '|---|---|---|',
    ...OBJECTS.map(
      (objects) =>
        `| ${power(objects)} | ${money((objects / 1000) * PRICES.listPerThousand)} | ${money((objects / 1000) * PRICES.getPerThousand)} and ${money(PRICES.egressPerGb)} a GB outside the region |`,
    ),
  ];
}

function delayTable() {
  const budget = 10;
  return [
    '| objects | `delaySeconds` |',
    '|---|---|',
    ...OBJECTS.map((objects) => {
      const perPoll = (Math.ceil(objects / 1000) / 1000) * PRICES.listPerThousand;
      const seconds = (SECONDS_A_MONTH * perPoll) / budget;
      return `| ${power(objects)} | ${seconds <= DELAY_SECONDS ? `${DELAY_SECONDS} (the default; ${money((SECONDS_A_MONTH / DELAY_SECONDS) * perPoll)})` : `${show(Math.ceil(seconds))} (${duration(seconds)})`} |`;
    }),
  ];
}

const power = (value) => value.toLocaleString('en');

function money(dollars) {
  if (dollars >= 100) return `$${Math.round(dollars).toLocaleString('en')}`;
  return dollars >= 0.01 ? `$${dollars.toFixed(2)}` : `$${Number(dollars.toPrecision(2))}`;
}

function bytes(count) {
  for (const [unit, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ]) {
    if (count >= size) return `${show(count / size)} ${unit}`;
  }
  return `${count} B`;
}

function duration(seconds) {
  if (seconds >= 86_400) return `${show(seconds / 86_400)} days`;
  if (seconds >= 3600) return `${show(seconds / 3600)} h`;
  if (seconds >= 120) return `${show(seconds / 60)} min`;
  return `${show(seconds)} s`;
}
