// `npm run prove -- breaks [words] [--write]`: takes one protection after the other out of a copy of the sources, and shows what finds it.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import ts from 'typescript';
import { BREAKS } from '../test/proofs/breaks.mjs';
import { writeBreaksTable } from './breaks-table.mjs';

const COPIED = ['src', 'test', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'vitest.config.ts'];
const COMPILED = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
const TEST_LIMIT_MS = 600_000;

/** A copy of the sources, as they are and compiled, in which one file at a time is broken. */
class Workshop {
  #root;
  #sources = mkdtempSync(path.join(tmpdir(), 'filecloudsync-breaks-'));
  built = mkdtempSync(path.join(tmpdir(), 'filecloudsync-breaks-built-'));

  constructor(root, built) {
    this.#root = root;
    for (const name of COPIED) cpSync(path.join(root, name), path.join(this.#sources, name), { recursive: true });
    symlinkSync(path.join(root, 'node_modules'), path.join(this.#sources, 'node_modules'), 'junction');
    cpSync(built, this.built, { recursive: true, verbatimSymlinks: true });
  }

  /** Puts a text in the place of a source file. */
  put(file, text) {
    writeFileSync(path.join(this.#sources, file), text);
    const { outputText } = ts.transpileModule(text, { compilerOptions: COMPILED, fileName: file });
    writeFileSync(path.join(this.built, file.replace(/\.ts$/, '.js')), outputText);
  }

  /** Runs test files until one fails; `undefined` when none does, else the name of the first test that did. */
  async firstFailure(files) {
    const vitest = path.join(this.#root, 'node_modules', 'vitest', 'vitest.mjs');
    const args = [vitest, 'run', '--bail=1', '--maxWorkers=1', '--reporter=json', ...files];
    const { status, output } = await run(process.execPath, args, this.#sources);
    if (status === 0) return undefined;
    return /"status":"failed","title":"((?:[^"\\]|\\.)*)"/.exec(output)?.[1] ?? `exit code ${status}`;
  }

  remove() {
    for (const directory of [this.#sources, this.built]) rmSync(directory, { recursive: true, force: true });
  }
}

function run(command, args, cwd) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'ignore'], timeout: TEST_LIMIT_MS });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.on('close', (status) => resolve({ status, output }));
  });
}

/** The text of a file as it is, and with its protection taken out. */
function textsOf(root, { name, file, find, replace }) {
  const whole = readFileSync(path.join(root, file), 'utf8');
  const count = whole.split(find).length - 1;
  if (count !== 1)
    throw new Error(
      `"${name}": the text to replace stands ${count} times in ${file}; look where the protection is now, and mend test/proofs/breaks.mjs.`,
    );
  return { whole, broken: whole.replace(find, () => replace) };
}

/** What finds the break that is in the workshop now: in words, and the cases that it took; `undefined` when nothing does. */
async function findWith(workshop, by, { seed, proveCases }) {
  if (by.tests !== undefined) {
    const failed = await workshop.firstFailure(by.tests);
    return failed === undefined ? undefined : { by, words: `${by.tests.join(', ')}: "${failed}"` };
  }
  const { count, stride = 1 } = by;
  const { failure } = await proveCases(by.proof, workshop.built, { first: seed, count, stride });
  if (failure === undefined) return undefined;
  const at = /\b(?:seed|state) (\d+)/.exec(failure)?.[1];
  if (at === undefined) return { by, words: `${by.proof}, within ${count} cases` };
  const cases = (Number(at) - seed) / stride + 1;
  return { by: { ...by, count: cases }, words: `${by.proof}, in case ${cases} (seed ${at})` };
}

/** Says whether what found a break is content with the sources as they are: what fails there finds nothing. Each is tried once. */
class Unbroken {
  #tried = new Map();

  async isContent(workshop, { by }, tools) {
    const key = by.proof ?? by.tests.join();
    const before = this.#tried.get(key);
    if (before !== undefined && (by.count ?? 0) <= before.count) return before.content;
    const content = (await findWith(workshop, by, tools)) === undefined;
    this.#tried.set(key, { count: by.count ?? 0, content });
    return content;
  }
}

/**
 * Breaks one protection after the other, and prints what found it, or NOT FOUND. What found one is tried on the whole sources,
 * too, with the same cases.
 *
 * @param tools.writes what found them is put into docs/safety.md.
 * @param tools.proveCases runs cases of a proof on compiled sources: `(name, built, { first, count, stride })`.
 * @returns whether every break was found.
 */
export async function proveBreaks(root, built, words, { seed, proveCases, lanes, writes }) {
  const isWanted = ({ name, file }) => words.length === 0 || words.some((word) => `${name} ${file}`.includes(word));
  // Read before anything runs: the sources may change meanwhile.
  const rows = BREAKS.filter(isWanted).map((row) => ({ ...row, ...textsOf(root, row) }));
  const tools = { seed, proveCases };
  const unbroken = new Unbroken();
  let missed = 0;
  const foundBy = new Map();
  const tryOne = async (workshop, row) => {
    const startedAt = performance.now();
    let found;
    workshop.put(row.file, row.broken);
    for (const by of row.by) if ((found ??= await findWith(workshop, by, tools)) !== undefined) break;
    workshop.put(row.file, row.whole);
    const isReal = found !== undefined && (await unbroken.isContent(workshop, found, tools));
    if (isReal) foundBy.set(row.name, found.words);
    else missed++;
    const verdict = found === undefined ? 'NOT FOUND' : isReal ? 'found' : 'FAILS UNBROKEN TOO';
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    console.log(`${verdict}: ${row.name}; ${found?.words ?? 'by nothing'}, ${seconds} s`);
  };
  const workshops = Array.from({ length: lanes }, () => new Workshop(root, built));
  const queue = rows.values();
  try {
    await Promise.all(
      workshops.map(async (workshop) => {
        for (const row of queue) await tryOne(workshop, row);
      }),
    );
  } finally {
    for (const workshop of workshops) workshop.remove();
  }
  if (writes) writeBreaksTable(root, foundBy);
  console.log(
    `BREAKS: ${rows.length - missed} of ${rows.length} protections were missed when they were taken out; seed ${seed}`,
  );
  return missed === 0;
}
