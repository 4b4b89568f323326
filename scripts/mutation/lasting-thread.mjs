// A pool for vitest whose thread outlives a run. Stryker starts vitest anew for each mutant; a thread of its own, with vitest and
// the packages loaded again, is nine tenths of that time. The modules under test are loaded anew for every test file all the same:
// vitest does so by itself (`isolate`), so no mutant finds what another has left in a module.
import { Worker } from 'node:worker_threads';
import path from 'node:path';

/** Files after which the thread is replaced, so that what V8 keeps of old modules stays bounded. */
const FILES_PER_THREAD = 400;

/** The thread that lasts, and how many files it has run. */
let lasting;

// oxlint-disable unicorn/require-post-message-target-origin -- a thread is no window

/** One of vitest's workers: of its own thread for a dry run, which counts what each test reaches; else of the one that lasts. */
class LastingWorker {
  name = 'lasting-thread';
  #options;
  #listeners = [];
  #config;
  #thread;

  constructor(options) {
    this.#options = options;
  }

  async start() {
    if (lasting !== undefined && lasting.files >= FILES_PER_THREAD) await discard();
    lasting ??= this.#open();
    this.#thread = lasting.thread;
  }

  #open() {
    const { distPath, env, execArgv } = this.#options;
    const thread = new Worker(path.join(distPath, 'workers', 'threads.js'), {
      env,
      execArgv,
      stdout: true,
      stderr: true,
    });
    thread.setMaxListeners(100);
    return { thread, files: 0, isSetUp: false };
  }

  on(event, callback) {
    this.#listeners.push([event, callback]);
    this.#thread.on(event, callback);
  }

  off(event, callback) {
    this.#listeners = this.#listeners.filter(([e, c]) => e !== event || c !== callback);
    this.#thread.off(event, callback);
  }

  send(message) {
    switch (message.type) {
      case 'start':
        this.#config = message.context.config;
        if (lasting.isSetUp) return this.#answer('started');
        lasting.isSetUp = true;
        return this.#thread.postMessage(message);
      case 'run':
        lasting.files++;
        // The thread was set up with the configuration of an earlier run.
        return this.#thread.postMessage({ ...message, context: { ...message.context, config: this.#config } });
      case 'stop':
        return this.#answer('stopped');
      default:
        return this.#thread.postMessage(message);
    }
  }

  /** Answers in place of the thread. */
  #answer(type) {
    queueMicrotask(() => {
      for (const [event, callback] of this.#listeners)
        if (event === 'message') callback({ type, __vitest_worker_response__: true });
    });
  }

  async stop() {
    for (const [event, callback] of this.#listeners) this.#thread.off(event, callback);
    this.#listeners = [];
  }

  deserialize(data) {
    return data;
  }
}

async function discard() {
  const { thread } = lasting;
  lasting = undefined;
  await thread.terminate();
}

/** A plugin for vitest's configuration; Stryker's runner asks for a pool of its own on the command line, so it is set after that. */
export function lastingThread() {
  return {
    name: 'lasting-thread',
    configureVitest({ project, vitest }) {
      const pool = { name: 'lasting-thread', createPoolWorker: (options) => new LastingWorker(options) };
      for (const config of [project.config, vitest.config])
        Object.assign(config, { pool: pool.name, poolRunner: pool });
      vitest.onClose(async () => {
        if (lasting !== undefined) await discard();
      });
    },
  };
}
