import { readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import ts from 'typescript';
import type { ConnectOptions } from './connect-options.js';
import type { MonitorOptions } from './monitor-options.js';
import { optionNames, optionRow, type optionTable, type OptionCall, type OptionName } from './option-table.js';
import type { SyncOptions } from './sync-options.js';

type NamesOf<Call extends OptionCall> = {
  [Name in OptionName]: Call extends (typeof optionTable)[Name]['calls'][number] ? Name : never;
}[OptionName];

const interfaces = new Map(
  ['sync-options.ts', 'monitor-options.ts', 'connect-options.ts'].flatMap((file) =>
    membersOf(new URL(file, import.meta.url)),
  ),
);

describe('optionTable', () => {
  it('has exactly the options of the interfaces, for each call', () => {
    expectTypeOf<NamesOf<'sync'>>().toEqualTypeOf<keyof SyncOptions>();
    expectTypeOf<NamesOf<'checkChanges'>>().toEqualTypeOf<keyof SyncOptions>();
    expectTypeOf<NamesOf<'Monitor'>>().toEqualTypeOf<keyof MonitorOptions>();
    expectTypeOf<NamesOf<'connect'>>().toEqualTypeOf<keyof ConnectOptions>();
    expect([...interfaces.keys()].toSorted()).toEqual(optionNames().toSorted());
    expect(optionNames().length).toBeGreaterThanOrEqual(28);
  });

  it.each(optionNames())('%s has a check, a default in words, a help line and a reference', (name) => {
    const row = optionRow(name);
    expect(row.calls.length).toBeGreaterThan(0);
    expect(row.type).not.toBe('');
    expect(row.defaultText).not.toBe('');
    expect(row.help.length).toBeLessThanOrEqual(90);
    expect(row.help).not.toMatch(/\.$|\n/);
    expect(row.reference).toMatch(/\.$/);
    expect(row.reference.length).toBeGreaterThan(row.help.length);
    if (row.default !== undefined) {
      expect(row.check(row.default)).toBeUndefined();
      expect(row.defaultText).toBe(textOf(row.default));
    }
    expect(row.check(Symbol('nothing takes this'))).toMatch(/^must be /);
  });

  it.each(optionNames())('%s has a flag and a variable, or says why it has none', (name) => {
    const row = optionRow(name);
    if (row.flag === undefined) {
      expect(row.reference).toMatch(/[Cc]ommand line|no flag/);
      return;
    }
    expect(row.flag).toMatch(/^--[a-z][a-z-]*( (<[a-zA-Z]+(\.\.\.)?>|\[[a-z]+\]))?$/);
    expect(row.environment).toMatch(/^(FILECLOUDSYNC|S3)_[A-Z_]+$/);
    expect(row.flag.startsWith('--no-')).toBe(row.kind === 'boolean' && row.default !== false);
  });

  it('gives no flag and no variable to two options', () => {
    for (const field of ['flag', 'environment'] as const) {
      const given = optionNames().flatMap((name) => optionRow(name)[field]?.split(' ')[0] ?? []);
      expect(new Set(given).size).toBe(given.length);
    }
  });

  it('has no flag for what must not be seen in the list of processes', () => {
    for (const name of ['accessKeyId', 'secretAccessKey', 'sessionToken'] as const)
      expect(optionRow(name).flag).toBeUndefined();
  });

  it.each([
    ['maxDelete', '25%', 0.25],
    ['maxDelete', '0.1', 0.1],
    ['trashDays', 'never', Number.POSITIVE_INFINITY],
    ['readonly', 'yes', true],
    ['probe', '0', false],
    ['remove', 'force', 'force'],
    ['files', 'a,b\nc\n', ['a,b', 'c']],
    ['bandwidth', '10MiB', '10MiB'],
  ] as const)('reads %s from the text %j', (name, text, value) => {
    const parsed = optionRow(name).parse(text);
    expect(parsed).toEqual(value);
    expect(optionRow(name).check(parsed)).toBeUndefined();
  });

  it.each([
    ['concurrency', 'many'],
    ['concurrency', ''],
    ['readonly', 'perhaps'],
    ['maxDelete', '140%'],
    ['bandwidth', '10 apples'],
    ['delaySeconds', '0'],
  ] as const)('refuses %s from the text %j', (name, text) => {
    expect(optionRow(name).check(optionRow(name).parse(text))).toMatch(/^must be /);
  });
});

describe('the docstrings of the options', () => {
  it.each([...interfaces])('%s has a default and an example', (_name, docs) => {
    expect(docs).toContain('Default: ');
    expect(docs).toContain('@example');
    expect(docs).toContain("from 'filecloudsync'");
  });

  it.each([...interfaces])('%s tells the same default as the table', (name, docs) => {
    const row = optionRow(name as OptionName);
    if (row.default !== undefined) expect(docs).toMatch(new RegExp(`Default: [\`']*${textOf(row.default)}`));
  });
});

/** A default as a reader sees it. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function membersOf(file: URL): [name: string, docs: string][] {
  const source = ts.createSourceFile(file.pathname, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023, true);
  const members: [string, string][] = [];
  source.forEachChild((node) => {
    if (!ts.isInterfaceDeclaration(node)) return;
    for (const member of node.members) {
      if (ts.isPropertySignature(member)) members.push([member.name.getText(), member.getFullText()]);
    }
  });
  return members;
}
