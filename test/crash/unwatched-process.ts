import { writeSync } from 'node:fs';
import { NewFilesThread } from '../../src/replica/local/new-files-thread.js';
import { runCommand, type CommandInput } from './run-command.js';
import { THREAD_STARTED } from './thread-started.js';

const { start } = NewFilesThread;
NewFilesThread.start = (...given) => {
  const thread = start(...given);
  // At once, even if the process is killed with the next step.
  if (thread !== undefined) writeSync(1, `${THREAD_STARTED}\n`);
  return thread;
};

const outcome = await runCommand(JSON.parse(process.argv[2] ?? '') as CommandInput);
process.stdout.write(`${JSON.stringify(outcome)}\n`);
