// Builds the package anew in a temporary folder and packs it there, so that neither old files in dist/ nor a build that
// runs at the same moment can get into it.   node scripts/package/pack.mjs TARBALL
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [target] = process.argv.slice(2);
if (target === undefined) throw new Error('usage: node scripts/package/pack.mjs TARBALL');

const folder = mkdtempSync(join(tmpdir(), 'filecloudsync-pack-'));
try {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist')], {
    cwd: root,
    stdio: 'inherit',
  });
  execFileSync(process.execPath, [join(root, 'scripts', 'bundle-command.mjs'), join(folder, 'dist')], {
    stdio: 'inherit',
  });
  const single = manifest.files.filter((file) => !file.startsWith('!') && file !== 'dist');
  const missing = single.filter((file) => !existsSync(join(root, file)));
  if (missing.length > 0) throw new Error(`package.json lists files that are not there: ${missing.join(', ')}`);
  for (const file of ['package.json', ...single]) copyFileSync(join(root, file), join(folder, file));
  const lost = [...Object.values(manifest.bin), ...exported(manifest.exports)].filter(
    (file) => !existsSync(join(folder, file)),
  );
  if (lost.length > 0) throw new Error(`package.json points to files that the build does not make: ${lost.join(', ')}`);

  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts'], { cwd: folder, encoding: 'utf8' }),
  );
  copyFileSync(join(folder, packed.filename), target);
  const strangers = packed.files.filter(({ path }) => /\.test\.|\.map$|^src\//.test(path));
  if (strangers.length > 0)
    throw new Error(`does not belong into the package: ${strangers.map((one) => one.path).join(', ')}`);
  console.log(`= ${packed.files.length} files, ${(statSync(target).size / 1024).toFixed(0)} KiB packed`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Every file that the `exports` of a manifest lead to. */
function exported(value) {
  return typeof value === 'string' ? [value] : Object.values(value).flatMap(exported);
}
