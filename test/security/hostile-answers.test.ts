import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3Client } from '@aws-sdk/client-s3';
import { FileCloudSyncError } from '../../src/errors.js';
import { createS3Replica, type S3Replica } from '../../src/replica/s3/create-s3-replica.js';
import { createHttpTransport } from '../../src/replica/s3/http-transport.js';
import { Session } from '../../src/session/session.js';
import { openStateStore } from '../../src/store/open-state-store.js';
import { SimulatedDatabaseHome } from '../../src/testing/database/simulated-database.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { MemoryFolder } from '../session/memory-world.js';
import { HOSTILE_ANSWERS } from './hostile-answers.js';
import { HostileServer } from './hostile-server.js';

const MIB = 1024 * 1024;
/** No answer may take longer: every wait is bounded, and each wait here is a hundred times shorter than in earnest. */
const MOST_MS = 25_000;

let server: HostileServer;
let client: S3Client;

beforeAll(async () => {
  server = new HostileServer();
  await server.listen();
  client = new S3Client({
    endpoint: `http://127.0.0.1:${server.port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'k', secretAccessKey: 's' },
  });
  await openSession();
});

afterAll(async () => {
  await replica.close();
  await session.close();
  client.destroy();
  await server.close();
});

/** Time of the machine, but waits between tries take none. */
const clock = {
  nowMs: (): number => performance.timeOrigin + performance.now(),
  sleep: async (_durationMs: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  },
};

const local = new MemoryFolder(clock);
let session: Session;
let replica: S3Replica;
let round = 0;

/** A folder and a server that agree on twelve files. */
async function openSession(): Promise<void> {
  const runtime = { clock, random: new SeededRandom(7) };
  for (let i = 0; i < 12; i++) {
    const key = `k${String(i).padStart(2, '0')}`;
    server.objects.set(key, `content of ${key}`);
    local.put(key, `content of ${key}`);
  }
  const store = await openStateStore(new SimulatedDatabaseHome(), { pairId: 'pair' });
  const transport = createHttpTransport({
    client,
    clock,
    connectTimeoutMs: 500,
    headersTimeoutMs: 500,
    bodyTimeoutMs: 500,
  });
  replica = createS3Replica({
    transport,
    endpoint: 'hostile',
    bucket: 'b',
    uploads: store.uploads,
    facts: store.facts,
    runtime,
    pathRules: 'linux',
    probe: false,
    trustWholeReads: true,
  });
  await replica.prepare({ readonly: false });
  session = new Session(
    { local, remote: replica, store, reopenStore: async () => store, runtime, nameRules: 'linux' },
    {
      filter: { includesFile: () => true, mayContain: () => true },
      readonly: false,
      conflict: 'newest',
      maxDelete: 0.5,
      concurrency: 4,
      trashDays: 30,
      machine: 'm',
    },
    () => 'run',
  );
  await session.cycle();
}

/** One file was edited here since, and two appeared or changed there. */
function change(): void {
  round++;
  local.put('k03', `edited here ${round}`);
  server.objects.set('new1', `first of the new ${round}`);
  server.objects.set('new2', `second of the new, and longer ${round}`);
}

describe('S3: hostile answers', () => {
  const rssBefore = process.memoryUsage.rss();
  let rssMost = 0;

  it.each(HOSTILE_ANSWERS.map((answer) => [answer.name, answer] as const))(
    '%s',
    async (_name, { hostility }) => {
      change();
      const before = new Map(local.paths().map((path) => [path, text(path)]));
      const watching = setInterval(() => (rssMost = Math.max(rssMost, process.memoryUsage.rss())), 20);
      const startedAt = performance.now();
      try {
        server.seen.length = 0;
        server.hostility = hostility;
        const outcome = await session.cycle({ signal: AbortSignal.timeout(MOST_MS) }).catch((error: unknown) => error);
        expect(performance.now() - startedAt, 'bounded in time').toBeLessThan(MOST_MS - 1000);
        // A failure has a name of ours, never one of a mistake in the program.
        if (outcome instanceof Error) expect(outcome, String(outcome.stack)).toBeInstanceOf(FileCloudSyncError);

        // Nothing was deleted or torn, here or there.
        expect(server.seen.filter(({ method }) => method === 'DELETE')).toEqual([]);
        for (const [path, content] of before) {
          // What a server says under the right ETag and in the right length is its own word: there is nothing to hold against it.
          const there = server.objects.get(path) ?? '';
          expect([content, there, 'X'.repeat(there.length)], path).toContain(text(path));
        }
      } finally {
        // And it was a bad dream: with an honest server the same pair goes on.
        server.hostility = () => false;
        server.cut();
        clearInterval(watching);
      }
      const after = await session.cycle();
      expect(after.problems).toEqual([]);
      expect(local.paths()).toEqual([...server.objects.keys()].toSorted());
    },
    MOST_MS + 10_000,
  );

  it('are more than a hundred, and took bounded memory', () => {
    const grownMiB = (rssMost - rssBefore) / MIB;
    console.log(
      `S3: ${HOSTILE_ANSWERS.length} hostile answers, memory grew by ${grownMiB.toFixed(0)} MiB at most, the server's share included`,
    );
    expect(HOSTILE_ANSWERS.length).toBeGreaterThanOrEqual(100);
    expect(new Set(HOSTILE_ANSWERS.map(({ name }) => name)).size).toBe(HOSTILE_ANSWERS.length);
    expect(grownMiB).toBeLessThan(400);
  });
});

function text(path: string): string | undefined {
  const content = local.content(path);
  return content === undefined ? undefined : new TextDecoder().decode(content);
}
