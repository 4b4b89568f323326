// Holds three things together: the error codes in src/, the page docs/errors.md, and the tests.
// Every code needs a row `| \`ERR_…\` | cause | remedy |` on the page and a test that mentions it.
//   node scripts/check-errors.mjs             fails and lists what is missing
//   node scripts/check-errors.mjs --template  prints rows for the codes that the page lacks
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { sourceFilesBelow, testFilesBelow } from './source-files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = join(root, 'docs', 'errors.md');
const codePattern = /^ERR_[A-Z0-9]+(?:_[A-Z0-9]+)*$/;

/** Codes that other software gives and that our code only compares with. */
const foreign = new Set([
  'ERR_BUFFER_TOO_LARGE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_MODULE_NOT_FOUND',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_INVALID_URL',
  'ERR_PARSE_ARGS_UNKNOWN_OPTION',
]);

/** Fewer than this, and the checker has looked in the wrong place. */
const atLeast = 30;

/** Code to the places in src/ that name it, as `path:line`. */
const raised = new Map();
for (const file of sourceFilesBelow(join(root, 'src'))) {
  const path = join(root, 'src', file);
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, false);
  const visit = (node) => {
    if (ts.isStringLiteralLike(node) && codePattern.test(node.text) && !foreign.has(node.text)) {
      const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
      raised.set(node.text, [...(raised.get(node.text) ?? []), `${relative(root, path)}:${line}`]);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
}

/** Code to its cause and remedy on the page. */
const documented = new Map();
if (existsSync(page)) {
  for (const line of readFileSync(page, 'utf8').split('\n')) {
    const row = /^\|\s*`(ERR_[A-Z0-9_]+)`\s*\|(.*)\|\s*$/.exec(line);
    if (row === null) continue;
    const [cause = '', remedy = ''] = row[2].split(/(?<!\\)\|/).map((cell) => cell.trim());
    documented.set(row[1], { cause, remedy });
  }
}

const tests = ['src', 'test'].flatMap((folder) =>
  testFilesBelow(join(root, folder)).map((file) => join(root, folder, file)),
);
const tested = new Set(tests.flatMap((path) => readFileSync(path, 'utf8').match(/\bERR_[A-Z0-9_]+/g) ?? []));

const codes = [...raised.keys()].toSorted();
const undocumented = codes.filter((code) => !documented.has(code));
if (process.argv.includes('--template')) {
  for (const code of undocumented) console.log(`| \`${code}\` |  |  | <!-- ${raised.get(code).join(', ')} -->`);
  process.exit(0);
}

const where = (code) => `  ${code}  (${raised.get(code)[0]})`;
const complaints = [
  [
    existsSync(page) ? 'codes without a row in docs/errors.md' : 'docs/errors.md is not there; codes that need a row',
    undocumented.map(where),
  ],
  [
    'rows of docs/errors.md without a cause or a remedy',
    [...documented].filter(([, row]) => row.cause === '' || row.remedy === '').map(([code]) => `  ${code}`),
  ],
  [
    'rows of docs/errors.md for codes that src/ does not have',
    [...documented.keys()].filter((code) => !raised.has(code)).map((code) => `  ${code}`),
  ],
  ['codes that no test mentions', codes.filter((code) => !tested.has(code)).map(where)],
].filter(([, lines]) => lines.length > 0);
if (codes.length < atLeast)
  complaints.push([`only ${codes.length} codes were found in src/, at least ${atLeast} are there`, []]);

for (const [title, lines] of complaints) console.error([`${lines.length} ${title}:`, ...lines].join('\n'));
console.log(
  `= ${codes.length} codes, ${undocumented.length} not on the page, ${codes.filter((code) => !tested.has(code)).length} in no test`,
);
process.exitCode = complaints.length === 0 ? 0 : 1;
