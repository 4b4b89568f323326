// Runs everything that has to hold before a change is merged, one line a step, and tells all failures at the end.
//   npm run check                       all steps
//   npm run check -- lint types         these steps
//   npm run check -- --skip tests       all but these (comma separated)
//   npm run check -- --json FILE        also writes { passed, failed, steps } to FILE
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, stripVTControlCharacters } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'filecloudsync-check-'));
const tarball = join(scratch, 'filecloudsync.tgz');

const script = (path, ...rest) => [process.execPath, join(root, 'scripts', path), ...rest];
const steps = [
  { name: 'lint', command: ['oxlint'] },
  { name: 'format', command: ['oxfmt', '--check'] },
  { name: 'types', command: ['tsc', '-p', 'tsconfig.json', '--noEmit'] },
  { name: 'tests', command: ['npm', 'test', '--', '--coverage'] },
  { name: 'docs', command: ['typedoc', '--emit', 'none'] },
  { name: 'examples', command: script('check-examples.mjs') },
  { name: 'errors', command: script('check-errors.mjs') },
  { name: 'unused', command: ['knip'] },
  { name: 'package', command: script('package/pack.mjs', tarball) },
  { name: 'publint', command: ['publint', '--strict', tarball], needs: 'package' },
  { name: 'attw', command: ['attw', '--profile', 'esm-only', tarball], needs: 'package' },
  { name: 'installed', command: script('package/installed.mjs', tarball), needs: 'package' },
  { name: 'audit', command: script('package/audit.mjs') },
];
const stepTimeoutMs = 15 * 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    skip: { type: 'string', default: '' },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});
const skipped = values.skip.split(',').filter((name) => name !== '');
const unknown = [...positionals, ...skipped].filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0 || values.list) {
  const names = steps.map((step) => step.name).join(', ');
  if (unknown.length > 0) console.error(`no such step: ${unknown.join(', ')}; there are ${names}`);
  else console.log(names);
  process.exit(unknown.length > 0 ? 2 : 0);
}

const asked = steps.filter((step) => positionals.length === 0 || positionals.includes(step.name));
const needed = new Set(asked.flatMap((step) => step.needs ?? []));
const chosen = steps.filter((step) => (asked.includes(step) && !skipped.includes(step.name)) || needed.has(step.name));

/** Runs one command to its end; its output is kept. */
function run([file, ...args]) {
  const env = {
    ...process.env,
    CI: 'true',
    NO_COLOR: '1',
    FORCE_COLOR: undefined,
    PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`,
  };
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: stepTimeoutMs });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => resolve({ ok: false, output: String(error) }));
    child.on('close', (code, signal) =>
      resolve({
        ok: code === 0,
        output: stripVTControlCharacters(signal === null ? output : `${output}\nended by ${signal}`),
      }),
    );
  });
}

const results = [];
try {
  for (const step of chosen) {
    const missing = step.needs !== undefined && results.some((one) => one.name === step.needs && !one.ok);
    const startMs = performance.now();
    const { ok, output } = missing
      ? { ok: false, output: `not run: it needs the step ${step.needs}` }
      : await run(step.command);
    const seconds = (performance.now() - startMs) / 1000;
    // A script's own summary is the last line that begins with "= ".
    const note =
      output
        .split('\n')
        .findLast((line) => line.startsWith('= '))
        ?.slice(2) ?? '';
    console.log(
      `${ok ? 'ok    ' : 'FAILED'} ${step.name.padEnd(10)} ${seconds.toFixed(1).padStart(6)} s  ${note}`.trimEnd(),
    );
    results.push({ name: step.name, ok, seconds, note, output });
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

const failures = results.filter((one) => !one.ok);
for (const { name, output } of failures) console.log(`\n--- ${name} ---\n${output.trim().slice(-20_000)}`);
if (values.json !== undefined) {
  const summary = { passed: results.length - failures.length, failed: failures.length, steps: results };
  writeFileSync(values.json, `${JSON.stringify(summary, undefined, 2)}\n`);
}
console.log(`\n${results.length - failures.length} steps passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
