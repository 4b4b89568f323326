// Gives package-lock.json an entry for every optional package of another platform that it lacks.
//
// npm leaves such a package out when the registry it asked does not carry it (mirrors often hold one platform only), and
// `npm ci` then refuses the lock file on every platform. The entry holds what is known without asking: the exact version
// that the parent wants, and the platform, which is in the name. Run it after `npm install` where the test
// test/house/lockfile.test.ts asks for it.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32', 'aix', 'netbsd', 'openbsd', 'sunos'];
const processors = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el'];
const added = [];

for (const [parent, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const places = [`${parent}/node_modules/${name}`, `node_modules/${name}`];
    if (places.some((path) => lock.packages[path] !== undefined)) continue;
    const words = name.split(/[/-]/);
    const os = systems.filter((word) => words.includes(word));
    const cpu = processors.filter((word) => words.includes(word));
    if (!/^\d+\.\d+\.\d+$/.test(version) || os.length !== 1 || cpu.length > 1)
      throw new Error(
        `${name}@${version}, wanted by ${parent}, cannot be told from its name: install it where it is carried`,
      );
    const libc = words.includes('musl') ? ['musl'] : words.includes('gnu') ? ['glibc'] : undefined;
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(cpu.length > 0 && { cpu }),
      ...(dev === true && { dev }),
      ...(os[0] === 'linux' && libc !== undefined && { libc }),
      optional: true,
      os,
    };
    added.push(name);
  }
}

const [rootEntry, ...rest] = Object.entries(lock.packages);
rest.sort(([a], [b]) => a.localeCompare(b, 'en'));
lock.packages = Object.fromEntries([rootEntry, ...rest]);
if (added.length > 0) writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(added.length === 0 ? 'the lock file is complete' : `added ${added.length}: ${added.join(', ')}`);
