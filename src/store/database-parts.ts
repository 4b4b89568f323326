import type { PartDigests } from '../core/part-digests.js';
import { putSealed, type StateContext } from './state-context.js';
import type { PartsStore } from './state-store.js';

/** Begins the keys of part digests; those of one path go with its row of the baseline. */
export const PARTS_PREFIX = 'p!';

const MD5_BYTES = 16;

/** As it is kept: the digests in base64, 16 bytes each. */
interface KeptParts {
  readonly fingerprint: string;
  readonly partSizeBytes: number;
  readonly md5s: string;
}

/** Part digests over a database, one row per path. Not synced: what is lost costs a transfer, and nothing else. */
export class DatabaseParts implements PartsStore {
  readonly #context: StateContext;

  constructor(context: StateContext) {
    this.#context = context;
  }

  async get(path: string, fingerprint: string): Promise<PartDigests | undefined> {
    const kept = (await this.#context.get(PARTS_PREFIX + path)) as KeptParts | undefined;
    if (kept === undefined || kept.fingerprint !== fingerprint) return undefined;
    const bytes = Buffer.from(kept.md5s, 'base64');
    const md5s = Array.from({ length: bytes.length / MD5_BYTES }, (_, i) =>
      bytes.subarray(i * MD5_BYTES, (i + 1) * MD5_BYTES).toString('hex'),
    );
    return { partSizeBytes: kept.partSizeBytes, md5s };
  }

  async put(path: string, fingerprint: string, { partSizeBytes, md5s }: PartDigests): Promise<void> {
    const kept: KeptParts = {
      fingerprint,
      partSizeBytes,
      md5s: Buffer.concat(md5s.map((md5) => Buffer.from(md5, 'hex'))).toString('base64'),
    };
    await this.#context.batch([putSealed(PARTS_PREFIX + path, kept)]);
  }
}
