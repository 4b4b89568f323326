// Installs the packed package as a user would and measures what stands then: size, packages, what `--help` costs, and
// that the library loads and every entry point of `exports` resolves.   node scripts/package/installed.mjs TARBALL
import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** What an installation may weigh (goal U4). */
const limits = { sizeMB: 40, packages: 60, helpCpuMs: 120 };
/** Times are the machine's mood: only a multiple of what Node alone takes fails, the goal in milliseconds is told. */
const helpOfNodeAlone = 3.5;
const helpRuns = 15;

const tarball = resolve(process.argv[2] ?? '');
const folder = mkdtempSync(join(tmpdir(), 'filecloudsync-installed-'));
try {
  writeFileSync(join(folder, 'package.json'), '{ "name": "a-user", "private": true, "type": "module" }\n');
  execFileSync(
    'npm',
    ['install', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline', tarball],
    { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const modules = join(folder, 'node_modules');
  const listed = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')).packages;
  const names = Object.keys(listed).filter((path) => path.startsWith('node_modules/') && !listed[path].extraneous);
  const sizes = names
    .filter((path) => !path.slice('node_modules/'.length).includes('/node_modules/'))
    .map((path) => [path.slice('node_modules/'.length), sizeOf(join(folder, path))])
    .toSorted((a, b) => b[1] - a[1]);
  const sizeMB = sizeOf(modules) / 1e6;
  const withScripts = names.filter((path) => listed[path].hasInstallScript);

  const manifest = JSON.parse(readFileSync(join(modules, 'filecloudsync', 'package.json'), 'utf8'));
  const [bin] = Object.values(manifest.bin);
  const help = cpuOf([join(modules, 'filecloudsync', bin), '--help']);
  const bare = cpuOf(['-e', '0']);
  for (const name of ['filecloudsync', 'filecloudsync/s3']) {
    const code = `const all = await import('${name}'); if (Object.keys(all).length === 0) throw new Error('nothing is exported')`;
    execFileSync(process.execPath, ['--input-type=module', '-e', code], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }

  console.log(
    sizes
      .slice(0, 12)
      .map(([name, bytes]) => `${(bytes / 1e6).toFixed(1).padStart(6)} MB  ${name}`)
      .join('\n'),
  );
  // `node-gyp-build` chooses among binaries that are in the package; without the script the same choice is made on load.
  console.log(`install scripts that a user may leave out: ${withScripts.join(', ') || 'none'}`);
  const figures = [
    ['installed size', sizeMB, limits.sizeMB, 'MB'],
    ['packages', names.length, limits.packages, ''],
    ['CPU of --help', help.leastMs, limits.helpCpuMs, 'ms'],
  ];
  for (const [what, value, limit, unit] of figures) {
    if (value <= limit) continue;
    console.error(`${what}: ${round(value)} ${unit}, and at most ${limit} ${unit} is wanted`);
    if (unit !== 'ms') process.exitCode = 1;
  }
  if (help.leastMs > helpOfNodeAlone * bare.leastMs) {
    console.error(
      `CPU of --help: more than ${helpOfNodeAlone} times that of Node alone; something heavy is loaded at once`,
    );
    process.exitCode = 1;
  }
  console.log(
    `= ${figures.map(([what, value, limit, unit]) => `${what} ${round(value)} of ${limit} ${unit}`.trim()).join(', ')} ` +
      `(median ${round(help.medianMs)} ms; node alone ${round(bare.leastMs)} ms, median ${round(bare.medianMs)} ms)`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function round(value) {
  return Math.round(value * 10) / 10;
}

/** Bytes of all files below a path; links are not followed. */
function sizeOf(path) {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/**
 * CPU time, user and system, of a Node process, as it reports itself when it exits. The least of the runs is what it
 * costs: whatever else the machine does makes a run dearer and none cheaper.
 */
function cpuOf(args) {
  const report = join(folder, 'cpu.json');
  const hook = join(folder, 'cpu-hook.cjs');
  writeFileSync(
    hook,
    `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(report)}, JSON.stringify(process.cpuUsage())));`,
  );
  const times = [];
  for (let run = 0; run < helpRuns; run += 1) {
    const { status, stderr } = spawnSync(process.execPath, ['--require', hook, ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
    const { user, system } = JSON.parse(readFileSync(report, 'utf8'));
    times.push((user + system) / 1000);
  }
  const sorted = times.toSorted((a, b) => a - b);
  return { leastMs: sorted[0], medianMs: sorted[Math.floor(helpRuns / 2)] };
}
