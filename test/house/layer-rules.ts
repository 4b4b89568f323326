import { builtinModules } from 'node:module';
import ts from 'typescript';
import { ambientModules, exceptions, layers, productWords } from './layer-table.js';
import type { Exception, Layer } from './layer-table.js';
import { visit } from './modules.js';
import type { ImportEdge, Module } from './modules.js';

/** What the rules found in one module. */
export interface Findings {
  /** One line for each breach: `path:line what, and what would be allowed`. */
  readonly breaches: readonly string[];
  /** Edges to other modules of ours that were judged. */
  readonly edges: number;
  /** Exceptions that were made use of. */
  readonly used: readonly Exception[];
  /** Package permissions that were made use of, as the layer's path and the permission. */
  readonly packages: readonly string[];
}

/** The layer a module belongs to: the longest path that matches. */
export function layerOf(path: string): Layer | undefined {
  return layers
    .filter((layer) => path === layer.path || (layer.path.endsWith('/') && path.startsWith(layer.path)))
    .toSorted((a, b) => b.path.length - a.path.length)[0];
}

/** Holds one module to the table. */
export function judge(module: Module): Findings {
  const layer = layerOf(module.path);
  if (layer === undefined)
    return { breaches: [`${module.path} belongs to no layer: add one to the table`], edges: 0, used: [], packages: [] };
  const breaches: string[] = [];
  const used: Exception[] = [];
  const packages: string[] = [];
  let edges = 0;
  for (const edge of module.imports) {
    const at = `${module.path}:${edge.line}`;
    if (edge.target === undefined) {
      const permission = permissionFor(layer, edge.specifier);
      if (permission === undefined) breaches.push(`${at} ${layer.path} may not import ${edge.specifier}`);
      else packages.push(`${layer.path} ${permission}`);
      continue;
    }
    edges += 1;
    const target = layerOf(edge.target);
    if (target === layer || (target !== undefined && layer.imports.includes(target.path))) continue;
    const exception = exceptions.find((one) => module.path.startsWith(one.from) && one.to === target?.path);
    if (exception === undefined) breaches.push(describeEdge(at, layer, edge, target));
    else used.push(exception);
  }
  if (!layer.products) breaches.push(...productNames(module));
  if (!layer.ambient && !ambientModules.includes(module.path)) breaches.push(...ambientUses(module));
  return { breaches, edges, used, packages };
}

function describeEdge(at: string, layer: Layer, edge: ImportEdge, target: Layer | undefined): string {
  if (target === undefined) return `${at} imports ${edge.specifier}, which is outside src/`;
  const allowed = layer.imports.length === 0 ? 'no other layer' : layer.imports.join(', ');
  return `${at} ${layer.path} may not import ${target.path} (${edge.specifier}); it may import ${allowed}`;
}

/** What lets a layer import a package or a module of Node: `node`, or the entry of its `packages`. */
function permissionFor(layer: Layer, specifier: string): string | undefined {
  const bare = specifier.replace(/^node:/, '');
  if (specifier.startsWith('node:') || builtinModules.includes(bare)) {
    const isFiles = bare === 'fs' || bare.startsWith('fs/');
    const allowed = layer.node === 'all' || (layer.node === 'no-fs' && !isFiles);
    return specifier.startsWith('node:') && allowed ? 'node' : undefined;
  }
  return layer.packages.find((name) =>
    name.endsWith('/*')
      ? specifier.startsWith(name.slice(0, -1))
      : specifier === name || specifier.startsWith(`${name}/`),
  );
}

/** Identifiers of which one word names a product. Comments and texts are free. */
function productNames(module: Module): string[] {
  const found: string[] = [];
  visit(module.source, (node) => {
    if (!ts.isIdentifier(node) && !ts.isPrivateIdentifier(node)) return;
    if (words(node.text).some((word) => productWords.includes(word)))
      found.push(`${module.path}:${lineOf(module, node)} the identifier ${node.text} names a product`);
  });
  return found;
}

function words(identifier: string): readonly string[] {
  return identifier
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.toLowerCase());
}

const ambientProperties = new Set([
  'Date.now',
  'Math.random',
  'performance.now',
  'AbortSignal.timeout',
  'process.hrtime',
  'crypto.randomUUID',
  'crypto.getRandomValues',
]);
const ambientCalls = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'randomUUID',
  'randomBytes',
  'randomInt',
  'Date',
]);
const ambientImports = new Set(['node:timers', 'node:timers/promises', 'node:perf_hooks']);

/** Places that read the clock, draw random numbers or set timers past the ports. */
function ambientUses(module: Module): string[] {
  const found: string[] = [];
  const add = (node: ts.Node, what: string): void => {
    found.push(`${module.path}:${lineOf(module, node)} uses ${what}: take it from the ports of core/runtime.ts`);
  };
  visit(module.source, (node) => {
    if (ts.isPropertyAccessExpression(node)) {
      const text = node.getText(module.source);
      if (ambientProperties.has(text)) add(node, text);
    } else if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && ambientCalls.has(node.expression.text))
      add(node, node.expression.text);
    else if (ts.isNewExpression(node) && node.expression.getText(module.source) === 'Date' && !node.arguments?.length)
      add(node, 'new Date()');
    else if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      if (ambientImports.has(node.moduleSpecifier.text)) add(node, node.moduleSpecifier.text);
    }
  });
  return found;
}

function lineOf(module: Module, node: ts.Node): number {
  return module.source.getLineAndCharacterOfPosition(node.getStart(module.source)).line + 1;
}
