// P10: how soon a saved file is in the bucket, how soon a change in the bucket is in the folder, and what waiting costs.
// The command `watch` in a process of its own, on a real folder; the server in another.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFiles, nameOf } from '../lib/data.mjs';
import { median } from '../lib/compare.mjs';
import { startServer } from '../lib/server.mjs';

const LOOK_EVERY_MS = 4;
const PATIENCE_MS = 30_000;
const POLL_SECONDS = 2;
const TICKS_PER_SECOND = 100;
/** More names than a monitor looks at one by one (src/session/look-at-touched.ts). */
const NAMES_FOR_EVERYTHING = 1500;
const IDLE_POLL_SECONDS = 60;
/** How often a monitor looks at everything while it waits (src/s3/cycle-pacer.ts). */
const WHOLE_LOOK_SECONDS = 600;

export async function run({ directory, dist, main, short, files = short ? 1000 : 10_000, serverKind, log }) {
  const server = await startServer(serverKind, dist);
  const S3 = await import('@aws-sdk/client-s3');
  const client = new S3.S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
  });
  const bucket = 'latency';
  const folder = path.join(directory, 'folder');
  const env = {
    ...process.env,
    S3_ENDPOINT: server.endpoint,
    S3_ACCESS_KEY: server.accessKeyId,
    S3_SECRET_KEY: server.secretAccessKey,
    FILECLOUDSYNC_STATE_DIR: path.join(directory, 'state'),
  };
  const etagOf = (key) =>
    client.send(new S3.HeadObjectCommand({ Bucket: bucket, Key: key })).then(
      ({ ETag }) => ETag,
      () => undefined,
    );
  const ways = {
    'a new file': (n) => save(folder, `folder-00000/new-${n}.txt`, `new ${n}`),
    'a file written again in place': (n) => save(folder, nameOf(n), `again ${n}`),
    'a file replaced by rename, as editors save': (n) => save(folder, nameOf(n + 100), `edited ${n}`, true),
    'a file in a new directory': (n) => save(folder, `new-${n}/deep/file.txt`, `deep ${n}`),
  };
  try {
    mkdirSync(folder);
    makeFiles(folder, files, 4096);
    await server.makeBucket(bucket);
    const notes = [];
    const up = {};
    let watching = await startWatch({ main, folder, bucket, env, delaySeconds: IDLE_POLL_SECONDS });
    for (const [way, act] of Object.entries(ways)) {
      const took = [];
      const cpuBefore = cpuSeconds(watching.pid);
      const saves = short ? 20 : 100;
      for (let n = 0; n < saves; n++) {
        const { path: saved, before } = await prepare(act, n, etagOf);
        const began = performance.now();
        await until(async () => {
          const etag = await etagOf(saved);
          return etag !== undefined && etag !== before;
        });
        took.push(performance.now() - began);
        // Apart, so that each is a save of its own.
        await sleep(20);
      }
      const cpuMs = Math.round(((cpuSeconds(watching.pid) - cpuBefore) / saves) * 1000);
      up[way] = { ...figuresOf(took), cpuMs };
      notes.push(`${way}: in the bucket after ${text(up[way])}; ${cpuMs} ms of CPU each`);
      log(notes.at(-1));
    }
    const idle = await measureIdle(watching, short ? 1 : 5);
    const wholePercent = (idle.wholeCpuMs / 1000 / WHOLE_LOOK_SECONDS) * 100;
    const idlePercent = Number((idle.pollPercent + wholePercent).toFixed(3));
    notes.push(
      `idle, ${files} files: ${idlePercent} % of a core, of which a poll of the bucket each ${IDLE_POLL_SECONDS} s is ` +
        `${idle.pollPercent.toFixed(3)} % (measured over ${idle.seconds} s with ${idle.polls} polls), and a look at everything each ` +
        `${WHOLE_LOOK_SECONDS / 60} minutes the rest: ${idle.wholeCpuMs} ms of CPU each`,
    );
    log(notes.at(-1));
    await watching.stop();
    watching = await startWatch({ main, folder, bucket, env, delaySeconds: POLL_SECONDS });
    const beyond = [];
    for (let n = 0; n < (short ? 8 : 40); n++) {
      await sleep((n * 370) % 1900);
      await client.send(new S3.PutObjectCommand({ Bucket: bucket, Key: `from-bucket-${n}.txt`, Body: `down ${n}` }));
      const began = performance.now();
      await until(() =>
        stat(path.join(folder, `from-bucket-${n}.txt`)).then(
          () => true,
          () => false,
        ),
      );
      beyond.push(performance.now() - began - POLL_SECONDS * 1000);
    }
    await watching.stop();
    const down = figuresOf(beyond);
    notes.push(
      `a change in the bucket, polled each ${POLL_SECONDS} s: in the folder at most ${down.mostMs} ms after a whole poll`,
    );
    const title = `P10: latency, ${files} files`;
    const saved = up['a file replaced by rename, as editors save'];
    const headlines = [
      {
        what: 'a saved file is in the bucket',
        figure: `after ${saved.medianMs} ms (median), ${saved.p99Ms} ms (99 %)`,
      },
    ];
    return {
      title,
      files,
      headlines,
      server: server.name,
      tables: [],
      figures: { up, idlePercent, wholeCpuMs: idle.wholeCpuMs, beyondPoll: down },
      notes,
    };
  } finally {
    client.destroy();
    await server.stop();
  }
}

/** Waits with the monitor: for a look at everything, asked for by more names at once than are looked at singly, and for polls. */
async function measureIdle({ pid, folder, ends }, windows) {
  const polls = () => ends.filter(({ poll }) => poll === true).length;
  const wholes = () => ends.filter(({ poll, touchedPaths }) => poll !== true && touchedPaths === undefined).length;
  const settled = async () => {
    await sleep(3000);
    return cpuSeconds(pid);
  };
  const [wholesBefore, cpuBefore] = [wholes(), await settled()];
  for (let n = 0; n < NAMES_FOR_EVERYTHING; n++) {
    const name = path.join(folder, `passing-${n}`);
    writeFileSync(name, '');
    unlinkSync(name);
  }
  await until(() => wholes() > wholesBefore, PATIENCE_MS * 2);
  const began = await settled();
  const wholeCpuMs = Math.round(((began - cpuBefore) * 1000) / (wholes() - wholesBefore));
  // The first poll of a process compiles what the others use.
  const first = polls();
  await until(() => polls() > first, 2000 * IDLE_POLL_SECONDS);
  const cpuOfRest = await settled();
  const [pollsBefore, seconds] = [polls(), windows * IDLE_POLL_SECONDS + 5];
  await sleep(seconds * 1000);
  const pollCount = polls() - pollsBefore;
  if (pollCount < windows) throw new Error(`${pollCount} polls in ${seconds} s: the folder is not believed`);
  const pollCpu = (cpuSeconds(pid) - cpuOfRest) / pollCount;
  return { wholeCpuMs, polls: pollCount, seconds, pollPercent: (pollCpu / IDLE_POLL_SECONDS) * 100 };
}

async function prepare(act, n, etagOf) {
  const saving = act(n);
  const before = await etagOf(saving.path);
  saving.go();
  return { path: saving.path, before };
}

function save(folder, relative, content, byRename = false) {
  const file = path.join(folder, relative);
  return {
    path: relative,
    go() {
      mkdirSync(path.dirname(file), { recursive: true });
      if (!byRename) return writeFileSync(file, content);
      writeFileSync(`${file}.tmp~`, content);
      renameSync(`${file}.tmp~`, file);
    },
  };
}

async function startWatch({ main, folder, bucket, env, delaySeconds }) {
  const args = [main, 'watch', folder, `s3://${bucket}`, '--delay', String(delaySeconds), '--json'];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const ends = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.includes('"type":"end"')) ends.push(JSON.parse(line));
  });
  // The first cycle, and the one for what changed before the watch stood.
  await until(() => ends.length >= 2, 600_000);
  return {
    pid: child.pid,
    folder,
    ends,
    async stop() {
      child.kill('SIGINT');
      await ended;
    },
  };
}

async function until(holds, patienceMs = PATIENCE_MS) {
  const began = performance.now();
  while (!(await holds())) {
    if (performance.now() - began > patienceMs) throw new Error('it did not happen');
    await sleep(LOOK_EVERY_MS);
  }
}

/** CPU time of a process so far; Linux only. */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function figuresOf(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
  return { medianMs: Math.round(median(sorted)), p99Ms: at(0.99), mostMs: Math.round(sorted.at(-1)) };
}

function text({ medianMs, p99Ms, mostMs }) {
  return `${medianMs} ms (median), ${p99Ms} ms (99 %), ${mostMs} ms at most`;
}
