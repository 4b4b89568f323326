import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/command-table.js';
import { EXIT_CODES } from '../../src/cli/exit-code.js';
import { optionNames, optionRow } from '../../src/s3/option-table.js';
import { run } from './harness.js';

describe('--help', () => {
  it('reads like this', async () => {
    const ran = await run(['--help']);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toMatchSnapshot();
  });

  it.each(COMMANDS.map(({ name }) => name))('of %s reads like this', async (name) => {
    const ran = await run([name, '--help']);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toMatchSnapshot();
    expect((await run(['help', name])).stdout).toBe(ran.stdout);
  });

  it.each(['safety', 'environment', 'exit-codes'])('about %s reads like this', async (topic) => {
    expect((await run(['help', topic])).stdout).toMatchSnapshot();
  });

  it('names every exit code and every variable', async () => {
    const help = (await run(['--help'])).stdout;
    for (const { code, meaning } of EXIT_CODES) expect(help).toContain(`${String(code).padStart(3)}  ${meaning}`);
    const variables = (await run(['help', 'environment'])).stdout;
    for (const name of optionNames()) expect(variables).toContain(optionRow(name).environment ?? '');
  });

  it('fits the terminal', async () => {
    for (const argv of [['--help'], ['sync', '--help'], ['watch', '--help'], ['help', 'safety']]) {
      const { stdout } = await run(argv, { terminal: true, columns: 80 });
      // An example is to be copied: it is never broken.
      const prose = stdout.split('\n').filter((line) => !/^ {2}(filecloudsync|source) /.test(line));
      expect(prose.filter((line) => [...line].length > 80)).toEqual([]);
    }
  });

  it('tells the version', async () => {
    expect((await run(['--version'])).stdout).toBe('1.2.3\n');
  });
});

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('for %s knows every command and its flags', async (shell) => {
    const { stdout, code } = await run(['completion', shell]);
    expect(code).toBe(0);
    for (const { name } of COMMANDS) expect(stdout).toContain(name);
    expect(stdout).toContain('purge-older-than');
    expect(stdout).toContain('keep-both');
  });

  const complete = (words: readonly string[], script: string): string[] => {
    const line = words.map((word) => `'${word}'`).join(' ');
    const done = spawnSync('bash', [
      '-c',
      `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _filecloudsync; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ]);
    expect(done.stderr.toString()).toBe('');
    return done.stdout
      .toString()
      .split('\n')
      .filter((word) => word !== '');
  };

  it.runIf(spawnSync('bash', ['--version']).status === 0)(
    'for bash completes commands, flags, choices and folders',
    async () => {
      const { stdout } = await run(['completion', 'bash']);
      expect(complete(['filecloudsync', 'sy'], stdout)).toEqual(['sync']);
      expect(complete(['filecloudsync', 'watch', '--del'], stdout)).toEqual(['--delay']);
      expect(complete(['filecloudsync', 'sync', '--del'], stdout)).toEqual([]);
      expect(complete(['filecloudsync', 'resolve', '.', 's3://b', 'p', '--use', 'k'], stdout)).toEqual(['keep-both']);
      expect(complete(['filecloudsync', 'sync', 'src/cl'], stdout)).toEqual(['src/cli']);
      expect(complete(['filecloudsync', 'completion', 'z'], stdout)).toEqual(['zsh']);
    },
  );
});
