import { createHash } from 'node:crypto';
import { clearKey, type Patience } from './clear-scratch.js';
import { endUnlessRefused, ProbeEnded } from './probe-ended.js';
import type { Answer, CopySource, PartTarget, S3Api } from './s3-api.js';
import { SCRATCH_NAMES, scratchKey, type ScratchName } from './scratch-key.js';
import { isTransientFailure } from './service-error.js';

/** What a {@link Scratch} works with. */
export interface ScratchTools {
  readonly api: S3Api;
  /** The same, for requests that have to be under way together, however few the bound of requests in flight allows. */
  readonly together: S3Api;
  /** Notes durably how many sets of keys may have to be removed; called before the first request to the last of them. */
  readonly onKeys: (sets: number) => Promise<void>;
  readonly signal: AbortSignal | undefined;
}

/**
 * The objects of a trial, and what is known to stand at their keys. When an answer was lost, nothing is known any more and
 * what was sent may still act: then the trial goes on with other keys. All that may have been made is remembered until it is
 * removed.
 */
export class Scratch {
  readonly #tools: ScratchTools;
  readonly #base: string;
  #sets = 0;
  /** The text that stands at a key, `null` for none; a key that is missing here is not known. */
  readonly #standing = new Map<string, string | null>();
  readonly #touched = new Set<string>();
  /** Uploads that were begun and not ended, with their keys. */
  readonly #uploads = new Map<string, string>();
  /** Keys of uploads that may have been begun, by what name nobody knows. */
  readonly #namelessUploads = new Set<string>();

  /** @param base - beginning of the keys, which nobody has used before. */
  constructor(base: string, tools: ScratchTools) {
    this.#base = base;
    this.#tools = tools;
  }

  /** Takes other keys, at which nothing stands. */
  async renew(): Promise<void> {
    await this.#tools.onKeys(++this.#sets);
    for (const name of SCRATCH_NAMES) this.#standing.set(this.#keyOf(name), null);
  }

  async etagAt(name: ScratchName): Promise<string | null> {
    const key = this.#keyOf(name);
    const answer = await this.#tools.api.head(key, this.#tools.signal);
    if (answer.ok) return answer.value.etag;
    if (answer.failure.status !== 404) throw new ProbeEnded(answer.failure);
    this.#standing.set(key, null);
    return null;
  }

  /** Sees to it that something stands there: what does already, unless another text is asked for. */
  async fill(name: ScratchName, text?: string): Promise<void> {
    const standing = this.#standing.get(this.#keyOf(name)) ?? null;
    if (standing === null || (text !== undefined && standing !== text)) must(await this.put(name, text ?? 'one'));
  }

  /** Sees to it that nothing stands there. */
  async empty(name: ScratchName): Promise<void> {
    if (this.#standing.get(this.#keyOf(name)) !== null) must(await this.remove(name, {}));
  }

  /** What stands there is not what was believed. */
  forget(name: ScratchName): void {
    this.#standing.delete(this.#keyOf(name));
  }

  put(name: ScratchName, text: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer<string>> {
    return this.#put(this.#tools.api, name, text, headers);
  }

  /** Several PUTs under one condition, all under way at the same time. */
  async race(
    name: ScratchName,
    texts: readonly string[],
    headers: Readonly<Record<string, string>>,
  ): Promise<readonly Answer<string>[]> {
    // Each is waited for, so that none arrives after its key was cleared.
    const settled = await Promise.allSettled(texts.map((text) => this.#put(this.#tools.together, name, text, headers)));
    this.forget(name);
    const answers = settled.map((each) => {
      if (each.status === 'rejected') throw each.reason;
      return each.value;
    });
    const isOneKnown = answers.filter(({ ok }) => ok).length === 1;
    if (isOneKnown) this.#standing.set(this.#keyOf(name), texts[answers.findIndex(({ ok }) => ok)] ?? '');
    return answers;
  }

  remove(name: ScratchName, headers: Readonly<Record<string, string>>): Promise<Answer<undefined>> {
    return this.#change(name, null, (key) => this.#tools.api.remove(key, headers, this.#tools.signal));
  }

  /** Copies `a`. */
  copyTo(
    name: ScratchName,
    ifMatch: string | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<string>> {
    const source = { key: this.#keyOf('a'), ifMatch };
    const text = this.#standing.get(source.key) ?? '';
    return this.#change(name, text, (key) => this.#tools.api.copy(source, key, headers, this.#tools.signal));
  }

  /** Makes an upload of one part and completes it under a condition; answers whether that took effect. */
  async complete(name: ScratchName, text: string, headers: Readonly<Record<string, string>>): Promise<boolean> {
    const { api, signal } = this.#tools;
    const body = Buffer.from(text);
    const target = await this.#begin(name);
    const etag = must(await api.uploadPart(target, body, {}, signal));
    const parts = [{ number: 1, etag, sizeBytes: body.length }];
    const answer = await this.#change(name, text, (key) => api.complete(key, target.uploadId, parts, headers, signal));
    if (answer.ok) this.#uploads.delete(target.uploadId);
    else {
      endUnlessRefused(answer.failure);
      await this.#abort(target.key, target.uploadId);
    }
    return answer.ok;
  }

  /** Sends a part of an upload that is never completed. */
  async sendPart(name: ScratchName, text: string, headers: Readonly<Record<string, string>>): Promise<Answer<string>> {
    const { api, signal } = this.#tools;
    return this.#inVain(name, (target) => api.uploadPart(target, Buffer.from(text), headers, signal));
  }

  /** Copies a range of `a` into an upload that is never completed. */
  async copyPart(
    name: ScratchName,
    ifMatch: string | undefined,
    range: readonly [start: number, end: number],
  ): Promise<Answer<string>> {
    const { api, signal } = this.#tools;
    const source: CopySource = { key: this.#keyOf('a'), ifMatch };
    return this.#inVain(name, (target) => api.copyPart(target, source, range, signal));
  }

  /** Reads all that stands there. */
  async read(name: ScratchName, headers: Readonly<Record<string, string>>): Promise<Answer<undefined>> {
    const answer = await this.#tools.api.get(this.#keyOf(name), headers, this.#tools.signal);
    if (!answer.ok) return answer;
    for await (const chunk of answer.value.body) void chunk;
    return { ok: true, value: undefined };
  }

  /** Removes all that may have been made, whether the caller gave up or not; answers whether nothing is left. Never throws. */
  async clear(patience: Patience): Promise<boolean> {
    for (const key of this.#touched) {
      const isKnownAbsent = this.#standing.get(key) === null;
      const uploads = [...this.#uploads].flatMap(([id, at]) => (at === key ? [id] : []));
      const isNameless = this.#namelessUploads.has(key);
      const isClear = await clearKey(this.#tools.api, key, { uploads, isNameless, isKnownAbsent }, patience);
      if (!isClear) return false;
    }
    return true;
  }

  #keyOf(name: ScratchName): string {
    return scratchKey(this.#base, this.#sets, name);
  }

  #put(
    api: S3Api,
    name: ScratchName,
    text: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<Answer<string>> {
    const md5 = createHash('md5').update(text).digest('base64');
    return this.#change(name, text, (key) =>
      api.put(key, Buffer.from(text), { 'content-md5': md5, ...headers }, this.#tools.signal),
    );
  }

  async #change<T>(
    name: ScratchName,
    text: string | null,
    send: (key: string) => Promise<Answer<T>>,
  ): Promise<Answer<T>> {
    const key = this.#keyOf(name);
    const before = this.#standing.get(key);
    this.#touched.add(key);
    this.#standing.delete(key);
    const answer = await send(key);
    // That a refusal changed nothing is looked at where it matters; a failure of the service may hide that it acted.
    const standing = answer.ok ? text : isTransientFailure(answer.failure) ? undefined : before;
    if (standing !== undefined) this.#standing.set(key, standing);
    return answer;
  }

  async #begin(name: ScratchName): Promise<PartTarget> {
    const key = this.#keyOf(name);
    this.#touched.add(key);
    this.#namelessUploads.add(key);
    const uploadId = must(await this.#tools.api.createUpload(key, {}, this.#tools.signal));
    this.#namelessUploads.delete(key);
    this.#uploads.set(uploadId, key);
    return { key, uploadId, number: 1 };
  }

  /** Puts a part into an upload that is aborted then. */
  async #inVain<T>(name: ScratchName, send: (target: PartTarget) => Promise<Answer<T>>): Promise<Answer<T>> {
    const target = await this.#begin(name);
    try {
      return await send(target);
    } finally {
      await this.#abort(target.key, target.uploadId);
    }
  }

  async #abort(key: string, uploadId: string): Promise<void> {
    const answer = await this.#tools.api.abortUpload(key, uploadId).catch(() => undefined);
    if (answer?.ok === true) this.#uploads.delete(uploadId);
  }
}

/** The value of an answer without which a trial cannot go on. */
export function must<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new ProbeEnded(answer.failure);
  return answer.value;
}
