import { exceptions, layers } from './layer-table.js';
import type { Layer } from './layer-table.js';

interface Wall {
  readonly files: readonly string[];
  readonly rules: { readonly 'no-restricted-imports': unknown };
}

/**
 * The table of layers as `overrides` of `.oxlintrc.json`, for a quick answer in the editor. Coarser than the test: a
 * pattern sees the text of an import, not the module it leads to.
 */
export function lintWalls(): readonly Wall[] {
  return [
    ...layers.map(wallOf),
    ...exceptions.map(holeFor),
    { files: ['src/**/*.test.ts'], rules: { 'no-restricted-imports': 'off' } },
  ];
}

function wallOf(layer: Layer): Wall {
  const files = [`src/${layer.path}${layer.path.endsWith('/') ? '**' : ''}`];
  return { files, rules: { 'no-restricted-imports': ['error', { patterns: patternsFor(layer, []) }] } };
}

function holeFor({ from, to }: (typeof exceptions)[number]): Wall {
  const layer = layers.find((one) => from.startsWith(one.path));
  if (layer === undefined) throw new Error(`the exception for ${from} is in no layer`);
  return {
    files: [`src/${from}*`, `src/${from}*/**`],
    rules: { 'no-restricted-imports': ['error', { patterns: patternsFor(layer, [to]) }] },
  };
}

function patternsFor(layer: Layer, also: readonly string[]): readonly { regex: string; message: string }[] {
  const allowed = new Set([layer.path, ...layer.imports, ...also]);
  // A parent folder says nothing about its children here, and `s3/` is also how `replica/s3/` is named from beside it:
  // what the text cannot tell apart is left to the test.
  const ambiguous = [...allowed].map((path) => path.split('/').at(-2));
  const targets = layers
    .map((one) => one.path)
    .filter((path) => !allowed.has(path) && path !== 'index.ts')
    .filter((path) => ![...allowed].some((one) => one.startsWith(path)))
    .filter((path) => path.split('/').length > 2 || !ambiguous.includes(path.slice(0, -1)))
    .flatMap((path) =>
      parentOf(path) === parentOf(layer.path) && parentOf(path) !== ''
        ? [path, path.slice(parentOf(path).length)]
        : [path],
    )
    .map((path) => (path.endsWith('.ts') ? `${path.slice(0, -3)}\\.js$` : path));
  const outside = [...packagesBeyond(layer)];
  if (layer.node === 'none') outside.push('node:');
  else if (layer.node === 'no-fs') outside.push('node:fs(/|$)');
  return [
    ...(targets.length === 0
      ? []
      : [
          {
            regex: `^(\\.\\.?/)+(${[...new Set(targets)].join('|')})`,
            message: `${layer.path} may not import this layer.`,
          },
        ]),
    ...(outside.length === 0
      ? []
      : [{ regex: `^(${outside.join('|')})`, message: `${layer.path} may not import this package or module.` }]),
  ];
}

/** The folder around a layer's folder, with its `/`; empty at the top. */
function parentOf(path: string): string {
  return /^(.*\/)[^/]+\/$/.exec(path)?.[1] ?? '';
}

/** Packages that another layer may use and this one may not. One that no layer names is left to the test. */
function packagesBeyond(layer: Layer): readonly string[] {
  const all = new Set(layers.flatMap((one) => one.packages));
  return [...all]
    .filter((name) => !layer.packages.includes(name))
    .map((name) => (name.endsWith('/*') ? name.slice(0, -1) : `${name}(/|$)`))
    .toSorted();
}
