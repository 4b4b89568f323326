import { readFileSync } from 'node:fs';
import { systemRuntime } from '../s3/system-runtime.js';
import type { CommandDependencies } from './dependencies.js';
import { gatherOutput, type GatheredOutput } from './gather-output.js';
import { runCommand } from './run-command.js';
import type { TextOutput } from './screen.js';
import type { StopSignal } from './stop-signals.js';

/** Runs the command line of this process and ends the process with its exit code. */
export async function runProcess(): Promise<void> {
  const output = gatherOutput(untilClosed(process.stdout));
  const exitCode = await runCommand(process.argv.slice(2), processDependencies(output));
  output.flush();
  // What is still written to a slow pipe is let out first; what is left open elsewhere does not keep the process.
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
  process.exit(exitCode);
}

function processDependencies(stdout: GatheredOutput): CommandDependencies {
  const { clock } = systemRuntime;
  const stderr = untilClosed(process.stderr);
  return {
    // Loaded when they are needed: help and version answer without the client library and the database.
    openPair: async (...given) => (await import('../s3/open-port.js')).openRealPair(...given),
    connect: async (options) => {
      const [{ connectSlim }, { preloadRealPair }] = await Promise.all([
        import('../s3/connect-slim.js'),
        import('../s3/open-port.js'),
      ]);
      // The next thing that is needed, and there is time until the service answers.
      return connectSlim(options, preloadRealPair);
    },
    createMonitor: async (bucket, folder, options) => {
      const { Monitor } = await import('../s3/monitor.js');
      return new Monitor(bucket, folder, options);
    },
    startDemoWorld: async (options) =>
      (await import('./demo/start-demo-world.js')).startDemoWorld({ ...options, clock }),
    stdout,
    stderr: {
      write: (text) => {
        stdout.flush();
        stderr.write(text);
      },
    },
    env: process.env,
    cwd: process.cwd(),
    clock,
    isTTY: { stdin: isTerminal(process.stdin), stdout: isTerminal(process.stdout), stderr: isTerminal(process.stderr) },
    columns: terminalColumns,
    onSignal: listenToSignals,
    ask: askPerson,
    exit(code) {
      stdout.flush();
      process.exit(code);
    },
    version: readVersion(),
  };
}

/** `isTTY` is missing, not false, on everything that is no terminal. */
function isTerminal(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true;
}

/** Some terminals do not know their width, and say 0. */
function terminalColumns(): number {
  return [process.stderr.columns, process.stdout.columns].find((columns) => columns > 0) ?? 80;
}

/** A reader that goes away (`| head`) ends the output, not the work. */
function untilClosed(stream: NodeJS.WriteStream): TextOutput {
  let open = true;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EOF' && error.code !== 'EIO') throw error;
    open = false;
  });
  return {
    write: (text) => {
      if (open) stream.write(text);
    },
  };
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}

function listenToSignals(listener: (signal: StopSignal) => void): () => void {
  const signals: readonly StopSignal[] = ['SIGINT', 'SIGTERM'];
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

async function askPerson(question: string, signal: AbortSignal): Promise<string | undefined> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // On a terminal the line reader takes Ctrl-C for itself.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const ended = new Promise<undefined>((resolve) => {
    lines.on('close', () => resolve(undefined));
  });
  try {
    return await Promise.race([lines.question(question, { signal }), ended]);
  } finally {
    lines.close();
  }
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
  return typeof version === 'string' ? version : 'unknown';
}
