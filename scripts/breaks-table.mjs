// The table of docs/safety.md: which break was found by what, and in which case.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { BREAKS } from '../test/proofs/breaks.mjs';

const BEGIN = '<!-- breaks: written by `npm run prove -- breaks --write` -->';
const END = '<!-- end of breaks -->';
const HEAD = ['| Protection that was taken out | Found by |', '|---|---|'];

/**
 * Puts what found breaks into docs/safety.md. Rows of breaks that were not tried stay, those of breaks that are gone go.
 *
 * @param {ReadonlyMap<string, string>} found what found each, in words, by the name of the break.
 */
export function writeBreaksTable(root, found) {
  const page = path.join(root, 'docs', 'safety.md');
  const text = readFileSync(page, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${page} has no place for the table: ${BEGIN} … ${END}`);
  const rows = new Map([...readTable(text.slice(begin, end)), ...found]);
  const lines = BREAKS.flatMap(({ name }) => (rows.has(name) ? [`| ${name} | ${rows.get(name)} |`] : []));
  const table = [BEGIN, '', ...HEAD, ...lines, '', ''].join('\n');
  writeFileSync(page, text.slice(0, begin) + table + text.slice(end));
}

/** The rows of a table, by name. */
function readTable(table) {
  const lines = table.split('\n').filter((line) => line.startsWith('| ') && !HEAD.includes(line));
  return lines.map((line) => line.slice(2, -2).split(' | ', 2));
}
