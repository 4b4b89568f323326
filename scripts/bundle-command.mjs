// Puts the modules of the command into a few files, dist/command/, and has dist/cli/run-process.js lead there: a process that reads
// two hundred files takes a fifth longer to its first request. Packages stay outside. The library is not touched.
//   node scripts/bundle-command.mjs [DIST]   after the compiler has written DIST
import { rmSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const dist = resolve(process.argv[2] ?? fileURLToPath(new URL('../dist', import.meta.url)));
rmSync(join(dist, 'command'), { recursive: true, force: true });
const bundle = await rolldown({
  input: { 'run-process': join(dist, 'cli', 'run-process.js') },
  platform: 'node',
  external: (name) => !name.startsWith('.') && !isAbsolute(name),
  logLevel: 'warn',
});
await bundle.write({
  dir: dist,
  format: 'esm',
  // As deep as the modules were, so that what is found relative to them is found.
  entryFileNames: 'cli/[name].js',
  chunkFileNames: 'command/[name]-[hash].js',
  // Nobody reads them here, and V8 would have to. Licences are in no comment of ours.
  comments: false,
});
await bundle.close();
