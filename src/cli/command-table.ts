import { optionNames, type OptionName } from '../s3/option-table.js';
import type { CommandRun } from './context.js';
import { COMMON_FLAGS, type FlagRow } from './flag-row.js';
import { parseAge } from './parse-age.js';

/** One argument of a command. */
export interface ArgumentRow {
  readonly name: string;
  readonly help: string;
  readonly choices?: readonly string[];
  /** May be missing. */
  readonly optional?: boolean;
  /** Takes all that is left. */
  readonly variadic?: boolean;
}

/** One command: all that its help, the completion scripts, the reference page and the runner know about it. */
export interface CommandRow {
  readonly name: string;
  readonly group: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** A few sentences for the command's own help. */
  readonly description: string;
  readonly arguments: readonly ArgumentRow[];
  /** The options of the library that it takes. */
  readonly options: readonly OptionName[];
  /** Its own flags, by their names in the code. */
  readonly flags: Readonly<Record<string, FlagRow>>;
  readonly examples: readonly string[];
  /** The folder must be there before the command begins. */
  readonly needsFolder?: boolean;
  readonly load: () => Promise<CommandRun>;
}

const FOLDER: ArgumentRow = { name: 'folder', help: 'the folder on this machine' };
const BUCKET: ArgumentRow = { name: 'bucket', help: 'the bucket, as s3://bucket or s3://bucket/prefix' };
const PAIR: readonly ArgumentRow[] = [FOLDER, BUCKET];
const CONNECT = optionNames('connect').filter((name) => name !== 'bucket');

/** What names a pair, and how it is reached. */
const LOOK: readonly OptionName[] = ['prefix', 'stateDir', 'allowOverlap', ...CONNECT];
const CARRY: readonly OptionName[] = [
  'prefix',
  'include',
  'exclude',
  'readonly',
  'partSizeMiB',
  'bandwidth',
  'probe',
  'stateDir',
  'allowOverlap',
  ...CONNECT,
];

const share: FlagRow['parse'] = (text) => {
  const value = text.trim().endsWith('%') ? Number(text.trim().slice(0, -1)) / 100 : Number(text);
  const good = text.trim() !== '' && value >= 0 && value <= 1;
  return good ? { value } : { error: `must be a share from 0 to 1 (or 10%), not ${JSON.stringify(text)}` };
};

const age: FlagRow['parse'] = (text) => {
  const value = parseAge(text);
  return value === undefined
    ? { error: `must be an age such as 30d, 12h, 90m or 2w, not ${JSON.stringify(text)}` }
    : { value };
};

const port: FlagRow['parse'] = (text) => {
  const value = Number(text);
  const good = /^\d+$/.test(text) && value <= 65_535;
  return good ? { value } : { error: `must be a port from 0 (any free one) to 65535, not ${JSON.stringify(text)}` };
};

const YES: FlagRow = { flag: '-y, --yes', help: 'do not ask' };

/** All commands, in the order of the help. */
export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'sync',
    group: 'Keep the same:',
    summary: 'make folder and bucket the same, once',
    description:
      'Carries every change of the folder to the bucket and every change of the bucket to the folder. What is replaced or deleted in the folder goes to the trash. Stopped at any moment, it goes on where it was when you run it again.',
    arguments: PAIR,
    options: [...optionNames('sync'), ...CONNECT],
    flags: COMMON_FLAGS,
    needsFolder: true,
    examples: [
      'filecloudsync sync photos s3://my-bucket/photos',
      "filecloudsync sync photos s3://my-bucket --exclude '*.tmp' --conflict keep-both",
      'filecloudsync sync photos s3://my-bucket --json | jq -r .type',
    ],
    load: async () => (await import('./commands/sync.js')).runSync,
  },
  {
    name: 'watch',
    group: 'Keep the same:',
    summary: 'keep them the same until you stop it',
    description:
      'Carries local changes as they happen, and looks at the bucket every --delay seconds. A failure never ends it: it says so and tries again. The first Ctrl-C runs a last cycle and ends with the exit code of that cycle.',
    arguments: PAIR,
    options: optionNames('Monitor'),
    flags: COMMON_FLAGS,
    needsFolder: true,
    examples: [
      'filecloudsync watch photos s3://my-bucket/photos --delay 10',
      'filecloudsync watch photos s3://my-bucket --json --log /var/log/photos.jsonl',
    ],
    load: async () => (await import('./commands/watch.js')).runWatch,
  },
  {
    name: 'plan',
    group: 'Look, touch nothing:',
    summary: 'show what sync would do, and whether it would halt',
    description: 'Looks at both sides and says what sync would do. Changes nothing. Exit code 10 when sync would halt.',
    arguments: PAIR,
    options: [...optionNames('checkChanges'), ...CONNECT],
    flags: COMMON_FLAGS,
    needsFolder: true,
    examples: ['filecloudsync plan photos s3://my-bucket/photos'],
    load: async () => (await import('./commands/plan.js')).runPlan,
  },
  {
    name: 'status',
    group: 'Look, touch nothing:',
    summary: 'what is remembered: last run, waiting conflicts, trash',
    description: 'Says what is known about the pair, without looking at either side.',
    arguments: PAIR,
    options: LOOK,
    flags: COMMON_FLAGS,
    examples: ['filecloudsync status photos s3://my-bucket/photos'],
    load: async () => (await import('./commands/status.js')).runStatus,
  },
  {
    name: 'verify',
    group: 'Look, touch nothing:',
    summary: 'compare both sides by content',
    description:
      'Compares folder, bucket and what is remembered about them. Changes nothing. Exit code 3 when anything differs.',
    arguments: PAIR,
    options: [...LOOK, 'files', 'include', 'exclude', 'concurrency', 'bandwidth'],
    flags: {
      sample: {
        flag: '--sample <share>',
        help: 'share of the files compared by content, 0 to 1 or 10% (default: 1)',
        parse: share,
      },
      ...COMMON_FLAGS,
    },
    needsFolder: true,
    examples: ['filecloudsync verify photos s3://my-bucket/photos --sample 10%'],
    load: async () => (await import('./commands/verify.js')).runVerify,
  },
  {
    name: 'conflicts',
    group: 'Decide and undo:',
    summary: 'list conflicts that wait for you',
    description: 'Lists the conflicts that wait for a person (--conflict manual). Exit code 4 when there are any.',
    arguments: PAIR,
    options: LOOK,
    flags: COMMON_FLAGS,
    examples: ['filecloudsync conflicts photos s3://my-bucket/photos'],
    load: async () => (await import('./commands/conflicts.js')).runConflicts,
  },
  {
    name: 'resolve',
    group: 'Decide and undo:',
    summary: 'settle one waiting conflict',
    description:
      'Settles one waiting conflict. The version that does not count goes to the trash; keep-both keeps it under a conflict name.',
    arguments: [...PAIR, { name: 'path', help: 'the path of the conflict, as `conflicts` shows it' }],
    options: CARRY,
    flags: {
      use: {
        flag: '--use <side>',
        help: 'which version counts: local, bucket or keep-both',
        choices: ['local', 'bucket', 'keep-both'],
      },
      ...COMMON_FLAGS,
    },
    needsFolder: true,
    examples: ['filecloudsync resolve notes s3://my-bucket/notes todo.md --use local'],
    load: async () => (await import('./commands/resolve.js')).runResolve,
  },
  {
    name: 'trash',
    group: 'Decide and undo:',
    summary: 'list kept versions, or delete old ones for good',
    description:
      'Lists the versions that were replaced, deleted or lost a conflict, oldest first. With --purge-older-than, deletes the old ones for good, after asking.',
    arguments: PAIR,
    options: LOOK,
    flags: {
      purgeOlderThan: {
        flag: '--purge-older-than <age>',
        help: 'delete versions older than 30d, 12h, 2w for good',
        parse: age,
      },
      yes: YES,
      ...COMMON_FLAGS,
    },
    examples: [
      'filecloudsync trash photos s3://my-bucket/photos',
      'filecloudsync trash photos s3://my-bucket/photos --purge-older-than 30d --yes',
    ],
    load: async () => (await import('./commands/trash.js')).runTrash,
  },
  {
    name: 'restore',
    group: 'Decide and undo:',
    summary: 'bring versions back from the trash',
    description:
      'Brings versions back into the folder, and so to the bucket: by the id that `trash` shows, by path (its newest version), or all of one run. What stands at a path now goes to the trash in exchange.',
    arguments: [...PAIR, { name: 'what', help: 'ids or paths, as `trash` shows them', variadic: true, optional: true }],
    options: CARRY,
    flags: { run: { flag: '--run <id>', help: 'all versions that this run put into the trash' }, ...COMMON_FLAGS },
    needsFolder: true,
    examples: [
      'filecloudsync restore photos s3://my-bucket/photos 2026/beach.jpg',
      'filecloudsync restore photos s3://my-bucket/photos --run 01K9ZQ',
    ],
    load: async () => (await import('./commands/restore.js')).runRestore,
  },
  {
    name: 'forget',
    group: 'Decide and undo:',
    summary: 'drop what is remembered about a pair; touch no file',
    description:
      'Drops all that is remembered about the pair, after asking. No file is touched. The next sync compares both sides anew and deletes nothing.',
    arguments: PAIR,
    options: LOOK,
    flags: { yes: YES, ...COMMON_FLAGS },
    examples: ['filecloudsync forget photos s3://my-bucket/photos --yes'],
    load: async () => (await import('./commands/forget.js')).runForget,
  },
  {
    name: 'demo',
    group: 'Get started:',
    summary: 'see it work, with a server of its own on this machine',
    description:
      'Starts an S3 server on 127.0.0.1, makes a folder and a bucket, and shows files travel both ways, a deletion kept in the trash and a conflict kept safe. Needs no account and no network. Then it watches, until Ctrl-C; with --once, or without a terminal, it ends by itself. Exit code 1 when anything it claims is not so.',
    arguments: [
      { name: 'folder', help: 'a folder of yours to sync; it is copied first, and never changed', optional: true },
    ],
    options: [],
    flags: {
      dir: { flag: '--dir <folder>', help: 'where everything is kept (default: ./filecloudsync-demo)' },
      port: {
        flag: '--port <port>',
        help: 'port of the server (default: 9000, or any free one when it is taken)',
        parse: port,
      },
      once: { flag: '--once', help: 'end after the tour instead of watching' },
      json: COMMON_FLAGS.json,
      quiet: COMMON_FLAGS.quiet,
      verbose: COMMON_FLAGS.verbose,
      color: COMMON_FLAGS.color,
    },
    examples: ['filecloudsync demo', 'filecloudsync demo --once --dir /tmp/tour'],
    load: async () => (await import('./commands/demo.js')).runDemo,
  },
  {
    name: 'completion',
    group: 'Get started:',
    summary: 'print a completion script for your shell',
    description: 'Prints a completion script. Load it in the start file of your shell, as the examples show.',
    arguments: [{ name: 'shell', help: 'bash, zsh or fish', choices: ['bash', 'zsh', 'fish'] }],
    options: [],
    flags: {},
    examples: [
      'source <(filecloudsync completion bash)',
      'source <(filecloudsync completion zsh)',
      'filecloudsync completion fish | source',
    ],
    load: async () => (await import('./commands/completion.js')).runCompletion,
  },
];
