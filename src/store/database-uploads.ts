import { putSealed, type StateContext } from './state-context.js';
import type { UploadRecord, UploadStore } from './state-store.js';

const PREFIX = 'u!';

/** Uploads in progress over a database, one row per path and upload: none is forgotten when a path begins a second one. */
export class DatabaseUploads implements UploadStore {
  readonly #context: StateContext;

  constructor(context: StateContext) {
    this.#context = context;
  }

  /** The upload of this path that began last. */
  async get(path: string): Promise<UploadRecord | undefined> {
    const records = await this.#below(keyOf(path, ''));
    return records.reduce<UploadRecord | undefined>(
      (last, record) => (last === undefined || record.startedAtMs >= last.startedAtMs ? record : last),
      undefined,
    );
  }

  /** Durable when it resolves: an upload that is forgotten costs storage until somebody finds it. */
  async put(record: UploadRecord): Promise<void> {
    await this.#context.batch([putSealed(keyOf(record.path, record.uploadId), record)], { sync: true });
  }

  async delete(path: string, uploadId: string): Promise<void> {
    await this.#context.batch([{ type: 'del', key: keyOf(path, uploadId) }]);
  }

  list(): Promise<UploadRecord[]> {
    return this.#below(PREFIX);
  }

  async #below(prefix: string): Promise<UploadRecord[]> {
    const records: UploadRecord[] = [];
    for await (const page of this.#context.scan(prefix)) {
      for (const [, value] of page) records.push(value as UploadRecord);
    }
    return records;
  }
}

/** A path holds no NUL, so that the two parts cannot run into each other. */
function keyOf(path: string, uploadId: string): string {
  return `${PREFIX}${path}\0${uploadId}`;
}
