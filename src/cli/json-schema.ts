/** A schema of one value, in the words of JSON Schema. */
type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const count: Schema = { type: 'integer', minimum: 0 };
const number: Schema = { type: 'number' };
const time: Schema = { type: 'number', description: 'Milliseconds since 1970.' };
const flag: Schema = { type: 'boolean' };
const side: Schema = { enum: ['local', 'remote'] };
const rule: Schema = { type: 'string', pattern: '^R(0[1-9]|1[0-8])$' };
const failure = object({ code: text, message: text });
const action: Schema = {
  enum: [
    'nothing',
    'upload',
    'download',
    'compare',
    'delete-local',
    'delete-remote',
    'forget',
    'move-local',
    'move-remote',
    'set-aside',
    'hold',
  ],
};
const holdReason: Schema = { enum: ['problem', 'untracked', 'readonly', 'kind-conflict', 'kind-collision'] };
const change = object(
  { path: text, operation: { enum: ['added', 'modified', 'deleted'] }, origin: side, from: text, to: text },
  ['from', 'to'],
);
const problem = object({ path: text, side, code: text, message: text, severity: { enum: ['notice', 'error'] } });
const conflict = object(
  {
    path: text,
    type: { enum: ['content', 'kind'] },
    resolution: { enum: ['local', 'bucket', 'keep-both', 'manual'] },
    copyPath: text,
    trashed: side,
  },
  ['copyPath', 'trashed'],
);
const seenFile = {
  anyOf: [
    { type: 'null' },
    object({ sizeBytes: count, fingerprint: text, modifiedMs: time, digest: text }, ['modifiedMs', 'digest']),
  ],
};
const seenBaseline = {
  anyOf: [
    { type: 'null' },
    object({ sizeBytes: count, local: { type: ['string', 'null'] }, remote: text, recordedAtMs: time, digest: text }, [
      'digest',
    ]),
  ],
};
const seen = object({ baseline: seenBaseline, local: seenFile, remote: seenFile });
const totals = object({
  uploads: count,
  uploadBytes: count,
  downloads: count,
  downloadBytes: count,
  compares: count,
  localDeletes: count,
  remoteDeletes: count,
  localMoves: count,
  remoteMoves: count,
  held: count,
});
const trashItem = object(
  {
    id: text,
    path: text,
    sizeBytes: count,
    trashedAtMs: time,
    modifiedMs: time,
    reason: { enum: ['replaced', 'deleted', 'lost-conflict', 'unexpected', 'resolved', 'removed'] },
    origin: side,
    runId: text,
  },
  ['modifiedMs'],
);
const divergence = object({
  path: text,
  type: { enum: ['content', 'missing-local', 'missing-remote', 'baseline', 'unreadable'] },
  message: text,
});
const lastCycle = object(
  { endedAtMs: time, changes: count, conflicts: count, problems: count, held: count, error: failure },
  ['error'],
);

/** One kind of line: when it is written, and its fields beside `type`. */
export interface JsonLineRow {
  readonly description: string;
  readonly fields: Readonly<Record<string, Schema>>;
  /** Fields that may be missing. */
  readonly optional?: readonly string[];
}

/**
 * Every kind of line that `--json` writes, by its `type`. Fields may be added, never changed or taken away.
 * The schema, the page about it and the tests are made from this table.
 */
export const JSON_LINES = {
  begin: { description: 'A cycle has begun.', fields: { runId: text } },
  scan: {
    description: 'How far the comparison is, about once a page of the listing.',
    fields: { localFiles: count, remoteFiles: count },
  },
  plan: { description: 'The plan stands. `sync` begins to carry it out; `plan` only shows it.', fields: { totals } },
  decision: {
    description:
      'What is to be done at one path, by which rule, and what was seen there: in the baseline, in the folder, in the bucket (`null`: nothing). Before anything is done; not for paths that ask for nothing. A rename is found when the whole plan stands: it is told once more, as a move with `from`, in the place of what was told of its two paths. In `--log`, and with `--verbose`.',
    fields: { path: text, action, rule, from: text, reason: holdReason, seen },
    optional: ['from', 'reason'],
  },
  start: {
    description: 'Work on one path begins. Only with `--verbose`.',
    fields: { path: text, action, rule, from: text, sizeBytes: count },
    optional: ['from'],
  },
  progress: {
    description: 'How far the transfer is, at most once a second.',
    fields: {
      filesDone: count,
      filesTotal: count,
      bytesDone: count,
      bytesTotal: count,
      bytesPerSecond: number,
      secondsLeft: number,
    },
    optional: ['bytesPerSecond', 'secondsLeft'],
  },
  done: {
    description:
      'Work on one path is done. `change` is missing when nothing had to be carried. A rename is told twice: of the new path, whose change names the old one in `from`, and of the old path, whose change names the new one in `to`.',
    fields: { path: text, action, rule, from: text, sizeBytes: count, change },
    optional: ['from', 'change'],
  },
  conflict: { description: 'A conflict that was met, or that waits (`resolution` is `manual`).', fields: { conflict } },
  problem: { description: 'A path that could not be handled. The others went on.', fields: { problem } },
  held: {
    description: 'A path that was left alone.',
    fields: { path: text, rule, reason: holdReason },
  },
  remark: { description: 'Something to know once, that is no failure.', fields: { message: text } },
  end: {
    description:
      'A cycle is over. The lists of the cycle came one by one before; here are their lengths. Missing when the cycle was stopped or failed. `touchedPaths`: in `watch`, only so many paths that had changed in the folder were looked at. `poll`: in `watch`, only the bucket was looked at, and the folder where something was to be carried.',
    fields: {
      runId: text,
      changes: count,
      conflicts: count,
      waitingConflicts: count,
      problems: count,
      held: count,
      localFiles: count,
      remoteFiles: count,
      uploadedBytes: count,
      downloadedBytes: count,
      hashedFiles: count,
      rebuilt: flag,
      startedAtMs: time,
      endedAtMs: time,
      touchedPaths: count,
      poll: flag,
    },
    optional: ['touchedPaths', 'poll'],
  },
  change: { description: 'One change of a `plan`.', fields: { change } },
  compare: { description: 'A path of a `plan` whose contents must be compared first.', fields: { path: text } },
  halt: { description: 'Why a cycle would halt (`plan`).', fields: { code: text, message: text } },
  status: {
    description: 'What is known about the pair. `lastCycle` is missing when there was none.',
    fields: {
      folder: text,
      address: text,
      endpoint: text,
      knownFiles: count,
      lastCycle,
      waitingConflicts: count,
      trashItems: count,
      trashBytes: count,
    },
    optional: ['lastCycle'],
  },
  trash: { description: 'One version in the trash.', fields: { item: trashItem } },
  purged: { description: 'How many versions were deleted from the trash for good.', fields: { count } },
  restored: {
    description: 'A version that was brought back, and where it stands now.',
    fields: { item: trashItem, path: text },
  },
  divergence: { description: 'A difference that `verify` found.', fields: { divergence } },
  verification: {
    description: 'What `verify` looked at, in numbers.',
    fields: { checkedFiles: count, comparedFiles: count, divergences: count, problems: count },
  },
  forgotten: {
    description: 'All that was remembered about the pair is gone; no file was touched.',
    fields: { folder: text, bucket: text },
  },
  watching: { description: 'The monitor has begun.', fields: { folder: text, bucket: text, delaySeconds: number } },
  stopping: {
    description: 'A signal asked the command to end.',
    fields: { signal: text, stage: { enum: ['finish', 'cancel', 'exit'] } },
  },
  step: {
    description: 'One step of the demo, and whether what it claims was found true.',
    fields: { name: text, ok: flag, message: text },
  },
  error: {
    description: 'The command failed, or, in `watch`, one cycle did. `retryable`: the same may succeed later.',
    fields: { code: text, message: text, retryable: flag },
  },
} as const satisfies Readonly<Record<string, JsonLineRow>>;

/** The `type` of a line of JSON. */
export type JsonLineType = keyof typeof JSON_LINES;

/** A line of JSON before it is written. */
export type JsonLine = { readonly type: JsonLineType } & Readonly<Record<string, unknown>>;

/** The whole as a JSON Schema (draft 2020-12) of one line. Unknown fields are allowed, because fields may be added. */
export function jsonSchema(): Schema {
  const rows: readonly (readonly [string, JsonLineRow])[] = Object.entries(JSON_LINES);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'One line of filecloudsync --json',
    description: 'Each line of stdout is one object. Fields may be added, never changed.',
    oneOf: rows.map(([type, row]) => ({
      description: row.description,
      ...object({ type: { const: type }, ...row.fields }, row.optional),
    })),
  };
}

function object(properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema {
  return {
    type: 'object',
    properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
  };
}
