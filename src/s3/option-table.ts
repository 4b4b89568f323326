import type { ConnectOptions } from './connect-options.js';
import type { MonitorOptions } from './monitor-options.js';
import type { SyncOptions } from './sync-options.js';
import type { OptionCall, OptionRow } from './option-row.js';
import { toBytesPerSecond } from './bandwidth.js';
import {
  flag,
  httpAddress,
  integerBetween,
  numberBetween,
  oneOf,
  secretText,
  shown,
  text,
  textIterable,
  texts,
} from './option-checks.js';
import { asFlag, asNumber, asShare, asText, asTexts } from './option-parsers.js';

type AllOptions = SyncOptions & MonitorOptions & ConnectOptions;

/** The name of any option of this package. */
export type OptionName = keyof AllOptions;

const sync = ['sync', 'checkChanges', 'Monitor'] as const;
const monitor = ['Monitor'] as const;
const connect = ['connect', 'Monitor'] as const;

const command = { environmentReadBy: 'command' } as const;
const library = { environmentReadBy: 'library' } as const;
const programOnly = { kind: 'program', flag: undefined, environment: undefined, parse: asText, ...command } as const;

const policyNames = ['newest', 'local', 'bucket', 'keep-both', 'manual'] as const;
const policyName = oneOf(...policyNames);

/**
 * Every option of `sync`, `checkChanges`, `Monitor` and `connect`: the one place from which the checks, the flags of the
 * command, its help and the reference page are made. In the order in which a person reads about them.
 */
export const optionTable = {
  prefix: {
    calls: sync,
    kind: 'text',
    type: 'string',
    default: undefined,
    defaultText: 'the prefix in the address, else none',
    check: (value) => (typeof value === 'string' ? undefined : `must be a text, not ${shown(value)}`),
    flag: '--prefix <prefix>',
    environment: 'FILECLOUDSYNC_PREFIX',
    ...command,
    parse: asText,
    help: 'only keys below this prefix; the folder holds them without it',
    reference:
      'Key prefix in the bucket. The folder holds the keys without it: with `2026/`, the object `2026/a.jpg` is the file `a.jpg`. A missing `/` at the end is added. Given in the address (`s3://bucket/prefix`) or here; two different ones are refused.',
  },
  files: {
    calls: sync,
    kind: 'texts',
    type: 'Iterable<string>',
    default: undefined,
    defaultText: 'all files',
    check: textIterable,
    flag: '--files <key...>',
    environment: 'FILECLOUDSYNC_FILES',
    ...command,
    parse: asTexts,
    help: 'only these exact keys (an empty list selects nothing)',
    reference:
      'Exact keys, without the prefix, that take part. All other files stay as they are on both sides, and what is known about them stays known. An empty list selects nothing. In the environment one key a line.',
  },
  include: {
    calls: sync,
    kind: 'texts',
    type: 'readonly string[]',
    default: undefined,
    defaultText: 'all files',
    check: texts,
    flag: '--include <pattern...>',
    environment: 'FILECLOUDSYNC_INCLUDE',
    ...command,
    parse: asTexts,
    help: 'only paths that match one of these gitignore patterns',
    reference:
      'Patterns in the syntax of `.gitignore`. Only paths that match one of them take part. A path that stops taking part is left alone on both sides, never deleted. In the environment one pattern a line.',
  },
  exclude: {
    calls: sync,
    kind: 'texts',
    type: 'readonly string[]',
    default: undefined,
    defaultText: 'nothing, beside the patterns in .filecloudsyncignore',
    check: texts,
    flag: '--exclude <pattern...>',
    environment: 'FILECLOUDSYNC_EXCLUDE',
    ...command,
    parse: asTexts,
    help: 'leave out paths that match one of these gitignore patterns',
    reference:
      'Patterns in the syntax of `.gitignore`. Paths that match do not take part, whatever `include` says. Patterns in a file `.filecloudsyncignore` in the folder count as well. A path that stops taking part is left alone on both sides, never deleted. In the environment one pattern a line.',
  },
  readonly: {
    calls: sync,
    kind: 'boolean',
    type: 'boolean',
    default: false,
    defaultText: 'false',
    check: flag,
    flag: '--readonly',
    environment: 'FILECLOUDSYNC_READONLY',
    ...command,
    parse: asFlag,
    help: 'never write to the bucket',
    reference:
      'Nothing is ever written to the bucket, not even a probe. Local edits, creations and deletions stay as they are and are told as held; a later run without this option uploads them. When the copy in the bucket of a locally edited file changes, it arrives, and the local one goes to the trash.',
  },
  conflict: {
    calls: sync,
    kind: 'choice',
    type: "'newest' | 'local' | 'bucket' | 'keep-both' | 'manual' | ((conflict: ConflictQuestion) => ConflictAnswer | Promise<ConflictAnswer>)",
    default: 'newest',
    defaultText: 'newest',
    check: (value) =>
      typeof value === 'function' || policyName(value) === undefined
        ? undefined
        : `${policyName(value)}, or a function`,
    flag: '--conflict <policy>',
    environment: 'FILECLOUDSYNC_CONFLICT',
    ...command,
    parse: asText,
    choices: policyNames,
    help: 'who wins when both sides changed a file: newest, local, bucket, keep-both, manual',
    reference:
      'What happens to a file that both sides changed differently. `newest`, `local` and `bucket` name the winner, and the other version goes to the trash. `keep-both` keeps the other version under a conflict name. `manual` leaves both as they are until somebody decides (`filecloudsync resolve`). `newest` compares the time of the local file with the time recorded with the object; a tie or an unknown time keeps both. A program may give a function, which is asked for each conflict.',
  },
  maxDelete: {
    calls: sync,
    kind: 'number',
    type: 'number',
    default: 0.5,
    defaultText: '0.5',
    check: numberBetween(0, 1, 'a share'),
    flag: '--max-delete <share>',
    environment: 'FILECLOUDSYNC_MAX_DELETE',
    ...command,
    parse: asShare,
    help: 'halt before deleting more than this share of one side (0 to 1, or 25%)',
    reference:
      'Share of the known files of one side that one run may delete, from 0 to 1 (on the command line also `25%`). It counts once more than 10 files are concerned. A side that had two or more known files and now has none halts in any case, unless this is 1. A run that would delete more stops before it changes anything.',
  },
  concurrency: {
    calls: sync,
    kind: 'number',
    type: 'number',
    default: 32,
    defaultText: '32',
    check: integerBetween(1, 256, 'files'),
    flag: '--concurrency <files>',
    environment: 'FILECLOUDSYNC_CONCURRENCY',
    ...command,
    parse: asNumber,
    help: 'files carried at once (1 to 256)',
    reference:
      'How many files are carried at once, from 1 to 256, not counting small files that came and wait for the disk. More is faster for small files and services that are far away, and takes more memory. The command makes 16 of them durable at a time; a program of yours 4, unless it is started with a larger `UV_THREADPOOL_SIZE`.',
  },
  partSizeMiB: {
    calls: sync,
    kind: 'number',
    type: 'number',
    default: 8,
    defaultText: '8',
    check: integerBetween(5, 5120, 'MiB'),
    flag: '--part-size <MiB>',
    environment: 'FILECLOUDSYNC_PART_SIZE',
    ...command,
    parse: asNumber,
    help: 'size of the parts of a large upload, in MiB (5 to 5120)',
    reference:
      'Size of the parts of a large upload, in MiB, from 5 to 5120. Files larger than one part are sent in parts. A file that would need more than 10,000 parts gets larger ones. Each file in transfer holds a few parts in memory.',
  },
  bandwidth: {
    calls: sync,
    kind: 'text',
    type: 'number | string',
    default: undefined,
    defaultText: 'no limit',
    check: (value) =>
      toBytesPerSecond(value) === undefined
        ? `must be bytes a second, at least 1024, such as "500kB" or "10MiB", not ${shown(value)}`
        : undefined,
    flag: '--bandwidth <rate>',
    environment: 'FILECLOUDSYNC_BANDWIDTH',
    ...command,
    parse: asText,
    help: 'bytes a second in each direction, such as 500kB or 10MiB',
    reference:
      'Bytes a second, in each direction: a number, or a text with a unit (`kB` is 1000 bytes, `KiB` is 1024; also `MB`, `MiB`, `GB`, `GiB`). At least 1024.',
  },
  trashDays: {
    calls: sync,
    kind: 'number',
    type: 'number',
    default: 30,
    defaultText: '30',
    check: numberBetween(0, Number.POSITIVE_INFINITY, 'days'),
    flag: '--trash-days <days>',
    environment: 'FILECLOUDSYNC_TRASH_DAYS',
    ...command,
    parse: asNumber,
    help: 'days after which versions leave the trash, or "never"',
    reference:
      'After how many days a version leaves the trash for good. 0 empties the trash at the end of every run; `Infinity` (on the command line `never`) keeps everything.',
  },
  probe: {
    calls: sync,
    kind: 'boolean',
    type: 'boolean',
    default: true,
    defaultText: 'true',
    check: flag,
    flag: '--no-probe',
    environment: 'FILECLOUDSYNC_PROBE',
    ...command,
    parse: asFlag,
    help: 'do not try out whether the service honours conditional requests; work the careful way',
    reference:
      'Whether it is found out, once per endpoint and bucket, that the service honours conditional requests: with a scratch key under `.filecloudsync/`, removed again. The endpoints of AWS are known and not probed. Without a probe, contents are checked again before and after each write, which costs requests. Never done under `readonly`.',
  },
  stateDir: {
    calls: sync,
    kind: 'text',
    type: 'string',
    default: undefined,
    defaultText: "the platform's state directory",
    check: text,
    flag: '--state-dir <folder>',
    environment: 'FILECLOUDSYNC_STATE_DIR',
    ...library,
    parse: asText,
    help: 'folder in which the state of all pairs is kept',
    reference:
      "Folder in which the state of all pairs is kept: what both sides last agreed on, unfinished uploads, probe results. Default: the platform's state directory. A lost state is rebuilt by a run that deletes nothing.",
  },
  allowOverlap: {
    calls: sync,
    kind: 'boolean',
    type: 'boolean',
    default: false,
    defaultText: 'false',
    check: flag,
    flag: '--allow-overlap',
    environment: 'FILECLOUDSYNC_ALLOW_OVERLAP',
    ...command,
    parse: asFlag,
    help: 'sync a folder that is, contains or lies in one that is synced elsewhere',
    reference:
      'A folder that is, contains, or lies in a folder that is synced with another bucket or prefix is refused, because files of one would arrive in the other. This option allows it.',
  },
  signal: {
    ...programOnly,
    calls: sync,
    type: 'AbortSignal',
    default: undefined,
    defaultText: 'none',
    check: (value) => (value instanceof AbortSignal ? undefined : `must be an AbortSignal, not ${shown(value)}`),
    help: 'ends the call when it is aborted',
    reference:
      'Ends the call when it is aborted: it rejects with the reason of the signal, and what was done is recorded. A monitor stops without a last cycle. On the command line: Ctrl-C.',
  },
  onProgress: {
    ...programOnly,
    calls: sync,
    type: '(event: SessionEvent) => void',
    default: undefined,
    defaultText: 'none',
    check: (value) => (typeof value === 'function' ? undefined : `must be a function, not ${shown(value)}`),
    help: 'is told what a run does, as it does it',
    reference: 'Is told what a run does, as it does it. What it throws is ignored. On the command line: `--json`.',
  },
  delaySeconds: {
    calls: monitor,
    kind: 'number',
    type: 'number',
    default: 60,
    defaultText: '60',
    // A timer of Node.js takes at most 2^31 - 1 milliseconds, and fires at once when it is given more.
    check: numberBetween(0.1, 2_000_000, 'seconds'),
    flag: '--delay <seconds>',
    environment: 'FILECLOUDSYNC_DELAY',
    ...command,
    parse: asNumber,
    help: 'seconds between two cycles',
    reference:
      'How long the monitor waits between two cycles, in seconds, from 0.1 to 2,000,000. When it watches the folder, a local change begins a cycle at once; changes in the bucket are seen by the next cycle, which looks at the bucket alone while everything that changes in the folder is heard. Everything is looked at every ten minutes in any case, and in the first and the last cycle.',
  },
  remove: {
    calls: monitor,
    kind: 'boolean',
    type: "boolean | 'force'",
    default: false,
    defaultText: 'false',
    check: oneOf(true, false, 'force'),
    flag: '--remove [force]',
    environment: 'FILECLOUDSYNC_REMOVE',
    ...command,
    parse: asFlag,
    help: 'delete the folder at the end, after a last cycle without any failure',
    reference:
      'Deletes the folder and the sync information when the monitor stops, but only after a last cycle that succeeded for every file, and only the files which that cycle saw as synced; otherwise they stay and an error says why. Under `readonly`, edits that were never uploaded keep the folder too, unless this is `force`.',
  },
  watch: {
    calls: monitor,
    kind: 'boolean',
    type: 'boolean',
    default: true,
    defaultText: 'true',
    check: flag,
    flag: '--no-watch',
    environment: 'FILECLOUDSYNC_WATCH',
    ...command,
    parse: asFlag,
    help: 'do not watch the folder; look every --delay seconds only',
    reference:
      'Watches the folder, so that a local change is carried over at once. When watching is not possible (a network disk, too many folders), the monitor says so once and goes on with a look at everything every `delaySeconds`. Where not all changes are heard (a network disk, one of a program, any system but Linux), everything is looked at every `delaySeconds` as well.',
  },
  client: {
    ...programOnly,
    calls: monitor,
    type: 'S3Client',
    default: undefined,
    defaultText: 'the monitor connects by itself',
    check: (value) =>
      typeof value === 'object' && value !== null && 'send' in value && 'config' in value
        ? undefined
        : `must be a client of the AWS SDK, version 3, not ${shown(value)}`,
    help: 'a ready client of the AWS SDK',
    reference:
      'A ready client of the AWS SDK, version 3, instead of the options of `connect`. The monitor does not destroy it. On the command line: `--endpoint`, `--region` and `--profile`.',
  },
  accessKeyId: {
    calls: connect,
    kind: 'text',
    type: 'string',
    default: undefined,
    defaultText: 'the next source that has both keys',
    check: text,
    flag: undefined,
    environment: 'S3_ACCESS_KEY',
    ...library,
    parse: asText,
    help: 'access key id',
    reference:
      'Access key id, given together with the secret access key. Has no flag, because the secret key has none.',
  },
  secretAccessKey: {
    calls: connect,
    kind: 'text',
    type: 'string',
    default: undefined,
    defaultText: 'the next source that has both keys',
    check: secretText,
    flag: undefined,
    environment: 'S3_SECRET_KEY',
    ...library,
    parse: asText,
    help: 'secret access key',
    reference:
      'Secret access key, given together with the access key id. Has no flag, because other users of the machine can see the flags of a running program. Never logged, stored or put into an error.',
  },
  sessionToken: {
    calls: connect,
    kind: 'text',
    type: 'string',
    default: undefined,
    defaultText: 'none',
    check: secretText,
    flag: undefined,
    environment: 'S3_SESSION_TOKEN',
    ...library,
    parse: asText,
    help: 'session token of temporary keys',
    reference:
      'Session token of temporary keys, given together with both keys; in a file `aws_session_token`. Has no flag, because other users of the machine can see the flags of a running program.',
  },
  profile: {
    calls: connect,
    kind: 'text',
    type: 'string',
    default: undefined,
    defaultText: 'none',
    check: text,
    flag: '--profile <name>',
    environment: 'FILECLOUDSYNC_PROFILE',
    ...command,
    parse: asText,
    help: 'profile in the shared files of AWS',
    reference:
      'Name of a profile in the shared files of AWS. Only this profile is asked; when it has no keys, nothing else is tried. Cannot be combined with keys.',
  },
  endpoint: {
    calls: connect,
    kind: 'text',
    type: 'string',
    default: undefined,
    defaultText: 'what the source of the keys says, else AWS',
    check: httpAddress,
    flag: '--endpoint <url>',
    environment: 'S3_ENDPOINT',
    ...library,
    parse: asText,
    help: 'address of the service, such as https://storage.example.com',
    reference:
      'Address of the service. Default: the environment, else the source that gave the keys (`endpoint_url` of that file), else AWS. A file in the current folder never sends keys from elsewhere to its own host.',
  },
  region: {
    calls: connect,
    kind: 'text',
    type: 'string',
    default: undefined,
    defaultText: 'what the source of the keys says, else us-east-1',
    check: text,
    flag: '--region <name>',
    environment: 'S3_REGION',
    ...library,
    parse: asText,
    help: 'region of the service',
    reference:
      'Region of the service. Default: the environment, else the source that gave the keys (`region_name` of that file), else what the AWS configuration says, else `us-east-1`.',
  },
  bucket: {
    ...programOnly,
    calls: ['connect'],
    type: 'string',
    default: undefined,
    defaultText: 'none: the service is asked for its buckets',
    check: text,
    help: 'bucket to ask for when the connection is checked',
    reference:
      'Bucket to ask for when the connection is checked. Without it the service is asked for its buckets, and a refusal of that right counts as a good answer. On the command line: the bucket of the pair.',
  },
  forcePathStyle: {
    calls: connect,
    kind: 'boolean',
    type: 'boolean',
    default: undefined,
    defaultText: 'true when an endpoint other than the ones of AWS is used',
    check: flag,
    flag: '--no-force-path-style',
    environment: 'FILECLOUDSYNC_FORCE_PATH_STYLE',
    ...command,
    parse: asFlag,
    help: 'write the bucket into the host name of a service that is not AWS',
    reference:
      'Whether the bucket is written into the path of an address (`host/bucket/key`) or into the host name (`bucket.host/key`). Default: the path, when an endpoint other than the ones of AWS is used.',
  },
  timeoutSeconds: {
    calls: connect,
    kind: 'number',
    type: 'number',
    default: 30,
    defaultText: '30',
    check: numberBetween(0.1, 3600, 'seconds'),
    flag: '--timeout <seconds>',
    environment: 'FILECLOUDSYNC_TIMEOUT',
    ...command,
    parse: asNumber,
    help: 'seconds the service may take to answer',
    reference:
      'How long the service may stay silent, in seconds, from 0.1 to 3600. Default: 30 while connecting, 60 afterwards. A request that takes longer fails; those that may be repeated are, a few times.',
  },
} as const satisfies { readonly [Name in OptionName]-?: OptionRow<NonNullable<AllOptions[Name]>> };

/** The row of one option. */
export function optionRow(name: OptionName): OptionRow {
  return optionTable[name];
}

/** The names of all options, or of those of one call, in the order of the table. */
export function optionNames(call?: OptionCall): OptionName[] {
  const names: OptionName[] = [];
  for (const name of Object.keys(optionTable)) {
    if (isOptionName(name) && (call === undefined || optionRow(name).calls.includes(call))) names.push(name);
  }
  return names;
}

/** Whether there is an option of this name. */
export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(optionTable, name);
}

export type { OptionCall, OptionRow };
