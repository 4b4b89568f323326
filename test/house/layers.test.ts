import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { judge, layerOf } from './layer-rules.js';
import { ambientModules, exceptions, layers, minimum } from './layer-table.js';
import { lintWalls } from './lint-walls.js';
import { parseModule, readModules } from './modules.js';

const modules = readModules(fileURLToPath(new URL('../../src', import.meta.url)));
const findings = modules.map(judge);
const edges = findings.reduce((sum, one) => sum + one.edges, 0);

const breachesOf = (path: string, text: string): readonly string[] => judge(parseModule(path, text)).breaches;

describe('layers of src/', () => {
  it('has no import, product name or clock where the table forbids it', () => {
    expect(findings.flatMap((one) => one.breaches)).toEqual([]);
  });

  it(`has seen at least ${minimum.modules} modules and ${minimum.edges} imports between them`, () => {
    expect(modules.length).toBeGreaterThanOrEqual(minimum.modules);
    expect(edges).toBeGreaterThanOrEqual(minimum.edges);
  });

  it('keeps these minimums within nine tenths of what is there', () => {
    expect(minimum.modules, `there are ${modules.length} modules`).toBeGreaterThanOrEqual(modules.length * 0.9);
    expect(minimum.edges, `there are ${edges} imports`).toBeGreaterThanOrEqual(edges * 0.9);
  });

  it('has a module in every layer of the table', () => {
    const seen = new Set(modules.map((module) => layerOf(module.path)?.path));
    expect(layers.map((layer) => layer.path).filter((path) => !seen.has(path))).toEqual([]);
  });

  it('resolves every import between modules to a module that exists', () => {
    const known = new Set(modules.map((module) => module.path));
    const lost = modules.flatMap((module) =>
      module.imports.flatMap(({ target, line }) =>
        target === undefined || known.has(target) ? [] : [`${module.path}:${line} -> ${target}`],
      ),
    );
    expect(lost).toEqual([]);
  });

  it('needs every exception that the table makes', () => {
    const used = new Set(findings.flatMap((one) => one.used));
    expect(exceptions.filter((one) => !used.has(one))).toEqual([]);
    expect(ambientModules.filter((path) => !modules.some((module) => module.path === path))).toEqual([]);
  });

  it('needs every package that the table permits', () => {
    const used = new Set(findings.flatMap((one) => one.packages));
    const permitted = layers.flatMap((layer) => layer.packages.map((name) => `${layer.path} ${name}`));
    expect(permitted.filter((one) => !used.has(one))).toEqual([]);
  });

  it('says the same as the lint configuration', () => {
    const file = new URL('../../.oxlintrc.json', import.meta.url);
    const config = JSON.parse(readFileSync(file, 'utf8')) as { overrides: { rules: Record<string, unknown> }[] };
    const isWall = (one: { rules: Record<string, unknown> }): boolean => 'no-restricted-imports' in one.rules;
    const walls = lintWalls();
    if (process.env['UPDATE_LINT_WALLS'] === '1') {
      const overrides = [...walls, ...config.overrides.filter((one) => !isWall(one))];
      writeFileSync(file, `${JSON.stringify({ ...config, overrides }, undefined, 2)}\n`);
      return;
    }
    expect(config.overrides.filter(isWall), 'run it with UPDATE_LINT_WALLS=1 to write the walls anew').toEqual(walls);
  });
});

describe('judge', () => {
  it.each([
    ['core/a.ts', `import { x } from '../errors.js';`, 'core/ may not import errors.ts'],
    ['core/a.ts', `import type { x } from '../store/database.js';`, 'core/ may not import store/'],
    ['core/a.ts', `export * from '../replica/replica.js';`, 'core/ may not import replica/'],
    ['core/a.ts', `type X = import('../replica/replica.js').Replica;`, 'core/ may not import replica/'],
    ['core/a.ts', `const x = await import('../session/cycle.js');`, 'core/ may not import session/'],
    ['core/a.ts', `import { join } from 'node:path';`, 'core/ may not import node:path'],
    ['core/a.ts', `import fc from 'fast-check';`, 'core/ may not import fast-check'],
    ['transfer/a.ts', `import { y } from '../store/database.js';`, 'transfer/ may not import store/'],
    ['session/a.ts', `import { readFile } from 'node:fs/promises';`, 'session/ may not import node:fs/promises'],
    ['session/a.ts', `import fs from 'fs';`, 'session/ may not import fs'],
    ['session/a.ts', `import { y } from '../replica/s3/transport.js';`, 'session/ may not import replica/s3/'],
    [
      'session/a.ts',
      `import { S3Client as C } from '@aws-sdk/client-s3';`,
      'session/ may not import @aws-sdk/client-s3',
    ],
    ['replica/local/a.ts', `import { y } from '../s3/a.js';`, 'replica/local/ may not import replica/s3/'],
    ['replica/s3/a.ts', `import { y } from '../local/a.js';`, 'replica/s3/ may not import replica/local/'],
    ['replica/s3/a.ts', `import { y } from '../../s3/connect.js';`, 'replica/s3/ may not import s3/'],
    ['replica/wrap/a.ts', `import { y } from '../s3/a.js';`, 'replica/ may not import replica/s3/'],
    ['cli/main.cts', `import { y } from '../testing/s3/index.js';`, 'cli/ may not import testing/s3/'],
    ['cli/a.ts', `import { lookup } from 'mrmime';`, 'cli/ may not import mrmime'],
    ['core/a.ts', `import { x } from '../../test/house/modules.js';`, 'outside src/'],
    ['core/a.ts', `const s3Key = 1;`, 'the identifier s3Key names a product'],
    ['transfer/a.ts', `function putToS3Bucket() {}`, 'the identifier putToS3Bucket names a product'],
    ['session/a.ts', `const isAWS = true;`, 'the identifier isAWS names a product'],
    ['store/a.ts', `interface MinioProbe {}`, 'the identifier MinioProbe names a product'],
    ['session/a.ts', `const t = Date.now();`, 'uses Date.now'],
    ['session/a.ts', `const t = new Date();`, 'uses new Date()'],
    ['transfer/a.ts', `const t = Math.random();`, 'uses Math.random'],
    ['session/a.ts', `setTimeout(() => {}, 1);`, 'uses setTimeout'],
    ['session/a.ts', `import { setTimeout as s } from 'node:timers/promises';`, 'uses node:timers/promises'],
    ['nowhere/a.ts', ``, 'belongs to no layer'],
  ])('refuses in %s: %s', (path, text, message) => {
    expect(breachesOf(path, text).join('\n')).toContain(message);
  });

  it.each([
    ['core/a.ts', `import type { Entry } from './entry.js';`],
    ['core/a.ts', `// S3 lists in byte order\nconst words = 'as s3 does';`],
    ['core/a.ts', `const when = new Date(0), etag = 1, bucket = 2;`],
    ['replica/wrap/retry.ts', `import type { Replica } from '../replica.js';`],
    ['replica/local/a.ts', `import { open } from 'node:fs/promises';`],
    ['replica/s3/a.ts', `import { lookup } from 'mrmime';`],
    ['session/a.ts', `import { y } from '../replica/local/a.js';\nimport { z } from 'node:events';`],
    ['cli/demo.ts', `import { y } from '../testing/s3/index.js';`],
    ['cli/demo-server.ts', `import { y } from '../testing/s3/index.js';`],
  ])('allows in %s: %s', (path, text) => {
    expect(breachesOf(path, text)).toEqual([]);
  });
});
