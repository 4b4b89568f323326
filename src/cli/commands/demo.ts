import { relative, resolve } from 'node:path';
import { withDefaults } from '../../s3/default-options.js';
import type { Pair } from '../../s3/pair.js';
import type { CycleResult } from '../../session/result.js';
import { type CommandContext, listener } from '../context.js';
import { type DemoPlace, prepareDemoPlace, readTree, rememberPort } from '../demo/demo-place.js';
import { DEMO_BUCKET, type DemoWorld } from '../demo/demo-world.js';
import { sideBySide } from '../demo/side-by-side.js';
import { tourSteps } from '../demo/tour.js';
import { errorText } from '../event-text.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { runWatch } from './watch.js';

const DEFAULT_PORT = 9000;
const DEFAULT_PLACE = 'filecloudsync-demo';
const WATCH_SECONDS = 2;
/** On another port it is another pair of the same folder: the demo's own, so there is nothing to be warned of. */
const PAIR_OPTIONS = { conflict: 'keep-both', allowOverlap: true } as const;

/** `demo`: shows and checks what the program does, with a server of its own. */
export async function runDemo(context: CommandContext): Promise<ExitCode> {
  const { dependencies, flags } = context;
  const root = resolve(dependencies.cwd, typeof flags['dir'] === 'string' ? flags['dir'] : DEFAULT_PLACE);
  const source = context.arguments['folder'];
  const place = await prepareDemoPlace(
    root,
    typeof source === 'string' ? resolve(dependencies.cwd, source) : undefined,
  );
  const world = await startWorld(context, place);
  try {
    await rememberPort(place, world.endpoint);
    await world.bucket.create();
    const ended = await runTour(context, place, world);
    if (ended !== EXIT.done) return ended;
    if (endsByItself(context)) {
      say(context, 'done', true, endText(place, dependencies.cwd));
      return EXIT.done;
    }
    say(context, 'done', true, closingText(place, world, dependencies.cwd));
    say(context, 'watch', true, '\nNow it watches. Change something on either side; Ctrl-C ends it.');
    return await runWatch(watchContext(context, place, world));
  } finally {
    await world.stop();
  }
}

/** Where nobody can press Ctrl-C, the tour is all. */
function endsByItself({ dependencies, flags }: CommandContext): boolean {
  const ci = dependencies.env['CI'] ?? '';
  return flags['once'] === true || !dependencies.isTTY.stdin || (ci !== '' && ci !== 'false');
}

async function startWorld(context: CommandContext, place: DemoPlace): Promise<DemoWorld> {
  const { dependencies, flags } = context;
  const directory = place.bucketData;
  const asked = flags['port'];
  if (typeof asked === 'number' && asked !== 0) return dependencies.startDemoWorld({ directory, port: asked });
  try {
    return await dependencies.startDemoWorld({ directory, port: place.port ?? (asked === 0 ? 0 : DEFAULT_PORT) });
  } catch (error) {
    if (!isPortTaken(error)) throw error;
    return dependencies.startDemoWorld({ directory, port: 0 });
  }
}

function isPortTaken(error: unknown): boolean {
  const codes = [error, error instanceof Error ? error.cause : undefined].map((each) =>
    each instanceof Error && 'code' in each ? each.code : undefined,
  );
  return codes.includes('EADDRINUSE') || codes.includes('EACCES');
}

async function runTour(context: CommandContext, place: DemoPlace, world: DemoWorld): Promise<ExitCode> {
  const { reporter, stops, style, dependencies } = context;
  say(
    context,
    'server',
    true,
    `An S3 server of its own answers at ${world.endpoint}; its data is in ${shownPath(place.bucketData, dependencies.cwd)}.`,
  );
  const withPair = <T>(machine: 'a' | 'b', work: (pair: Pair) => Promise<T>): Promise<T> =>
    withMachine(context, place, world, machine, work);
  const sync = (machine: 'a' | 'b'): Promise<CycleResult> => {
    const folder = shownPath(machine === 'a' ? place.folder : place.machineB, dependencies.cwd);
    reporter.say(`$ filecloudsync sync ${shellWord(folder)} s3://${DEMO_BUCKET}`);
    return withPair(machine, (pair) =>
      pair.sync({ signal: stops.hard, softSignal: stops.soft, onEvent: listener(context) }),
    );
  };
  const showSides = async (): Promise<void> => {
    const files = new Map([...(await readTree(place.folder))].map(([path, bytes]) => [path, bytes.length]));
    const table = sideBySide(
      { title: `${shownPath(place.folder, dependencies.cwd)}/`, files },
      { title: `s3://${DEMO_BUCKET}/`, files: await world.bucket.list() },
    );
    say(context, 'sides', true, `\n${table}`);
  };
  const stamp = new Date(dependencies.clock.nowMs()).toISOString();
  for (const step of tourSteps({ place, world, stamp, withPair, sync, showSides, say: (text) => reporter.say(text) })) {
    if (stops.stopped) return EXIT.stopped;
    reporter.result(
      { type: 'step', name: `${step.name}:begin`, ok: true, message: step.title },
      () => `\n${style.strong(step.title)}`,
    );
    try {
      const found = await step.run();
      say(context, step.name, true, style.good(`✔ ${found}`));
    } catch (error) {
      if (stops.stopped) return EXIT.stopped;
      reporter.result(
        { type: 'step', name: step.name, ok: false, message: error instanceof Error ? error.message : String(error) },
        () => `${style.bad('✘')} ${errorText(error, style)}`,
      );
      return EXIT.failed;
    }
  }
  return EXIT.done;
}

function say({ reporter }: CommandContext, name: string, ok: boolean, text: string): void {
  reporter.result({ type: 'step', name, ok, message: text }, () => text);
}

async function withMachine<T>(
  context: CommandContext,
  place: DemoPlace,
  world: DemoWorld,
  machine: 'a' | 'b',
  work: (pair: Pair) => Promise<T>,
): Promise<T> {
  const { dependencies } = context;
  const { endpoint, accessKeyId, secretAccessKey } = world;
  const client = await dependencies.connect({
    endpoint,
    accessKeyId,
    secretAccessKey,
    region: 'us-east-1',
    bucket: DEMO_BUCKET,
  });
  try {
    const [folder, stateDir] = machine === 'a' ? [place.folder, place.state] : [place.machineB, place.stateB];
    const pair = await dependencies.openPair(
      client,
      `s3://${DEMO_BUCKET}`,
      folder,
      withDefaults({ stateDir, ...PAIR_OPTIONS }),
    );
    try {
      return await work(pair);
    } finally {
      await pair.close();
    }
  } finally {
    client.destroy();
  }
}

function watchContext(context: CommandContext, place: DemoPlace, world: DemoWorld): CommandContext {
  const { endpoint, accessKeyId, secretAccessKey } = world;
  const connect = { endpoint, accessKeyId, secretAccessKey, region: 'us-east-1' };
  const sync = { stateDir: place.state, ...PAIR_OPTIONS };
  return {
    ...context,
    options: { sync, connect, monitor: { ...sync, ...connect, delaySeconds: WATCH_SECONDS } },
    pairNames: () => ({ folder: place.folder, address: `s3://${DEMO_BUCKET}`, bucket: DEMO_BUCKET }),
  };
}

function endText(place: DemoPlace, cwd: string): string {
  return `
Everything it showed was checked, byte for byte. The server has ended; all of it is in ${shellWord(shownPath(place.root, cwd))}.
Run "filecloudsync demo" in a terminal to try it out by hand while it watches.`;
}

function closingText(place: DemoPlace, world: DemoWorld, cwd: string): string {
  const folder = shellWord(shownPath(place.folder, cwd));
  const machineB = shellWord(shownPath(place.machineB, cwd));
  const root = shellWord(shownPath(place.root, cwd));
  return `
Look at both sides while the demo runs, from another terminal, as machine B:

  export S3_ENDPOINT=${world.endpoint} S3_REGION=us-east-1
  export S3_ACCESS_KEY=${world.accessKeyId} S3_SECRET_KEY=${world.secretAccessKey}
  export FILECLOUDSYNC_STATE_DIR=${shellWord(place.stateB)}
  npx filecloudsync plan ${machineB} s3://${DEMO_BUCKET}
  npx filecloudsync sync ${machineB} s3://${DEMO_BUCKET}
  npx filecloudsync trash ${machineB} s3://${DEMO_BUCKET}

With the tool of AWS, if you have it:

  AWS_ACCESS_KEY_ID=${world.accessKeyId} AWS_SECRET_ACCESS_KEY=${world.secretAccessKey} AWS_REGION=us-east-1 \\
    aws --endpoint-url ${world.endpoint} s3 ls --recursive s3://${DEMO_BUCKET}

Things to try: write, rename or delete files in ${folder}, and sync
machine B; run the demo again (it goes on where it was); kill it with kill -9 and
run it again. All of it is in ${root}: delete that when you are done.`;
}

function shownPath(path: string, cwd: string): string {
  const way = relative(cwd, path);
  return way === '' || way.startsWith('..') ? path : way;
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
