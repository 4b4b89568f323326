import type { CycleResult } from '../../session/result.js';
import { type CommandContext, listener } from '../context.js';
import { displayPath } from '../escape-text.js';
import { lineOfResult } from '../event-line.js';
import { summaryText } from '../event-text.js';
import { EXIT, type ExitCode, exitCodeOfCycle, exitCodeOfError } from '../exit-code.js';
import { formatTime } from '../format.js';

const DEFAULT_DELAY_SECONDS = 60;

/** `watch`: keeps both sides the same until it is asked to stop. */
export async function runWatch(context: CommandContext): Promise<ExitCode> {
  const { dependencies, reporter, stops, style, log } = context;
  const names = context.pairNames();
  const delaySeconds = context.options.monitor.delaySeconds ?? DEFAULT_DELAY_SECONDS;
  const tell = listener(context);
  let last: CycleResult | undefined;
  let files = 0;
  let failure: unknown;
  let started = false;

  const monitor = await dependencies.createMonitor(names.address, names.folder, {
    ...context.options.monitor,
    signal: stops.hard,
    onProgress: (event) => {
      tell(event);
      if (event.type !== 'end') return;
      const { result } = event;
      last = result;
      failure = undefined;
      // A cycle in which nothing happened is not worth a line for people, except the first.
      const worth = !started || result.counts.changes > 0 || exitCodeOfCycle(result) !== EXIT.done;
      reporter.result(lineOfResult(result), () => (worth ? summaryText(result, style) : ''));
      if (result.touchedPaths === undefined) files = Math.max(result.localFiles, result.remoteFiles);
      reporter.idle(idleText(files, result.endedAtMs));
    },
  });
  monitor.on('error', (error) => {
    failure = error;
    if (stops.hard.aborted) return;
    log?.error(error);
    reporter.error(error);
  });

  const asked = new Promise<void>((resolve) => {
    stops.soft.addEventListener('abort', () => resolve(), { once: true });
  });
  reporter.result({ type: 'watching', folder: names.folder, bucket: names.address, delaySeconds }, () =>
    style.faint(`Watching ${displayPath(names.folder)} and ${displayPath(names.address)}. Ctrl-C ends it.`),
  );
  stops.beginWork();
  // A monitor that cannot even begin rejects here, and the command fails.
  const starting = monitor.start();
  await Promise.race([starting, asked]);
  started = true;
  await Promise.race([asked, monitor.finished]);
  reporter.idle(undefined);
  await monitor.stop();
  if (stops.hard.aborted) return EXIT.stopped;
  await starting;
  if (failure !== undefined) return exitCodeOfError(failure);
  return last === undefined ? EXIT.done : exitCodeOfCycle(last);
}

function idleText(files: number, endedAtMs: number): string {
  return `Watching ${files} ${files === 1 ? 'file' : 'files'}; last look ${formatTime(endedAtMs)}`;
}
