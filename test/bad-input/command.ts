import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildCommand } from '../cli/built-command.js';

/** What a run of the command left behind. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
  /** The lines of `--json`. */
  lines(): JsonLine[];
  /** The `error` line of `--json`. Throws when there is none. */
  error(): JsonLine;
}

/** One line of `--json`. */
export type JsonLine = Readonly<Record<string, unknown>> & { readonly type: string };

/** A run of the command. */
export interface Started {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves as soon as the output holds this text so many times (default once). */
  says(text: string, times?: number): Promise<void>;
}

/** How a run differs from the usual one. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Flags of Node.js itself. */
  readonly nodeFlags?: readonly string[];
  /** Without the rights of root over files, when the tests run as root. */
  readonly withoutPrivileges?: boolean;
  /** A run that takes longer is killed and fails the test. Default 60 s. */
  readonly deadlineMs?: number;
}

/** What must never appear in any output. */
export const SECRETS = ['sEcReT-kEy-0123456789', 'tOkEn-0123456789'] as const;

/** Keys that the embedded server lets in. */
export const KEYS = { accessKeyId: 'bad-input-key', secretAccessKey: SECRETS[0] };

/** Starts runs of the real command, in real processes. */
export class Command {
  readonly #main: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #cwd: string;

  private constructor(main: string, cwd: string, env: Readonly<Record<string, string | undefined>>) {
    this.#main = main;
    this.#cwd = cwd;
    this.#env = env;
  }

  static async build(cwd: string, env: Readonly<Record<string, string | undefined>>): Promise<Command> {
    return new Command(await buildCommand(), cwd, env);
  }

  /** Runs the command to its end. */
  run(argv: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return this.start(argv, options).ended;
  }

  start(argv: readonly string[], options: RunOptions = {}): Started {
    const node = [process.execPath, ...(options.nodeFlags ?? []), this.#main, ...argv];
    const [program = '', ...args] = options.withoutPrivileges === true ? withoutPrivileges(node) : node;
    const env = Object.fromEntries(
      Object.entries({ PATH: process.env['PATH'], ...this.#env, ...options.env }).filter(
        ([, value]) => value !== undefined,
      ),
    ) as Record<string, string>;
    const began = Date.now();
    const child = spawn(program, args, { cwd: options.cwd ?? this.#cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const deadlineMs = options.deadlineMs ?? 60_000;
    let late = false;
    const deadline = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, deadlineMs);
    let stdout = '';
    let stderr = '';
    const listeners = new Set<() => void>();
    const heard = (): void => {
      for (const look of listeners) look();
    };
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      heard();
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
      heard();
    });
    let over = false;
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(deadline);
        over = true;
        heard();
        const output = stdout + stderr;
        if (late) reject(new Error(`"${argv.join(' ')}" did not end within ${deadlineMs} ms: ${output}`));
        else if (SECRETS.some((secret) => holdsSecret(output, secret)))
          reject(new Error(`"${argv.join(' ')}" told a secret: ${output}`));
        else
          resolve({
            code,
            signal,
            stdout,
            stderr,
            elapsedMs: Date.now() - began,
            lines: () => jsonLines(stdout),
            error: () => errorLine(stdout, stderr),
          });
      });
    });
    // Whoever only waits for words must not be hit by an unheard rejection.
    ended.catch(() => {});
    return {
      pid: child.pid ?? 0,
      ended,
      kill: (signal) => void child.kill(signal),
      says: (text, times = 1) =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            if ((stdout + stderr).split(text).length > times) resolve();
            else if (over) reject(new Error(`ended and never said "${text}": ${stdout}${stderr}`));
            else return;
            listeners.delete(look);
          };
          listeners.add(look);
          look();
        }),
    };
  }
}

/** A preload for Node.js whose clock is off by so much. */
export function clockOffBy(ms: number): string[] {
  const file = fileURLToPath(new URL('shifted-clock.mjs', import.meta.url));
  readFileSync(file);
  return [
    '--import',
    `data:text/javascript,process.env.SHIFTED_CLOCK_MS=${encodeURIComponent(`"${ms}"`)}`,
    '--import',
    file,
  ];
}

/**
 * The same program without root's right to pass over the modes of files. Its files stay root's own, so that what it
 * needs of the project is readable wherever the project lies.
 */
function withoutPrivileges(command: readonly string[]): readonly string[] {
  if (process.getuid?.() !== 0) return command;
  return [
    'setpriv',
    '--bounding-set',
    '-dac_override,-dac_read_search',
    '--inh-caps',
    '-dac_override,-dac_read_search',
    ...command,
  ];
}

function holdsSecret(output: string, secret: string): boolean {
  const forms = [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    Buffer.from(secret).toString('hex'),
  ];
  return forms.some((form) => output.includes(form));
}

function jsonLines(stdout: string): JsonLine[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonLine);
}

function errorLine(stdout: string, stderr: string): JsonLine {
  const line = jsonLines(stdout).find(({ type }) => type === 'error');
  if (line === undefined) throw new Error(`no error was told: ${stdout}${stderr}`);
  return line;
}
