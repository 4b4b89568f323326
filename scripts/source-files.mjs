// What counts as a source file of ours, for whoever goes through all of them: scripts and tests alike.
import { readdirSync } from 'node:fs';

const isTest = (path) => path.endsWith('.test.ts');

function typeScriptBelow(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.c?ts$/.test(path))
    .toSorted();
}

export function sourceFilesBelow(folder) {
  return typeScriptBelow(folder).filter((path) => !isTest(path));
}

export function testFilesBelow(folder) {
  return typeScriptBelow(folder).filter(isTest);
}
