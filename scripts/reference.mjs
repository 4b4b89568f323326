// Writes the reference pages from the tables in dist/. With --check, only says whether they are fresh (exit code 1 when not).
// Usage: npm run build && node scripts/reference.mjs [--check]
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { referencePages } = await import(new URL('../dist/cli/reference.js', import.meta.url));
const check = process.argv.includes('--check');

const stale = [];
for (const { path, text } of referencePages()) {
  const target = join(root, path);
  const found = await readFile(target, 'utf8').catch(() => undefined);
  if (found === text) continue;
  stale.push(path);
  if (check) continue;
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, text);
}

if (stale.length === 0) console.log('The reference pages are fresh.');
else if (check) {
  console.error(`Stale: ${stale.join(', ')}. Run: npm run build && node scripts/reference.mjs`);
  process.exitCode = 1;
} else console.log(`Written: ${stale.join(', ')}`);
