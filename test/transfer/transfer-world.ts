import type { BaselineRow } from '../../src/core/baseline.js';
import type { Action, Decision, RuleId } from '../../src/core/decision.js';
import type { PartDigests } from '../../src/core/part-digests.js';
import type { FileEntry } from '../../src/core/entry.js';
import type { Side } from '../../src/core/side.js';
import { MemoryReplica } from '../../src/replica/memory/memory-replica.js';
import type { TransferContext } from '../../src/transfer/context.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';

/** Both sides and what is remembered, in memory, as the carrying out of decisions needs them. */
export class TransferWorld {
  nowMs = Date.UTC(2026, 10, 22);
  readonly clock = {
    nowMs: (): number => this.nowMs,
    sleep: async (): Promise<void> => {},
  };
  readonly local = new MemoryReplica({ side: 'local', clock: this.clock });
  readonly remote = new MemoryReplica({ side: 'remote', clock: this.clock });
  readonly rows = new Map<string, BaselineRow>();
  readonly asides = new Map<string, string>();
  /** What is known of the parts of each version. */
  readonly parts = new Map<string, PartDigests>();
  /** What was asked of the memory, the changes of both sides and the bytes, in order. */
  readonly trace: string[] = [];
  readonly hashed: string[] = [];
  /** Contents that were opened and not closed yet. */
  openSources = 0;

  constructor() {
    for (const replica of [this.local, this.remote]) this.#count(replica);
  }

  context(options: Partial<TransferContext> = {}): TransferContext {
    return {
      local: this.local,
      remote: this.remote,
      baseline: {
        put: async (rows, { sync = false } = {}) => {
          for (const row of rows) {
            this.rows.set(row.path, row);
            this.trace.push(`record ${row.path}${sync ? ' durably' : ''}`);
          }
        },
        delete: async (paths, { sync = false } = {}) => {
          for (const path of paths) {
            this.rows.delete(path);
            this.trace.push(`forget ${path}${sync ? ' durably' : ''}`);
          }
        },
      },
      parts: {
        get: async (path, fingerprint) => this.parts.get(`${path} ${fingerprint}`),
        put: async (path, fingerprint, parts) => void this.parts.set(`${path} ${fingerprint}`, parts),
      },
      asides: {
        get: async (path) => this.asides.get(path),
        put: async (path, copyPath) => {
          this.asides.set(path, copyPath);
          this.trace.push(`note ${path}`);
        },
        delete: async (path) => {
          this.asides.delete(path);
          this.trace.push(`drop note ${path}`);
        },
      },
      runtime: { clock: this.clock, random: new SeededRandom(1) },
      readonly: false,
      conflict: 'newest',
      machine: 'laptop',
      nameRules: 'linux',
      onBytes: (path, direction, count) => void this.trace.push(`${direction} ${path} ${count}`),
      onHash: (path) => void this.hashed.push(path),
      ...options,
    };
  }

  /** Writes a file on one side, as a person or another machine does. */
  put(side: Side, path: string, content: string | Uint8Array, modifiedMs?: number): void {
    this[side].put(path, content, modifiedMs);
  }

  /** The file that stands on one side. */
  async entry(side: Side, path: string): Promise<FileEntry> {
    const entry = await this[side].observe(path);
    if (entry?.kind !== 'file') throw new Error(`no file at ${path}`);
    return entry;
  }

  text(side: Side, path: string): string | undefined {
    const content = this[side].content(path);
    return content === undefined ? undefined : new TextDecoder().decode(content);
  }

  async trashed(): Promise<string[]> {
    return (await this.local.trash.list()).map(({ path, reason, origin }) => `${path} ${reason} ${origin}`);
  }

  /** A decision about a path as both sides stand now. */
  async decision(rule: RuleId, action: Action, path: string, more: Partial<Decision> = {}): Promise<Decision> {
    const file = async (side: Side): Promise<FileEntry | null> => {
      const entry = await this[side].observe(path);
      return entry?.kind === 'file' ? entry : null;
    };
    return {
      path,
      rule,
      action,
      local: await file('local'),
      remote: await file('remote'),
      baseline: this.rows.get(path),
      ...more,
    };
  }

  #count(replica: MemoryReplica): void {
    const open = replica.open.bind(replica);
    replica.open = async (entry, signal) => {
      const source = await open(entry, signal);
      this.openSources++;
      return {
        ...source,
        close: async () => {
          this.openSources--;
          await source.close();
        },
      };
    };
    for (const change of ['write', 'remove', 'move'] as const) {
      const inner = replica[change].bind(replica) as (path: string, ...rest: unknown[]) => Promise<never>;
      replica[change] = async (path: string, ...rest: unknown[]): Promise<never> => {
        this.trace.push(`${change} ${replica.side} ${path}`);
        return await inner(path, ...rest);
      };
    }
  }
}
