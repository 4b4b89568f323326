import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { sourceFilesBelow } from '../../scripts/source-files.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Builds the package for tests that start real processes, and answers the path of its command.
 *
 * Types are stripped, not checked, so that it takes a second and never depends on what an earlier build left behind.
 * The build is kept as long as no source changes, below `node_modules`, where the dependencies are found.
 */
export async function buildCommand(): Promise<string> {
  const sources = await readSources();
  const hash = createHash('sha256');
  for (const [path, text] of sources) hash.update(`${path}\0${text}\0`);
  const builds = join(ROOT, 'node_modules', '.cache', 'filecloudsync-test');
  const build = join(builds, hash.digest('hex').slice(0, 16));
  const main = join(build, 'dist', 'cli', 'main.cjs');
  if (await exists(main)) return main;
  await mkdir(builds, { recursive: true });
  const fresh = await mkdtemp(join(builds, 'new-'));
  for (const [path, text] of sources) {
    const target = join(fresh, 'dist', path.replace(/ts$/, 'js'));
    await mkdir(dirname(target), { recursive: true });
    const { outputText } = transpileModule(text, {
      compilerOptions: { target: ScriptTarget.ES2023, module: ModuleKind.ESNext, verbatimModuleSyntax: true },
    });
    await writeFile(target, outputText);
  }
  await copyFile(join(ROOT, 'package.json'), join(fresh, 'package.json'));
  // Another test file may have been quicker.
  await rename(fresh, build).catch(() => rm(fresh, { recursive: true, force: true }));
  await removeOld(builds);
  return main;
}

/** Builds of an hour ago are of sources that are gone; younger ones may be in use. */
async function removeOld(builds: string): Promise<void> {
  for (const name of await readdir(builds)) {
    const path = join(builds, name);
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > 3_600_000) await rm(path, { recursive: true, force: true });
  }
}

async function readSources(): Promise<[path: string, text: string][]> {
  const folder = join(ROOT, 'src');
  return Promise.all(
    sourceFilesBelow(folder).map(async (path): Promise<[string, string]> => [
      path,
      await readFile(join(folder, path), 'utf8'),
    ]),
  );
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}
