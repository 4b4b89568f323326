import type { Runtime } from '../../src/core/runtime.js';
import { createHttpTransport } from '../../src/replica/s3/http-transport.js';
import { createDefaultFileSystem } from '../../src/replica/local/default-file-system.js';
import { LevelDatabaseHome } from '../../src/store/level-database-home.js';
import { systemRuntime } from '../../src/s3/system-runtime.js';
import { countFetched, StepCounter, watchDatabaseHome, watchFileSystem, watchTransport } from './failpoints.js';
import { plainClient, runCommand, type CommandInput } from './run-command.js';
import { watchStateFiles } from './state-files.js';

/** What the process is told. */
export interface DriverInput extends CommandInput {
  /** The step before which it dies. */
  readonly killAt?: string;
}

const input = JSON.parse(process.argv[2] ?? '') as DriverInput;
const counter = new StepCounter();
const { clock } = systemRuntime;

/** Rows that come close together are not gathered by the time that passes: the steps are those of every other run. */
const promptly: Runtime = {
  ...systemRuntime,
  clock: { ...clock, sleep: (durationMs, signal) => clock.sleep(durationMs <= 40 ? 0 : durationMs, signal) },
};

const onStep = (step: string): void => {
  if (counter.next(step) === input.killAt) process.kill(process.pid, 'SIGKILL');
};

let fetchedBytes = 0;
const onFetched = (count: number): void => void (fetchedBytes += count);

watchStateFiles(input.stateDir, onStep);
const outcome = await runCommand(input, {
  runtime: promptly,
  fileSystem: watchFileSystem(createDefaultFileSystem(), input.folder, onStep),
  databaseHome: (directory) => watchDatabaseHome(new LevelDatabaseHome(directory, clock), onStep),
  transport: watchTransport(
    countFetched(createHttpTransport({ client: plainClient(input.endpoint), clock }), onFetched),
    onStep,
  ),
});
onStep('end');
process.stdout.write(JSON.stringify({ outcome, steps: counter.ids, fetchedBytes }));
