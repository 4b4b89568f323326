import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';
import { sourceFilesBelow } from '../../scripts/source-files.mjs';

/** One module under `src/`, parsed. */
export interface Module {
  /** Relative to `src/`, with `/`. */
  readonly path: string;
  readonly source: ts.SourceFile;
  readonly imports: readonly ImportEdge[];
}

/** One `import`, `export … from`, `import()` or `import('…')` type of a module. */
export interface ImportEdge {
  readonly specifier: string;
  /** The imported module relative to `src/`, as the path of its source; `undefined` for packages and Node's own. */
  readonly target: string | undefined;
  readonly line: number;
}

/** Reads every module below a folder, `*.test.ts` apart, in the order of their paths. */
export function readModules(root: string): readonly Module[] {
  return sourceFilesBelow(root).map((path) => parseModule(path, readFileSync(join(root, path), 'utf8')));
}

/** Parses one module. `path` is relative to `src/`. */
export function parseModule(path: string, text: string): Module {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: ImportEdge[] = [];
  const add = (literal: ts.Node | undefined): void => {
    if (literal === undefined || !ts.isStringLiteralLike(literal)) return;
    const specifier = literal.text;
    imports.push({
      specifier,
      target: specifier.startsWith('.')
        ? posix.normalize(posix.join(posix.dirname(path), specifier)).replace(/\.js$/, '.ts')
        : undefined,
      line: source.getLineAndCharacterOfPosition(literal.getStart(source)).line + 1,
    });
  };
  visit(source, (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    else if (ts.isExternalModuleReference(node)) add(node.expression);
    else if (ts.isCallExpression(node) && isLoader(node.expression)) add(node.arguments[0]);
  });
  return { path, source, imports };
}

/** Calls `look` with a node and everything below it. */
export function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => visit(child, look));
}

function isLoader(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
}
