// Runs one program and tells what it cost: wall time, CPU seconds as the shell's `time` counts them, peak resident memory.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';

const MIB = 1024 * 1024;
/** How long one program may take before it is ended, in milliseconds. */
const LIMIT_MS = 30 * 60_000;

/**
 * @returns {Promise<{ exitCode: number, seconds: number, cpuSeconds: number, peakMiB: number, stdout: string, stderr: string }>}
 */
export async function measure(command, args, { env = {}, cwd } = {}) {
  // The shell's own report goes to descriptor 2, what the program writes to 3 and 4.
  const script = 'TIMEFORMAT="%R %U %S"; time "$@" 1>&3 2>&4 3>&- 4>&-';
  const child = spawn('bash', ['-c', script, 'bash', command, ...args], {
    cwd,
    env: { ...process.env, ...env, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
  });
  const texts = [2, 3, 4].map((descriptor) => collect(child.stdio[descriptor]));
  let peak = 0;
  const look = async () => {
    for (const pid of (await childrenOf(child.pid)).split(' ').filter(Boolean))
      peak = Math.max(peak, await peakOf(pid));
  };
  const watch = setInterval(() => void look(), 20);
  const limit = setTimeout(() => void endChildren(child.pid), LIMIT_MS);
  const [exitCode] = await once(child, 'close');
  clearInterval(watch);
  clearTimeout(limit);
  const [report, stdout, stderr] = await Promise.all(texts);
  const [seconds, user, system] = report.trim().split(/\s+/).slice(-3).map(Number);
  return { exitCode, seconds, cpuSeconds: user + system, peakMiB: peak / MIB, stdout, stderr };
}

async function collect(stream) {
  let text = '';
  for await (const chunk of stream) text = (text + chunk).slice(-1_000_000);
  return text;
}

function childrenOf(pid) {
  return readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
}

async function endChildren(pid) {
  for (const each of (await childrenOf(pid)).split(' ').filter(Boolean)) process.kill(Number(each), 'SIGKILL');
}

/** Highest resident memory of a process so far, in bytes; Linux only, 0 elsewhere. */
async function peakOf(pid) {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0) * 1024;
}
