import type { SessionOptions } from '../../src/session/options.js';
import type { S3Request, S3Response, S3Transport } from '../../src/replica/s3/transport.js';
import { BUCKET, type DatabaseBackup, ProofMachine, ProofService } from './proof-world.js';

/** Two sides that agree, and what is needed to take one of them away. */
export interface Pairing {
  readonly service: ProofService;
  readonly machine: ProofMachine;
  readonly paths: readonly string[];
  /** The database and the stamp before the last quarter of the files came. */
  readonly early: { readonly database: DatabaseBackup; readonly stamp: string };
}

/** One way for a side to be gone, or to look as if it were. */
export interface Cause {
  readonly side: 'local' | 'remote' | 'filter';
  readonly words: string;
  apply(pairing: Pairing): void | Promise<void>;
  /** Takes the cause away again, where that is possible. */
  undo?(pairing: Pairing): void | Promise<void>;
  /** Options that come with the cause. */
  readonly options?: Partial<SessionOptions>;
  /** What somebody is told, in an error, a problem or a remark. `undefined`: nothing is the matter. */
  readonly told: RegExp | undefined;
  /** What is seen is no failure but could be a person's doing: allowing every deletion allows these. */
  readonly couldBeMeant?: boolean;
  /** Nothing is left by which a memory of another time could be told. */
  readonly takesStamp?: boolean;
  /** Fewest files at which it can be told from a person's doing. */
  readonly from?: number;
}

/** Replaces the answers of some requests. */
function answering(
  machine: ProofMachine,
  answer: (request: S3Request, inner: S3Transport) => Promise<S3Response> | undefined,
): void {
  machine.between = (inner) => ({
    send: (request) => answer(request, inner) ?? inner.send(request),
    close: () => inner.close(),
  });
}

async function textAnswer(status: number, text: string, type = 'application/xml'): Promise<S3Response> {
  const bytes = new TextEncoder().encode(text);
  return {
    status,
    headers: { 'content-type': type, 'content-length': String(bytes.length) },
    body: (async function* () {
      yield bytes;
    })(),
  };
}

const failure = (status: number, code: string): Promise<S3Response> =>
  textAnswer(
    status,
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>as told</Message></Error>`,
  );

const listPage = (inside: string): Promise<S3Response> =>
  textAnswer(
    200,
    `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><EncodingType>url</EncodingType>${inside}</ListBucketResult>`,
  );

const isList = ({ method, key, query }: S3Request): boolean =>
  method === 'GET' && (key === undefined || key === '') && 'list-type' in query;

/** A cause that answers each LIST, or also each look at one object. */
function lists(
  words: string,
  told: RegExp | undefined,
  answer: (request: S3Request, inner: S3Transport) => Promise<S3Response>,
  more: Partial<Cause> = {},
): Cause {
  return {
    side: 'remote',
    words,
    told,
    apply: ({ machine }) =>
      answering(machine, (request, inner) => (isList(request) ? answer(request, inner) : undefined)),
    undo: ({ machine }) => answering(machine, () => undefined),
    ...more,
  };
}

async function rewritten(response: S3Response, edit: (text: string) => string): Promise<S3Response> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(Buffer.from(chunk));
  return textAnswer(response.status, edit(Buffer.concat(chunks).toString()));
}

function firstHalf(text: string): string {
  const contents = text.match(/<Contents>.*?<\/Contents>/gs) ?? [];
  const kept = contents.slice(0, Math.ceil(contents.length / 2));
  return text.replace(/<Contents>.*<\/Contents>/s, kept.join('')).replace(/<KeyCount>\d+/, `<KeyCount>${kept.length}`);
}

/** Moves the folder away on its disk, and puts something else in its place. */
function exchanged(words: string, put: (pairing: Pairing) => void, told: RegExp, more: Partial<Cause> = {}): Cause {
  return {
    side: 'local',
    words,
    told,
    apply(pairing) {
      pairing.machine.disk.user.rename(pairing.machine.disk.root, '/elsewhere');
      put(pairing);
    },
    undo({ machine }) {
      machine.disk.user.remove(machine.disk.root);
      machine.disk.user.rename('/elsewhere', machine.disk.root);
    },
    ...more,
  };
}

function failing(
  words: string,
  matches: (operation: string, number: number) => boolean,
  code: string,
  told: RegExp,
): Cause {
  return {
    side: 'local',
    words,
    told,
    apply: ({ machine }) => {
      let count = 0;
      machine.disk.fault = (operation) => (matches(operation, count++) ? code : undefined);
    },
    undo: ({ machine }) => {
      machine.disk.fault = undefined;
    },
  };
}

/** All causes. */
export const CAUSES: readonly Cause[] = [
  exchanged(
    "the folder's disk is not mounted, and the empty mount point stands there",
    ({ machine }) => machine.disk.user.makeDirectory(machine.disk.root),
    /known files is there.*mounted/,
  ),
  exchanged('the folder is gone', () => undefined, /never created: an absent folder may be a disk that is not mounted/),
  exchanged(
    'a file stands in the place of the folder',
    ({ machine }) => machine.disk.user.writeFile(machine.disk.root, 'x'),
    /is not a folder/,
  ),
  exchanged(
    'another disk is mounted there, with other files',
    ({ machine }) => {
      machine.disk.user.makeDirectory(machine.disk.root);
      for (let i = 0; i < 3; i++) machine.disk.user.writeFile(`foreign-${i}`, `foreign ${i}`);
    },
    /not the one of the last run.*forget/,
  ),
  {
    side: 'local',
    words: 'all files were moved out of the folder',
    told: /The folder is empty.*--max-delete 1/,
    couldBeMeant: true,
    apply: ({ machine, paths }) => {
      for (const path of paths) machine.disk.user.remove(path);
    },
  },
  {
    side: 'local',
    words: 'everything in the folder was deleted, what is hidden too',
    told: /The folder is (?:empty.*--max-delete 1|not the one of the last run)/,
    couldBeMeant: true,
    takesStamp: true,
    apply: ({ machine }) => {
      for (const name of Object.keys(machine.disk.user.tree()).filter((path) => /^[^/]+\/?$/.test(path)))
        machine.disk.user.remove(name);
    },
  },
  {
    side: 'local',
    words: 'most files are gone without a word',
    told: /of \d+ known files are gone, and at most/,
    couldBeMeant: true,
    from: 40,
    apply: ({ machine, paths }) => {
      for (const path of paths.slice(0, Math.floor(paths.length * 0.95))) machine.disk.user.remove(path);
    },
  },
  {
    side: 'local',
    words: 'the folder came out of a backup that is older than a quarter of its files',
    told: /restored from a backup/,
    apply: ({ machine, paths, early }) => {
      for (const path of paths.slice(Math.floor(paths.length * 0.75))) machine.disk.user.remove(path);
      machine.disk.user.writeFile('.filecloudsync/stamp', early.stamp);
    },
  },
  {
    side: 'local',
    words: 'the folder was copied in part, without what is hidden',
    told: /restored from a backup/,
    apply: ({ machine, paths }) => {
      for (const path of paths.slice(Math.ceil(paths.length * 0.6))) machine.disk.user.remove(path);
      machine.disk.user.remove('.filecloudsync');
    },
  },
  {
    side: 'local',
    words: 'the folder may not be read',
    told: /cannot be read by this user. Give the right/,
    apply: ({ machine }) => machine.disk.user.setAccess('', { readable: false }),
    undo: ({ machine }) => machine.disk.user.setAccess('', { readable: true }),
  },
  {
    side: 'local',
    words: 'its subfolders may not be read',
    told: /EACCES|read|right/,
    apply: ({ machine }) => machine.disk.user.setAccess('d', { readable: false }),
    undo: ({ machine }) => machine.disk.user.setAccess('d', { readable: true }),
  },
  failing(
    'the disk answers EIO wherever a directory is listed',
    (operation) => operation.startsWith('list'),
    'EIO',
    /EIO|disk/,
  ),
  failing(
    'the disk answers EIO wherever a name is looked at',
    (operation) => operation.startsWith('lstat'),
    'EIO',
    /EIO|disk/,
  ),
  failing(
    'a directory says ENOENT when it is listed',
    (operation) => operation.startsWith('list /folder/d'),
    'ENOENT',
    /./,
  ),
  failing('the disk dies in the middle of the scan', (_, number) => number > 25, 'EIO', /EIO|disk/),
  {
    side: 'local',
    words: 'the disk is unmounted in the middle of the run',
    told: /disappeared during the run|not the one that the run began with|of the last run|EIO|ENOENT|does not exist/,
    apply: ({ machine }) => {
      let count = 0;
      machine.disk.step = () => {
        if (++count !== 30) return;
        machine.disk.user.rename(machine.disk.root, '/elsewhere');
        machine.disk.user.makeDirectory(machine.disk.root);
      };
    },
    undo: ({ machine }) => {
      machine.disk.step = undefined;
      machine.disk.user.remove(machine.disk.root);
      machine.disk.user.rename('/elsewhere', machine.disk.root);
    },
  },
  lists('the bucket may not be listed (403)', /403|forbid|denied|right/i, () => failure(403, 'AccessDenied')),
  lists('the keys are no longer valid (403)', /403|key|credential/i, () => failure(403, 'InvalidAccessKeyId')),
  lists('the bucket does not exist (404)', /bucket/i, () => failure(404, 'NoSuchBucket')),
  lists('the service is down (503 each time)', /503/, () => failure(503, 'SlowDown')),
  lists('the service cannot be reached', /reach|refused|connection/i, () =>
    Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })),
  ),
  lists(
    'what may not be seen is left out: the list is empty',
    /The bucket is empty.*prefix/,
    () => listPage('<KeyCount>0</KeyCount><IsTruncated>false</IsTruncated>'),
    { couldBeMeant: true },
  ),
  lists('a page says that there is more, but not where', /cannot be trusted.*run again/, () =>
    listPage('<IsTruncated>true</IsTruncated>'),
  ),
  lists('a page leads to itself', /cannot be trusted.*run again/, () =>
    listPage('<IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>'),
  ),
  lists('a page counts more keys than it holds', /cannot be trusted|listing/, (request, inner) =>
    inner
      .send(request)
      .then((response) => rewritten(response, (text) => text.replace(/<Contents>.*<\/Contents>/s, ''))),
  ),
  lists('the document of a page ends in the middle', /listing|cannot|document|XML/i, (request, inner) =>
    inner.send(request).then((response) => rewritten(response, (text) => text.slice(0, text.length / 2))),
  ),
  lists('the answer to a listing is empty', /listing|cannot|document|XML|answer/i, () => textAnswer(200, '')),
  lists('a login page answers instead of the service', /listing|cannot|document|XML|answer/i, () =>
    textAnswer(200, '<html><body>Please log in</body></html>', 'text/html'),
  ),
  lists('an error comes with status 200', /listing|cannot|document|XML|InternalError|answer/i, () =>
    failure(200, 'InternalError'),
  ),
  lists(
    'the keys come under another prefix',
    // Each file seems to have another name; the store is asked about each object, and nothing is the matter.
    undefined,
    (request, inner) =>
      inner.send(request).then((response) => rewritten(response, (text) => text.replaceAll('<Key>', '<Key>old/'))),
    { couldBeMeant: true, from: 40 },
  ),
  lists(
    'the list ends after its first half, and says that it is whole',
    // The guard does not mind so few; the store is asked about each object, and nothing is the matter.
    undefined,
    (request, inner) => inner.send(request).then((response) => rewritten(response, firstHalf)),
  ),
  {
    side: 'remote',
    words: 'the bucket was deleted, and made again empty',
    told: /The bucket is empty/,
    couldBeMeant: true,
    apply: async ({ service }) => {
      for (const key of service.s3.keys(BUCKET)) await service.remove(key);
    },
  },
  {
    side: 'remote',
    words: 'most objects expired by a lifecycle rule',
    told: /of \d+ known files are gone, and at most/,
    couldBeMeant: true,
    from: 40,
    apply: async ({ service, paths }) => {
      for (const key of paths.slice(0, Math.floor(paths.length * 0.95))) await service.remove(key);
    },
  },
  {
    side: 'filter',
    words: 'everything is excluded',
    told: undefined,
    apply: () => undefined,
    options: { filter: { includesFile: () => false, mayContain: () => false } },
  },
  {
    side: 'filter',
    words: 'a subfolder is excluded',
    told: undefined,
    apply: () => undefined,
    options: { filter: { includesFile: (path) => !path.startsWith('d/'), mayContain: (path) => path !== 'd' } },
  },
  {
    side: 'filter',
    words: 'only a kind that nobody has is included',
    told: undefined,
    apply: () => undefined,
    options: { filter: { includesFile: (path) => path.endsWith('.none'), mayContain: () => true } },
  },
  {
    side: 'filter',
    words: 'the list of files is empty',
    told: undefined,
    apply: () => undefined,
    options: { files: [] },
  },
  {
    side: 'filter',
    words: 'the list names files that nobody has',
    told: undefined,
    apply: () => undefined,
    options: { files: ['nobody', 'has/this'] },
  },
];

/** How many files there are. */
export const SIZES = [2, 12, 40] as const;

/** How a run is called. */
export const CALLS: readonly {
  readonly words: string;
  readonly options: (pairing: Pairing) => Partial<SessionOptions>;
  readonly allowsAll?: boolean;
}[] = [
  { words: 'as usual', options: () => ({}) },
  { words: 'with every deletion allowed', options: () => ({ maxDelete: 1 }), allowsAll: true },
  { words: 'with no deletion allowed, one file at a time', options: () => ({ maxDelete: 0, concurrency: 1 }) },
  { words: 'for all files by name', options: ({ paths }) => ({ files: [...paths] }) },
  { words: 'for one file by name', options: ({ paths }) => ({ files: paths.slice(0, 1) }) },
  { words: 'under readonly', options: () => ({ readonly: true }) },
];

/** What is remembered about the pair. */
export const MEMORIES: readonly {
  readonly words: string;
  apply(pairing: Pairing): void;
  readonly isLost?: boolean;
  readonly isWhole?: boolean;
}[] = [
  { words: 'the memory is whole', apply: () => undefined },
  {
    words: 'the last run was killed',
    apply: ({ machine }) => machine.home.tamper((_, mark) => (mark === undefined ? mark : undefined)),
  },
  {
    words: 'the memory is lost',
    isLost: true,
    apply: ({ machine }) =>
      machine.home.tamper((rows) => {
        rows.clear();
        return undefined;
      }),
  },
  {
    words: 'a row of the memory is damaged',
    isLost: true,
    apply: ({ machine }) =>
      machine.home.tamper((rows, mark) => {
        for (const [key, value] of rows)
          if (key.startsWith('b!')) return rows.set(key, value.replace(/\d/, 'x')) && mark;
        return mark;
      }),
  },
  {
    words: 'the memory came out of a backup',
    isLost: true,
    isWhole: true,
    apply: ({ machine, early }) => machine.restoreDatabase(early.database),
  },
];

/** Two sides that agree on so many files. */
export async function makePairing(size: number): Promise<Pairing> {
  const service = new ProofService();
  const machine = new ProofMachine('m', service);
  const paths = Array.from({ length: size }, (_, i) => (i % 2 === 0 ? `d/f${i}` : `f${i}`)).sort();
  const late = Math.floor(size * 0.75);
  for (const path of paths.slice(0, late)) machine.disk.user.writeFile(path, `content of ${path}`);
  await machine.sync();
  service.clock.pass(60_000);
  await machine.sync();
  const early = { database: machine.backupDatabase(), stamp: machine.disk.user.readText('.filecloudsync/stamp') };
  for (const path of paths.slice(late)) await service.put(path, `content of ${path}`);
  await machine.sync();
  service.clock.pass(60_000);
  await machine.sync();
  machine.events.length = 0;
  return { service, machine, paths, early };
}
