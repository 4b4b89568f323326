// Compiles every example that a reader can copy: the ```ts blocks of README.md, of the pages in docs/, and of the
// docstrings in src/. Fails for one that does not compile, and for a public function or class that has none.
//
// An example is a module of its own. What it neither imports nor declares is imported for it when one of the package's
// entry points exports it, and these names stand for themselves: client, bucket, folder, signal.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { sourceFilesBelow } from './source-files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const entries = {
  filecloudsync: 'src/index.ts',
  'filecloudsync/s3': 'src/s3/index.ts',
  'filecloudsync/testing': 'src/testing/index.ts',
};
const prelude = {
  client: `declare const client: import('@aws-sdk/client-s3').S3Client;`,
  bucket: `declare const bucket: string;`,
  folder: `declare const folder: string;`,
  signal: `declare const signal: AbortSignal;`,
};

const options = {
  ...ts.parseJsonConfigFileContent(ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config, ts.sys, root)
    .options,
  paths: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, [`./${file}`]])),
  noEmit: true,
  noUnusedLocals: false,
  noUnusedParameters: false,
};
delete options.configFilePath;

const markdown = [
  ...['README.md'].filter((path) => existsSync(join(root, path))),
  ...(existsSync(join(root, 'docs')) ? readdirSync(join(root, 'docs')) : [])
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const sources = sourceFilesBelow(join(root, 'src')).map((path) => `src/${path}`);

/** The fenced blocks of a text, with the line on which each begins. */
function blocksOf(text, strip = (line) => line) {
  const blocks = [];
  let open;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = strip(raw);
    if (open === undefined) {
      const fence = /^\s*```(?:ts|typescript)\s*$/.exec(line);
      if (fence !== null) open = { line: index + 2, lines: [] };
    } else if (/^\s*```\s*$/.test(line)) {
      blocks.push({ line: open.line, code: open.lines.join('\n') });
      open = undefined;
    } else open.lines.push(line);
  }
  return blocks;
}

const examples = [
  ...markdown.flatMap((path) => blocksOf(readFileSync(join(root, path), 'utf8')).map((block) => ({ path, ...block }))),
  ...sources.flatMap((path) =>
    blocksOf(readFileSync(join(root, path), 'utf8'), (line) => line.replace(/^\s*\* ?/, '')).map((block) => ({
      path,
      ...block,
    })),
  ),
].map((example, index) => ({ ...example, file: join(root, `.example-${index}.ts`) }));

const texts = new Map(examples.map((example) => [example.file, `${example.code}\nexport {};\n`]));

function programOf() {
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (path) => texts.get(resolve(path)) ?? readFile.call(host, path);
  host.fileExists = (path) => texts.has(resolve(path)) || fileExists.call(host, path);
  host.getSourceFile = (path, target, ...rest) => {
    const text = texts.get(resolve(path));
    return text === undefined
      ? getSourceFile.call(host, path, target, ...rest)
      : ts.createSourceFile(path, text, target, true);
  };
  const present = Object.values(entries)
    .map((file) => join(root, file))
    .filter((file) => existsSync(file));
  return ts.createProgram([...present, ...texts.keys()], options, host);
}

/** Every name that an entry point exports, to that entry point and the symbol behind it; the first entry point wins. */
function exportsOf(program) {
  const checker = program.getTypeChecker();
  const found = new Map();
  for (const [name, file] of Object.entries(entries)) {
    const source = program.getSourceFile(join(root, file));
    const module = source && checker.getSymbolAtLocation(source);
    if (!module) continue;
    for (const symbol of checker.getExportsOfModule(module)) {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      if (!found.has(symbol.name)) found.set(symbol.name, { name, symbol: target });
    }
  }
  return found;
}

let program = programOf();
const exported = exportsOf(program);

// Names that stand for themselves or come from the package are put in front of an example, on its first line, so that
// the line numbers of what follows stay right.
for (const example of examples) {
  const unknown = program
    .getSemanticDiagnostics(program.getSourceFile(example.file))
    .map((one) => /^Cannot find name '(\w+)'/.exec(ts.flattenDiagnosticMessageText(one.messageText, '\n'))?.[1]);
  const front = [...new Set(unknown)].flatMap((name) => {
    if (name === undefined) return [];
    const from = exported.get(name);
    if (from !== undefined) return [`import { ${name} } from '${from.name}';`];
    return prelude[name] === undefined ? [] : [prelude[name]];
  });
  if (front.length > 0) texts.set(example.file, `${front.join(' ')} ${texts.get(example.file)}`);
}
program = programOf();

const failures = [];
for (const example of examples) {
  const source = program.getSourceFile(example.file);
  for (const one of [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]) {
    const { line } = source.getLineAndCharacterOfPosition(one.start ?? 0);
    failures.push(`${example.path}:${example.line + line} ${ts.flattenDiagnosticMessageText(one.messageText, '\n')}`);
  }
}

const wanting = [];
for (const [name, { symbol }] of exported) {
  if ((symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class)) === 0) continue;
  const docs = (symbol.declarations ?? [])
    .map((node) => node.getSourceFile().text.slice(node.getFullStart(), node.getStart()))
    .join('');
  // A class of errors is met in a `catch`, and shown in docs/errors.md.
  const isError = symbol.name.endsWith('Error');
  const place = symbol.declarations?.[0];
  if (!docs.includes('```ts') && !isError && place !== undefined)
    wanting.push(`  ${name}  (${relative(root, place.getSourceFile().fileName)})`);
}

if (failures.length > 0) console.error([`${failures.length} errors in examples:`, ...failures].join('\n'));
if (wanting.length > 0)
  console.error([`${wanting.length} public functions and classes without an example:`, ...wanting].join('\n'));
if (examples.length === 0) console.error('no examples were found');
console.log(`= ${examples.length} examples, ${failures.length} errors, ${wanting.length} exports without one`);
process.exitCode = failures.length > 0 || wanting.length > 0 || examples.length === 0 ? 1 : 0;
