import { optionNames, optionRow } from '../s3/option-table.js';
import { EXIT_CODES } from './exit-code.js';
import { longFlag } from './table-options.js';

const SAFETY = `What filecloudsync does so that nothing is lost

  A version is never destroyed. What is replaced or deleted in the folder, and
  what loses a conflict, goes to .filecloudsync/trash in the folder and stays
  there for --trash-days (30). Look with "filecloudsync trash", bring it back
  with "filecloudsync restore".

  Looking comes first. "filecloudsync plan" shows what sync would do.

  A side that vanished deletes nothing. A folder that is missing or suddenly
  empty, a listing that failed, a run that would delete more than --max-delete:
  the run halts before it changes anything, with exit code 10.

  Several machines may share a bucket. A file is replaced in the bucket only if
  it still is the version that was seen. Where a service cannot promise that,
  contents are checked again before and after each write.

  An edit beats a deletion. A file that one side changed and the other deleted
  comes back.

  Two edits are a conflict. --conflict says who wins (newest); keep-both keeps
  the other version beside it; manual leaves both until you decide, with
  "filecloudsync conflicts" and "filecloudsync resolve".

  Stopping is safe at any moment, even kill -9: run the same command again.
`;

/** Pages of `filecloudsync help`, by their names. */
export const TOPICS: Readonly<Record<string, string | undefined>> = {
  safety: SAFETY,
  environment: environmentPage(),
  'exit-codes': `Exit codes\n\n${EXIT_CODES.map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`).join('\n')}

  "watch" that was asked to end gives the code of its last cycle; 130 when it
  was cancelled.
`,
};

function environmentPage(): string {
  const rows = optionNames().flatMap((name) => {
    const row = optionRow(name);
    return row.environment === undefined
      ? []
      : [[row.environment, row.flag === undefined ? row.help : `as ${longFlag(row.flag)}`] as const];
  });
  const width = Math.max(...rows.map(([name]) => name.length));
  return `Environment: counts where the flag is absent; an empty variable counts as not set

${rows.map(([name, help]) => `  ${name.padEnd(width)}  ${help}`).join('\n')}
  ${'NO_COLOR'.padEnd(width)}  no colours

  Switches take true, 1, yes, on, or false, 0, no, off. Lists take one item a line.
  A variable named after a --no- flag (such as FILECLOUDSYNC_PROBE) takes false to switch off.
`;
}
