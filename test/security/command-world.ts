import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plainBucket } from '../../src/cli/demo/plain-bucket.js';
import { runCommand } from '../../src/cli/run-command.js';
import { connect } from '../../src/s3/connect.js';
import { openRealPair } from '../../src/s3/open-port.js';
import { systemRuntime } from '../../src/s3/system-runtime.js';
import { startS3Server, type S3Server } from '../../src/testing/s3/index.js';

const KEYS = { accessKeyId: 'test-key', secretAccessKey: 'test-secret' };

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real command on a real folder and the embedded server, inside this process. */
export class CommandWorld {
  readonly base = mkdtempSync(join(tmpdir(), 'fcs-security-'));
  readonly folder = join(this.base, 'folder');
  readonly logFile = join(this.base, 'log.jsonl');
  readonly bucket: ReturnType<typeof plainBucket>;
  readonly #server: S3Server;

  private constructor(server: S3Server) {
    this.#server = server;
    this.bucket = plainBucket({ endpoint: server.endpoint, name: 'bucket', ...KEYS, nowMs: () => Date.now() });
  }

  static async open(): Promise<CommandWorld> {
    const world = new CommandWorld(await startS3Server({ credentials: KEYS }));
    mkdirSync(world.folder);
    await world.bucket.create();
    return world;
  }

  async close(): Promise<void> {
    await this.#server.close();
    rmSync(this.base, { recursive: true, force: true });
  }

  /** Runs `filecloudsync COMMAND folder s3://bucket … --log`. */
  async run(command: string, ...more: readonly string[]): Promise<Ended> {
    let stdout = '';
    let stderr = '';
    const state = ['--state-dir', join(this.base, 'state')];
    const code = await runCommand([command, this.folder, 's3://bucket', ...more, '--log', this.logFile, ...state], {
      openPair: openRealPair,
      connect: (options) => connect({ ...options, ...KEYS, endpoint: this.#server.endpoint, region: 'us-east-1' }),
      createMonitor: () => Promise.reject(new Error('these tests watch nothing')),
      startDemoWorld: () => Promise.reject(new Error('these tests show nothing')),
      stdout: { write: (text) => void (stdout += text) },
      stderr: { write: (text) => void (stderr += text) },
      env: {},
      cwd: this.base,
      clock: systemRuntime.clock,
      isTTY: { stdin: false, stdout: false, stderr: false },
      columns: () => 100,
      onSignal: () => () => undefined,
      ask: async () => undefined,
      exit: (left) => {
        throw new Error(`the command left with ${left}`);
      },
      version: '0.0.0',
    });
    return { code, stdout, stderr };
  }

  /** The lines of the log, oldest first. */
  log(): Record<string, unknown>[] {
    return readFileSync(this.logFile, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  }
}
