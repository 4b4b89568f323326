import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/command-table.js';
import { EXIT_CODES } from '../../src/cli/exit-code.js';
import { JSON_LINES } from '../../src/cli/json-schema.js';
import { referencePages } from '../../src/cli/reference.js';
import { optionNames, optionRow } from '../../src/s3/option-table.js';

describe('the reference pages', () => {
  it.each(referencePages())('$path is fresh (else: npm run build && node scripts/reference.mjs)', ({ path, text }) => {
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('name every command, option, variable, exit code and line', () => {
    const [reference = '', json = ''] = referencePages().map(({ text }) => text);
    for (const { name } of COMMANDS) expect(reference).toContain(`### \`filecloudsync ${name}\``);
    for (const name of optionNames()) {
      expect(reference).toContain(`### ${name}\n`);
      expect(reference).toContain(optionRow(name).environment ?? '');
    }
    for (const { code } of EXIT_CODES) expect(reference).toContain(`| ${code} | `);
    for (const type of Object.keys(JSON_LINES)) expect(json).toContain(`| \`${type}\` |`);
  });

  it('have links that lead somewhere', () => {
    const [reference = ''] = referencePages().map(({ text }) => text);
    const headings = new Set(
      [...reference.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
        title.toLowerCase().replaceAll('`', '').replaceAll(' ', '-'),
      ),
    );
    for (const [, target = ''] of reference.matchAll(/\]\(#([^)]*)\)/g)) expect(headings).toContain(target);
  });
});
