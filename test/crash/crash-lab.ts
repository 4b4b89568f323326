import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { openBuckets, type Bucket } from './bucket.js';
import { bundle, type Bundle } from './bundle.js';
import type { DriverInput } from './driver.js';
import { runCommand, type CommandInput, type CommandOutcome } from './run-command.js';
import type { Scenario } from './scenarios.js';
import { World, type Picture } from './world.js';

/** What a scenario comes to when nobody is killed. */
export interface Reference {
  readonly steps: readonly string[];
  readonly picture: Picture;
  readonly quiet: CommandOutcome | undefined;
}

/** A run that ended by itself. */
interface Ended {
  readonly outcome: CommandOutcome;
  readonly steps: readonly string[];
  /** Bytes of objects that were fetched. */
  readonly fetchedBytes: number;
}

/** Where processes are killed: a server in a process of its own, and worlds that use it. */
export class CrashLab {
  readonly #bundle: Bundle;
  readonly #server: ChildProcess;
  /** Where the server is. */
  readonly endpoint: string;
  readonly #buckets: ReturnType<typeof openBuckets>;
  readonly #data: string;
  #count = 0;

  private constructor(parts: { bundle: Bundle; server: ChildProcess; endpoint: string; data: string }) {
    this.#bundle = parts.bundle;
    this.#server = parts.server;
    this.endpoint = parts.endpoint;
    this.#data = parts.data;
    this.#buckets = openBuckets(parts.endpoint);
  }

  static async open(): Promise<CrashLab> {
    const built = await bundle();
    const data = mkdtempSync(join(tmpdir(), 'fcs-crash-server-'));
    const server = spawn(process.execPath, [built.server, data], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: server.stdout });
    const { value } = await lines[Symbol.asyncIterator]().next();
    return new CrashLab({ bundle: built, server, endpoint: String(value), data });
  }

  async close(): Promise<void> {
    await this.#buckets.close();
    const ended = new Promise((resolve) => this.#server.once('close', resolve));
    this.#server.stdin?.end();
    await ended;
    await this.#bundle.remove();
    rmSync(this.#data, { recursive: true, force: true });
  }

  /** An empty folder and an empty bucket. */
  async world(): Promise<World> {
    return new World(await this.bucket());
  }

  /** An empty bucket. */
  async bucket(): Promise<Bucket> {
    const bucket = this.#buckets.bucket(`crash-${process.pid}-${++this.#count}`);
    await bucket.create();
    return bucket;
  }

  /** Starts a process that carries out a command as it does for a person: nobody looks at its steps. */
  start(input: CommandInput): ChildProcessByStdio<null, Readable, Readable> {
    return spawn(process.execPath, [this.#bundle.unwatched, JSON.stringify(input)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Runs a scenario with nobody killed: its steps, and what it comes to. */
  async reference(scenario: Scenario): Promise<Reference> {
    const world = await this.#set(scenario);
    try {
      const { steps, fetchedBytes: fetched } = await this.#inProcess(world, scenario);
      const { fetchedBytes = fetched } = scenario;
      if (fetched !== fetchedBytes)
        throw new Error(`"${scenario.name}" fetched ${fetched} bytes instead of ${fetchedBytes}`);
      await scenario.between?.(world);
      if (scenario.between !== undefined) await runCommand(this.#input(world, scenario));
      const quiet = await this.#quietRun(world, scenario);
      return { steps, picture: await world.picture(), quiet };
    } finally {
      world.dispose();
    }
  }

  /**
   * Runs a scenario, kills its process at a step, and each run after it at one of the steps given; then lets one run end.
   * Answers what is wrong, in sentences, and the steps of the run that was let end when `traced`.
   */
  async kill(
    scenario: Scenario,
    kills: readonly string[],
    reference: Reference,
    { traced = false } = {},
  ): Promise<KillResult> {
    const world = await this.#set(scenario);
    try {
      for (const [index, killAt] of kills.entries()) {
        const ended = await this.#process(world, scenario, killAt);
        if (ended !== undefined) return { type: 'missed', step: killAt };
        const lost = await missing(world, scenario);
        if (lost.length > 0) return { type: 'wrong', wrong: lost.map((each) => `after the kill ${each}`) };
        if (index === 0) await scenario.between?.(world);
      }
      const last: Ended | { readonly outcome: CommandOutcome } = traced
        ? await this.#inProcess(world, scenario)
        : { outcome: await runCommand(this.#inputAgain(world, scenario)) };
      const wrong = await this.#judge(world, scenario, last.outcome, reference);
      if (wrong.length > 0) return { type: 'wrong', wrong };
      return { type: 'right', steps: 'steps' in last ? last.steps : [] };
    } catch (error) {
      return {
        type: 'wrong',
        wrong: [`the next run failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`],
      };
    } finally {
      world.dispose();
    }
  }

  async #judge(world: World, scenario: Scenario, outcome: CommandOutcome, reference: Reference): Promise<string[]> {
    const wrong = await missing(world, scenario);
    if (outcome.rebuilt) wrong.push('the memory was rebuilt');
    wrong.push(...outcome.problems.map((problem) => `the next run had a problem: ${problem}`));
    wrong.push(...(await world.leftovers()).map((each) => `left behind: ${each}`));
    const quiet = await this.#quietRun(world, scenario);
    if (JSON.stringify(quiet) !== JSON.stringify(reference.quiet)) {
      wrong.push(
        `the run after the next was not quiet: ${JSON.stringify(quiet)} instead of ${JSON.stringify(reference.quiet)}`,
      );
    }
    wrong.push(...differences(await world.picture(), scenario, reference));
    return wrong;
  }

  /** One more sync, which should find nothing to do; none where there is no folder any more. */
  async #quietRun(world: World, scenario: Scenario): Promise<CommandOutcome | undefined> {
    const { do: what } = scenario.command ?? { do: 'sync' };
    if (what === 'remove-folder' || what === 'plan') return undefined;
    // What is forgotten begins anew, which is not quiet.
    if (what === 'forget') await runCommand({ ...this.#input(world, scenario), command: { do: 'sync' } });
    return { ...(await runCommand({ ...this.#input(world, scenario), command: { do: 'sync' } })), hashed: 0 };
  }

  async #set(scenario: Scenario): Promise<World> {
    const world = await this.world();
    const sync = (): Promise<CommandOutcome> =>
      runCommand({ ...this.#input(world, scenario), command: { do: 'sync' } });
    if (scenario.agreed !== undefined) {
      await scenario.agreed(world);
      await sync();
    }
    await scenario.change?.(world);
    // These begin where a sync has ended.
    const { do: what } = scenario.command ?? { do: 'sync' };
    if (what === 'resolve' || what === 'restore-oldest' || what === 'purge') await sync();
    return world;
  }

  #input(world: World, scenario: Scenario): CommandInput {
    return {
      endpoint: this.endpoint,
      bucket: world.bucket.name,
      folder: world.folder,
      stateDir: world.stateDir,
      command: scenario.command ?? { do: 'sync' },
      options: scenario.options ?? {},
      probes: scenario.probes ?? false,
      pieceBytes: scenario.pieceBytes,
    };
  }

  #inputAgain(world: World, scenario: Scenario): CommandInput {
    const input = this.#input(world, scenario);
    return { ...input, command: scenario.again ?? input.command };
  }

  async #inProcess(world: World, scenario: Scenario): Promise<Ended> {
    const ended = await this.#process(world, scenario);
    if (ended === undefined) throw new Error('the process was killed though nobody asked for it');
    return ended;
  }

  /** `undefined` when it was killed. */
  async #process(world: World, scenario: Scenario, killAt?: string): Promise<Ended | undefined> {
    const input: DriverInput = { ...this.#input(world, scenario), ...(killAt !== undefined && { killAt }) };
    const child = spawn(process.execPath, [this.#bundle.driver, JSON.stringify(input)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once('close', (...ended) => resolve(ended)),
    );
    if (signal === 'SIGKILL' && killAt !== undefined) return undefined;
    if (code !== 0) throw new Error(`the process ended with ${code ?? signal}: ${errors}`);
    return JSON.parse(output) as Ended;
  }
}

/** How a kill ended. `missed`: the run never came to the step. */
export type KillResult =
  | { readonly type: 'right'; readonly steps: readonly string[] }
  | { readonly type: 'wrong'; readonly wrong: readonly string[] }
  | { readonly type: 'missed'; readonly step: string };

async function missing(world: World, { kept }: Scenario): Promise<string[]> {
  const contents = await world.contents();
  return kept
    .filter((content) => !contents.has(content))
    .map((content) => `a version is lost: ${content.slice(0, 60)}`);
}

/** How what stands differs from what the scenario comes to when nobody is killed. */
function differences(picture: Picture, { between, again, stands = [] }: Scenario, reference: Reference): string[] {
  // What a person does after the kill meets a run that got this far or that far: only that both sides agree is sure.
  const wanted =
    between === undefined && again === undefined
      ? reference.picture
      : { ...reference.picture, bucket: picture.folder, folder: picture.folder, trash: [] };
  const wrong: string[] = [];
  for (const side of ['folder', 'bucket'] as const) {
    const [found, expected] = [picture[side].join('\n'), wanted[side].join('\n')];
    if (found !== expected) wrong.push(`in the ${side} stands\n${found}\ninstead of\n${expected}`);
  }
  const missed = wanted.trash.filter((content) => !picture.trash.includes(content));
  const gone = stands.filter((path) => !picture.folder.some((line) => line.startsWith(`${path} = `)));
  wrong.push(...gone.map((path) => `nothing stands at ${path}`));
  return [...wrong, ...missed.map((content) => `not in the trash: ${content}`)];
}
