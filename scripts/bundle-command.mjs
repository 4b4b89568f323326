// Puts the modules of the command into a few files, dist/command/, and has dist/cli/run-process.js lead there: a process that reads
// two hundred files takes a fifth longer to its first request. Packages stay outside. The library is not touched.
//   node scripts/bundle-command.mjs [DIST]   after the compiler has written DIST
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const dist = resolve(process.argv[2] ?? fileURLToPath(new URL('../dist', import.meta.url)));
rmSync(join(dist, 'command'), { recursive: true, force: true });

/** Packages in the module format of old. To import one, Node.js looks through its text for what it exports: 0.07 s of a processor. */
const REQUIRED = ['classic-level', 'ignore'];
const require = createRequire(import.meta.url);

/** Has those packages required, and their exports named here. */
const requireInstead = {
  name: 'require-instead',
  resolveId: (name) => (REQUIRED.includes(name) ? `\0${name}` : undefined),
  load(id) {
    const name = id.slice(1);
    if (!REQUIRED.includes(name)) return undefined;
    const exported = require(name);
    const names = Object.keys(exported).filter((each) => each !== 'default' && /^[A-Za-z]\w*$/.test(each));
    return [
      `import { createRequire } from 'node:module';`,
      `const exported = createRequire(import.meta.url)('${name}');`,
      `export default exported;`,
      ...names.map((each) => `export const ${each} = exported.${each};`),
    ].join('\n');
  },
};

const bundle = await rolldown({
  input: { 'run-process': join(dist, 'cli', 'run-process.js') },
  platform: 'node',
  external: (name) => !/^[.\0]/.test(name) && !isAbsolute(name) && !REQUIRED.includes(name),
  plugins: [requireInstead],
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
