import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCommand } from './built-command.js';

let main = '';
const place = mkdtempSync(join(tmpdir(), 'filecloudsync-process-'));

beforeAll(async () => {
  main = await buildCommand();
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(
  argv: readonly string[],
  nodeFlags: readonly string[] = [],
  poolSize?: string,
): { child: ChildProcess; ended: Promise<Ended> } {
  const env = {
    PATH: process.env['PATH'],
    HOME: place,
    FILECLOUDSYNC_STATE_DIR: join(place, 'state'),
    ...(poolSize !== undefined && { UV_THREADPOOL_SIZE: poolSize }),
  };
  const child = spawn(process.execPath, [...nodeFlags, main, ...argv], { cwd: place, env });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => (stdout += chunk));
  child.stderr?.on('data', (chunk) => (stderr += chunk));
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}

describe('the command as a process', () => {
  it('answers --version and --help, and says nothing else', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(await start(['--version']).ended).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    const help = await start(['--help']).ended;
    expect([help.code, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toContain('Usage: filecloudsync');
  });

  it('loads neither the client library, nor the HTTP client, nor the database for --help', async () => {
    const probe = join(place, 'probe.mjs');
    writeFileSync(
      probe,
      `import { register } from 'node:module';
register('data:text/javascript,' + encodeURIComponent(\`
  import { appendFileSync } from 'node:fs';
  export async function load(url, context, next) { appendFileSync(\${JSON.stringify(${JSON.stringify(join(place, 'loaded'))})}, url + '\\\\n'); return next(url, context); }
\`));
`,
    );
    const { code } = await start(['--help'], ['--import', probe]).ended;
    const loaded = readFileSync(join(place, 'loaded'), 'utf8').split('\n');
    expect(code).toBe(0);
    expect(loaded.some((url) => url.includes('/commander/'))).toBe(true);
    expect(loaded.filter((url) => /\/node_modules\/(?!\.cache\/|commander\/)/.test(url))).toEqual([]);
    expect(loaded.length).toBeLessThan(60);
  });

  it('says which Node.js it needs when this one is too old', async () => {
    const probe = join(place, 'old.mjs');
    writeFileSync(probe, `Object.defineProperty(process.versions, 'node', { value: '20.18.3' });`);
    const { code, stderr } = await start(['--help'], ['--import', probe]).ended;
    expect(code).toBe(1);
    expect(stderr).toBe(
      'filecloudsync needs Node.js 20.19 or newer; this is 20.18.3. Install a newer one from https://nodejs.org.\n',
    );
  });

  it.each([
    ['16', 'nobody says how many', undefined],
    ['16', 'what is said is empty', ''],
    ['4', 'that is said', '4'],
  ])('tells Node.js to take %s threads for the disk where %s', async (expected, _where, size) => {
    const probe = join(place, 'pool-size.cjs');
    writeFileSync(
      probe,
      `const { writeSync } = require('node:fs');
process.on('exit', () => writeSync(2, String(process.env.UV_THREADPOOL_SIZE)));`,
    );
    expect(await start(['--version'], ['--require', probe], size).ended).toMatchObject({ code: 0, stderr: expected });
  });

  it.skipIf(process.platform !== 'linux')(
    'makes files durable with 16 threads, unless it is told how many',
    async () => {
      const probe = join(place, 'threads.cjs');
      writeFileSync(
        probe,
        `const { readdirSync, stat } = require('node:fs');
process.on('exit', () => process.stderr.write(String(readdirSync('/proc/self/task').length)));
const { exit } = process;
process.exit = (code) => stat('/', () => exit(code));`,
      );
      const threads = async (size?: string): Promise<number> => {
        const { stderr } = await start(['--version'], ['--require', probe], size).ended;
        return Number(stderr);
      };
      expect((await threads()) - (await threads('4'))).toBe(12);
      expect(await threads('')).toBe(await threads('16'));
    },
  );

  it('ends with 2 for wrong usage', async () => {
    expect((await start(['sync']).ended).code).toBe(2);
  });

  it('does not mind a reader that goes away', async () => {
    const { child, ended } = start(['help', 'environment']);
    child.stdout?.destroy();
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('can be started by a link, as npm installs it', () => {
    const text = readFileSync(main, 'utf8');
    expect(text.startsWith('#!/usr/bin/env node\n')).toBe(true);
    expect(dirname(main).endsWith(join('dist', 'cli'))).toBe(true);
  });
});
