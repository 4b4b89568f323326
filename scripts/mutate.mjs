// Breaks the code in every way that Stryker knows, one way at a time, and counts how many of the breaks the tests notice:
// `npm run mutate -- core`; without a name, all groups. `--file src/core/guard.ts` breaks that file only.
// Prints a line per file, the survivors, and the score of each group; exit code 1 when a group stays below 90 %.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { GROUPS } from './mutation/groups.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const LEAST_PERCENT = 90;
/** What a mutant that was noticed ends as. A test that hangs notices as well, and is counted apart. */
const NOTICED = ['Killed', 'Timeout', 'RuntimeError'];
const MISSED = ['Survived', 'NoCoverage'];

async function mutate(name, files) {
  const { tests } = GROUPS[name];
  // What the tests and their configuration read: the same few random states in each run.
  Object.assign(process.env, { FCS_MUTATION_TESTS: tests.join(' '), FCS_N1: '200', FCS_SEED: '1' });
  const results = await new Stryker({
    mutate: files,
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    testRunnerNodeArgs: ['--import', new URL('mutation/end-with-parent.mjs', import.meta.url).href],
    vitest: { configFile: 'scripts/mutation/vitest.config.mjs', related: false },
    coverageAnalysis: 'perTest',
    concurrency: 1,
    ignoreStatic: false,
    timeoutMS: 5_000,
    // Not below node_modules: what stands there is loaded once for all mutants.
    tempDirName: `coverage/mutation/sandbox-${name}`,
    ignorePatterns: ['.ci', 'bench', 'coverage', 'dist', 'docs'],
    reporters: ['json', process.stdout.isTTY ? 'progress' : 'progress-append-only'],
    jsonReporter: { fileName: `coverage/mutation/${name}.json` },
    thresholds: { high: 100, low: LEAST_PERCENT, break: null },
    // oxlint-disable-next-line no-unsafe-enum-assignment -- the enum is in a package that is not ours to import
    logLevel: 'warn',
  }).runMutationTest();
  rmSync(path.join(root, `coverage/mutation/sandbox-${name}`), { recursive: true, force: true });
  return results;
}

/** Whether a test did not come to its end: Stryker gave up, or vitest did before it. */
function hasHung({ status, statusReason = '' }) {
  return status === 'Timeout' || (status === 'Killed' && statusReason.includes('timed out in'));
}

function count(mutants) {
  const of = (statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
  return { noticed: of(NOTICED), missed: of(MISSED), hung: mutants.filter((mutant) => hasHung(mutant)).length };
}

function percentOf({ noticed, missed }) {
  return noticed + missed === 0 ? 100 : (100 * noticed) / (noticed + missed);
}

function line(name, counts) {
  const { noticed, missed, hung } = counts;
  const told = [`${noticed} of ${noticed + missed} noticed`, ...(hung > 0 ? [`${hung} by hanging`] : [])].join(', ');
  return `${name.padEnd(40)} ${percentOf(counts).toFixed(1).padStart(5)} %  ${told}`;
}

function report(name, mutants, seconds) {
  const fileOf = ({ fileName }) => path.relative(root, path.resolve(root, fileName));
  for (const file of [...new Set(mutants.map(fileOf))].toSorted())
    console.log(`  ${line(file, count(mutants.filter((mutant) => fileOf(mutant) === file)))}`);
  for (const mutant of mutants.filter((each) => MISSED.includes(each.status) || hasHung(each))) {
    const { line: row, column } = mutant.location.start;
    const replacement = mutant.replacement.replaceAll(/\s+/g, ' ').slice(0, 100);
    console.log(
      `  ${hasHung(mutant) ? 'Hung' : mutant.status}: ${fileOf(mutant)}:${row}:${column + 1} ${mutant.mutatorName}: ${replacement}`,
    );
  }
  const counts = count(mutants);
  console.log(`${line(name.toUpperCase(), counts)}; ${seconds.toFixed(0)} s`);
  return percentOf(counts) >= LEAST_PERCENT;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { file: { type: 'string', multiple: true } },
  });
  const names = positionals.length > 0 ? positionals : Object.keys(GROUPS);
  const only = values.file ?? [];
  if (names.some((name) => !Object.hasOwn(GROUPS, name))) {
    console.error(`Usage: npm run mutate -- [${Object.keys(GROUPS).join('|')}]... [--file PATH]...`);
    return 2;
  }
  let ok = true;
  for (const name of names) {
    const files = GROUPS[name].files.filter((file) => only.length === 0 || only.includes(file));
    if (files.length === 0) continue;
    const startedAt = performance.now();
    const mutants = await mutate(name, files);
    ok = report(name, mutants, (performance.now() - startedAt) / 1000) && ok;
  }
  return ok ? 0 : 1;
}

// A run that nobody awaits ends, and its worker with it (end-with-parent.mjs). A shell between npm and this process that outlives
// a SIGKILL of npm still awaits it; what npm passes on (SIGINT, SIGTERM) needs no watching.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(1), 500).unref();

process.exitCode = await main();
