// Runs a session over a generated bucket and tells the most memory that was held at any moment, garbage taken away.
//   node --expose-gc flat-memory-child.mjs DIST WHAT ENTRIES [LISTED [HELD]]      WHAT: plan-downloads, plan-compares, sync, quiet
// HELD: how many decisions of a plan are kept in memory; more are written down.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist, what] = process.argv.slice(2);
const entries = Number(process.argv[4]);
const listed = Number(process.argv[5] ?? 100);
const mostHeldDecisions = Number(process.argv[6] ?? 1000);
const from = (name) => import(pathToFileURL(path.join(dist, name)).href);
const { createS3Replica } = await from('replica/s3/index.js');
const { systemRuntime } = await from('s3/system-runtime.js');
const { Session } = await from('session/session.js');
const { LevelDatabaseHome } = await from('store/level-database-home.js');
const { openStateStore } = await from('store/open-state-store.js');

const ETAG = 'd41d8cd98f00b204e9800998ecf8427e';
const nameOf = (n) =>
  `folder-${String(Math.floor(n / 500)).padStart(5, '0')}/a file of some length ${String(n).padStart(8, '0')}.bin`;
const looks = Math.max(1, Math.floor(entries / 12));

/** A service that holds nothing: every page and every object is computed. */
const transport = {
  async send({ method, query }) {
    const isList = query['list-type'] === '2';
    const text = isList ? listPage(query) : '';
    const headers = isList
      ? {}
      : { etag: `"${ETAG}"`, 'content-length': '0', 'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT' };
    return { status: 200, headers, body: method === 'HEAD' ? bodyOf('') : bodyOf(text) };
  },
  async close() {},
};

async function* bodyOf(text) {
  if (text !== '') yield Buffer.from(text);
}

function listPage(query) {
  const first = Number(
    query['continuation-token'] ??
      (query['start-after'] === undefined ? 0 : Number(query['start-after'].slice(-12, -4)) + 1),
  );
  const to = Math.min(entries, first + Number(query['max-keys']));
  let xml = `<ListBucketResult><EncodingType>url</EncodingType><KeyCount>${to - first}</KeyCount><IsTruncated>${to < entries}</IsTruncated>`;
  if (to < entries) xml += `<NextContinuationToken>${to}</NextContinuationToken>`;
  for (let n = first; n < to; n++) {
    const key = encodeURIComponent(nameOf(n)).replaceAll('%20', '+');
    xml += `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"${ETAG}"</ETag><Size>0</Size></Contents>`;
  }
  return `${xml}</ListBucketResult>`;
}

const fileOf = (name) => ({
  kind: 'file',
  path: name,
  sizeBytes: 0,
  fingerprint: 'f',
  modifiedMs: 0,
  modifiedSource: 'mtime',
});

/** A folder that holds nothing: its files are computed, and what is written into it is read and dropped. */
const local = {
  side: 'local',
  trash: { list: async () => [], purge: async () => 0 },
  rootIdentity: async () => 'disk',
  async *scan() {
    if (what !== 'plan-compares' && !(what === 'quiet' && isFilled)) return;
    for (let n = 0; n < entries; n += 1000) {
      yield {
        entries: Array.from({ length: Math.min(1000, entries - n) }, (_, i) => fileOf(nameOf(n + i))),
        problems: [],
      };
    }
  },
  observe: async () => null,
  async write(name, source) {
    for await (const _piece of source.read(0, 0));
    await source.verify();
    return { outcome: 'done', entry: fileOf(name), digest: undefined };
  },
  schemeFor: () => ({ partSizeBytes: undefined }),
  digest: async () => `md5:${ETAG}`,
  cleanUp: async () => {},
  close: async () => {},
};
let isFilled = false;

const directory = mkdtempSync(path.join(tmpdir(), 'filecloudsync-flat-'));
try {
  const home = new LevelDatabaseHome(path.join(directory, 'state'), systemRuntime.clock);
  const store = await openStateStore(home, { pairId: 'pair', mostHeldDecisions });
  const remote = createS3Replica({
    transport,
    bucket: 'bucket',
    uploads: store.uploads,
    facts: store.facts,
    runtime: systemRuntime,
    pathRules: 'linux',
    probe: false,
  });
  const session = new Session(
    {
      local,
      remote,
      store,
      reopenStore: () => Promise.reject(new Error('damaged')),
      runtime: systemRuntime,
      nameRules: 'linux',
    },
    {
      filter: { includesFile: () => true, mayContain: () => true },
      readonly: false,
      conflict: 'newest',
      maxDelete: 1,
      concurrency: 16,
      trashDays: 30,
      machine: 'test',
    },
    () => 'run',
  );
  if (what === 'quiet') {
    // What both sides agreed on, without carrying it, and of which folder that is.
    await store.facts.put('root-identity', 'disk');
    for (let n = 0; n < entries; n += 1000) {
      const rows = Array.from({ length: Math.min(1000, entries - n) }, (_, i) => ({
        path: nameOf(n + i),
        sizeBytes: 0,
        local: 'f',
        remote: `${ETAG}:0`,
        recordedAtMs: 0,
      }));
      await store.baseline.put(rows);
    }
    isFilled = true;
  }
  let held = 0;
  let told = 0;
  const look = () => {
    globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    held = Math.max(held, heapUsed + external);
  };
  look();
  const before = held;
  let changes = 0;
  const onEvent = ({ type, change }) => {
    if (change !== undefined || type === 'decision' || type === 'compare') changes++;
    if (
      ['change', 'compare', 'decision', 'done', 'scan'].includes(type) &&
      ++told % (type === 'scan' ? 4 : looks) === 0
    )
      look();
  };
  const call = { onEvent, listed };
  const result = what.startsWith('plan') ? await session.plan(call) : await session.cycle(call);
  look();
  const { totals, counts } = result;
  await session.close();
  console.log(JSON.stringify({ heldBytes: held - before, changes, totals, counts }));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
