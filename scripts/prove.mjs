// Runs the long forms of the proofs: `npm run prove -- n2 --count 100000 --seed 1`; without a name, all of them.
// One line per proof with its figure and its seed; exit code 1 when one fails. `npm run prove -- breaks` proves the proofs:
// it takes the protections out one by one and says what finds each.
import { fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { proveBreaks } from './prove-breaks.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/**
 * The proofs, one a row. `module` and `run` prove `count` cases from a seed, `(first, count, stride)`, and throw for the first that
 * fails; `says` are the words for the result, whose numbers are summed over the workers. `tests` are test files that need a
 * server, a disk or other processes, run in their long form, which `environment` asks for; each prints its own figures.
 */
const PROOFS = {
  n1: {
    module: 'test/n1/prove-convergence.js',
    run: ({ proveConvergence }, first, count) => proveConvergence(first, count),
    inBlocks: true,
    count: 10_000_000,
    says: ({ states }) => `${states} three-tree states converge and keep every version`,
  },
  n2: {
    module: 'test/simulation/prove-simulation.js',
    run: ({ proveSimulation }, first, count, stride) => proveSimulation(first, count, stride),
    count: 100_000,
    says: ({ runs, versions, crashes, requests, steps }) =>
      `${runs} whole runs keep every version and end in agreement (${versions} versions, ${crashes} crashes, ${requests} requests, ${steps} steps)`,
  },
  n3: {
    tests: ['test/crash/crash.test.ts', 'test/crash/new-files.test.ts'],
    environment: ({ count }) => ({ FILECLOUDSYNC_LONG: '1', FILECLOUDSYNC_DOUBLE_KILLS: count }),
    /** Kills of a run that goes on after a kill, beside one at every step of every operation. */
    count: 150,
  },
  n4: {
    module: 'test/crash/prove-power-loss.js',
    run: ({ provePowerLoss }, first, count, stride) => provePowerLoss(first, count, stride),
    count: 20_000,
    says: ({ states, rebuilt }) =>
      `${states} states after a loss of power keep every version and come to the same end (${rebuilt} with a rebuilt memory)`,
  },
  n5: {
    module: 'test/crash/prove-io-errors.js',
    run: ({ proveIoErrors }, first, count, stride) => proveIoErrors(first, count, stride),
    /** All there are. */
    count: Infinity,
    says: ({ faults }) => `${faults} failed operations of a disk, 0 taken for success, each made good by the next run`,
    tests: ['test/bad-input/disk-full.test.ts'],
  },
  n6: {
    module: 'test/proofs/prove-many-writers.js',
    run: ({ proveManyWriters }, first, count, stride) => proveManyWriters(first, count, stride),
    count: 50,
    says: ({ runs, operations, overwritten }) =>
      `${runs} runs of 100 writers lose no version in ${operations} operations (${overwritten} overwritten unseen where conditions are ignored, each in a trash)`,
  },
  n7: {
    module: 'test/proofs/prove-dialects.js',
    run: ({ proveDialects }, first, count, stride) => proveDialects(first, count, stride),
    count: 5000,
    says: ({ faulted, finished }) =>
      `${faulted} stores of every kind in turn classified on a good network, 0 trusted wrongly on a bad one (where ${finished} probes came to a result)`,
  },
  n8: {
    module: 'test/proofs/prove-bad-network.js',
    run: ({ proveBadNetwork }, first, count) => proveBadNetwork(first, count),
    inBlocks: true,
    count: 10_000,
    says: ({ objects, requests, calmRequests, faults }) =>
      `${objects} objects carried both ways with ${faults} faults in ${requests} requests, ${(requests / calmRequests).toFixed(2)} times those of a good network`,
  },
  n9: {
    tests: ['test/crash/torn.test.ts'],
    environment: ({ count }) => ({ FILECLOUDSYNC_TORN: count }),
    count: 10_000,
  },
  n10: {
    module: 'test/proofs/prove-unseen-edits.js',
    run: ({ proveUnseenEdits }, first, count, stride) => proveUnseenEdits(first, count, stride),
    count: 2000,
    says: ({ edits }) => `${edits} edits that hide behind size, time or clock, 0 missed after one more cycle`,
  },
  n11: {
    module: 'test/proofs/prove-vanished-sides.js',
    run: ({ proveVanishedSides }, first, count, stride) => proveVanishedSides(first, count, stride),
    count: 3135,
    says: ({ ways }) => `${ways} ways for a side to vanish, 0 deletes on the other, each told in words`,
  },
  n12: {
    module: 'test/proofs/prove-damaged-state.js',
    run: ({ proveDamagedState }, first, count, stride) => proveDamagedState(first, count, stride),
    count: 1000,
    says: ({ damages, rebuilt }) =>
      `${damages} damaged states of a whole pair, 0 deletes or overwrites (${rebuilt} rebuilt)`,
    tests: ['src/store/state-damage.test.ts'],
    environment: ({ count }) => ({ FILECLOUDSYNC_DAMAGES: count }),
  },
  p9: {
    tests: ['test/simulation/quiet-renames.test.ts'],
    environment: ({ count }) => ({ FCS_RENAMES: count }),
    /** Quiet worlds; whether a rename is safe in others is asked by N2. */
    count: 1000,
  },
  s1: {
    tests: ['test/security/hostile-paths', 'test/security/generated-keys', 'test/security/hostile-disk'],
    environment: ({ count }) => ({ FCS_S1: count }),
    count: 1_000_000,
  },
  s2: {
    tests: ['test/security/swaps'],
    environment: ({ count }) => ({ FCS_S2: count }),
    count: 100_000,
  },
  s3: {
    tests: ['test/security/hostile-answers', 'test/security/scanner-fuzz'],
    environment: ({ count }) => ({ FCS_S3: count }),
    count: 1_000_000,
  },
  s4: {
    tests: ['test/security/secrets'],
    environment: () => ({ FCS_S4: '1' }),
    count: 1,
  },
};

/**
 * Where proofs have their files: nothing waits for a disk where there is one in memory, from which a killed process takes
 * nothing either. And the SDK does not tell of Node.js versions of the future.
 */
const ENVIRONMENT = {
  ...process.env,
  TMPDIR: existsSync('/dev/shm') ? '/dev/shm' : tmpdir(),
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
};

/** Runs the test files of a proof in their long form; answers whether they hold, and the figures that they print. */
async function proveByTests(name, { count, seed }) {
  const { tests, environment } = PROOFS[name];
  const startedAt = performance.now();
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const asked = Object.entries(environment?.({ count }) ?? {}).map(([key, value]) => [key, String(value)]);
  const env = {
    ...ENVIRONMENT,
    NO_COLOR: '1',
    ...Object.fromEntries(asked),
    FCS_SEED: String(seed),
    FILECLOUDSYNC_SEED: String(seed),
  };
  const args = [vitest, 'run', '--maxWorkers=1', '--reporter=default', ...tests];
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const [status] = await once(child, 'close');
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const figures = output.split('\n').filter((line) => line.startsWith(name.toUpperCase()));
  console.log((status === 0 ? figures : [output]).join('\n'));
  console.log(
    `${name.toUpperCase()}: ${tests.join(', ')} ${status === 0 ? 'hold' : 'FAILED'}; seed ${seed}, ${seconds} s`,
  );
  return status === 0;
}

/** What takes long comes first, so that all lanes end together; and before all, what finds most. */
const FIRST = ['n2', 'n3', 'n9', 'n6', 'n1', 'n5', 'n4', 's2', 's4', 's3', 's1'];

async function work([built, name, first, count, stride]) {
  const proof = PROOFS[name];
  try {
    const module = await import(pathToFileURL(path.join(built, proof.module)).href);
    const found = await proof.run(module, Number(first), Number(count), Number(stride));
    const numbers = Object.fromEntries(Object.entries(found).filter(([, value]) => typeof value === 'number'));
    process.send({ numbers });
  } catch (error) {
    process.send({
      failure: error instanceof Error ? (error.name === 'TypeError' ? error.stack : error.message) : String(error),
    });
  }
  process.disconnect();
}

/** The shares of a proof, one a worker; the last one that ends prints what all came to. */
function sharesOf(name, built, { count, seed, workers }) {
  const proof = PROOFS[name];
  const shareOf = (i) => (count === Infinity ? count : Math.floor(count / workers) + (i < count % workers ? 1 : 0));
  let next = seed;
  const shares = Array.from({ length: workers }, (_, i) => {
    const share = shareOf(i);
    const first = proof.inBlocks ? next : seed + i;
    next += share;
    return [built, name, first, share, proof.inBlocks ? 1 : workers];
  }).filter(([, , , share]) => share > 0);
  const answers = [];
  let seconds = 0;
  return shares.map((args) => async () => {
    const startedAt = performance.now();
    answers.push(await inChild(args));
    seconds += (performance.now() - startedAt) / 1000;
    return answers.length < shares.length || tell(name, { answers, count, seed, seconds });
  });
}

/** Prints what the shares of a proof came to, and answers whether it holds. */
function tell(name, { answers, count, seed, seconds }) {
  const failures = answers.flatMap(({ failure }) => failure ?? []);
  const sums = {};
  for (const { numbers = {} } of answers)
    for (const [key, value] of Object.entries(numbers)) sums[key] = (sums[key] ?? 0) + value;
  const figure = failures.length > 0 ? 'FAILED' : PROOFS[name].says(sums);
  const done = count === Infinity ? Math.max(0, ...Object.values(sums)) : count;
  const rate = done / (seconds / answers.length);
  console.log(
    `${name.toUpperCase()}: ${figure}; seed ${seed}, ${(seconds / answers.length).toFixed(1)} s, ${rate.toFixed(rate < 100 ? 1 : 0)} a second on ${answers.length} workers`,
  );
  for (const failure of failures) console.log(failure);
  return failures.length === 0;
}

/** Carries out jobs, as many at a time as there are lanes, and answers whether all hold. */
async function allHold(jobs, lanes) {
  const queue = jobs.values();
  let ok = true;
  const lane = async () => {
    for (const job of queue) ok = (await job()) && ok;
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return ok;
}

function inChild(args, environment = {}) {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(import.meta.url), ['--worker', ...args.map(String)], {
      env: { ...ENVIRONMENT, ...environment },
    });
    let answer = { failure: 'the worker ended without an answer' };
    child.on('message', (message) => {
      answer = message;
    });
    child.on('exit', () => resolve(answer));
  });
}

/** Compiles sources and tests into a folder of its own, which can be removed. */
function build() {
  const built = mkdtempSync(path.join(tmpdir(), 'filecloudsync-prove-'));
  symlinkSync(path.join(root, 'node_modules'), path.join(built, 'node_modules'), 'junction');
  writeFileSync(path.join(built, 'package.json'), '{"type":"module"}\n');
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const options = [
    '--noEmit',
    'false',
    '--noCheck',
    '--declaration',
    'false',
    '--sourceMap',
    'false',
    '--rootDir',
    root,
    '--outDir',
    built,
  ];
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', path.join(root, 'tsconfig.json'), ...options], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`The proofs could not be compiled:\n${stdout}`);
  return built;
}

/** What `npm run prove -- breaks [words]` does: each proof in one process, without looking for a smaller failure. */
async function breakAll(words, { seed, lanes, writes }) {
  const built = build();
  const proveCases = (name, place, { first, count, stride }) =>
    inChild([place, name, first, count, stride], { FILECLOUDSYNC_SHRINK: '0' });
  try {
    return (await proveBreaks(root, built, words, { seed, proveCases, lanes, writes })) ? 0 : 1;
  } finally {
    rmSync(built, { recursive: true, force: true });
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: 'string' },
      seed: { type: 'string' },
      workers: { type: 'string' },
      write: { type: 'boolean' },
    },
  });
  const chosenSeed = () => Number(values.seed ?? Math.floor(Math.random() * 2 ** 30));
  if (positionals[0] === 'breaks')
    return breakAll(positionals.slice(1), {
      seed: chosenSeed(),
      lanes: Number(values.workers ?? availableParallelism()),
      writes: values.write ?? false,
    });
  const unknown = positionals.filter((name) => !Object.hasOwn(PROOFS, name));
  const bad = Object.entries(values).filter(([, value]) => !/^\d+$/.test(value));
  if (unknown.length > 0 || bad.length > 0) {
    console.error(
      `Usage: npm run prove -- breaks [WORD]... [--write] | [${Object.keys(PROOFS).join('|')}]... [--count N] [--seed S] [--workers W]`,
    );
    return 2;
  }
  const names = positionals.length > 0 ? positionals : Object.keys(PROOFS);
  const startedAt = performance.now();
  const built = names.some((name) => PROOFS[name].module !== undefined) ? build() : undefined;
  try {
    const workers = Number(values.workers ?? availableParallelism());
    const jobs = [...FIRST, ...names.filter((name) => !FIRST.includes(name))]
      .filter((name) => names.includes(name))
      .flatMap((name) => {
        const { module, tests, count: most } = PROOFS[name];
        const asked = { count: Number(values.count ?? most), seed: chosenSeed(), workers };
        return [
          ...(tests === undefined ? [] : [() => proveByTests(name, asked)]),
          ...(module === undefined ? [] : sharesOf(name, built, asked)),
        ];
      });
    const ok = await allHold(jobs, workers);
    const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
    console.log(`${names.length} proofs ${ok ? 'hold' : 'were tried, NOT ALL OF THEM HOLD'}; ${minutes} minutes`);
    return ok ? 0 : 1;
  } finally {
    if (built !== undefined) rmSync(built, { recursive: true, force: true });
  }
}

if (process.argv[2] === '--worker') await work(process.argv.slice(3));
else process.exitCode = await main();
