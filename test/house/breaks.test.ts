import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url);

interface Break {
  readonly name: string;
  readonly file: string;
  readonly find: string;
}

const { BREAKS } = (await import(new URL('test/proofs/breaks.mjs', ROOT).href)) as { BREAKS: readonly Break[] };

describe('the table of breaks', () => {
  it.each(BREAKS)('knows where the protection is: $name', ({ file, find }) => {
    expect(readFileSync(new URL(file, ROOT), 'utf8').split(find)).toHaveLength(2);
  });

  it('says in docs/safety.md what found each', () => {
    const page = readFileSync(new URL('docs/safety.md', ROOT), 'utf8');
    const missing = BREAKS.filter(({ name }) => !page.includes(`\n| ${name} | `)).map(({ name }) => name);
    expect(missing, 'run: npm run prove -- breaks WORD --write').toEqual([]);
  });
});
