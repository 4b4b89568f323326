import { createHash } from 'node:crypto';
import { clearKey, type Patience } from './clear-scratch.js';
import { endUnlessRefused, ProbeEnded } from './probe-ended.js';
import { isContent, type Answer, type CopySource, type PartTarget, type S3Api } from './s3-api.js';
import { scratchKeys, type ScratchKeys, type ScratchName } from './scratch-key.js';
import { isTransientFailure, readFailure } from './service-error.js';

/** What a {@link Scratch} works with. */
export interface ScratchTools {
  readonly api: S3Api;
  /** The same, for requests that have to be under way together, however few the bound of requests in flight allows. */
  readonly together: S3Api;
  /** Notes durably how many sets of keys may have to be removed; called before the first request to the last of them. */
  readonly onKeys: (sets: number) => Promise<void>;
  readonly signal: AbortSignal | undefined;
}

/** All that a trial has made, or may have made, until it is removed. */
export class ScratchLedger {
  readonly tools: ScratchTools;
  readonly #base: string;
  #sets = 0;
  #notedSets = 0;
  #noting: Promise<void> = Promise.resolve();
  /** The text that stands at a key, `null` for none; a key that is missing here is not known. */
  readonly standing = new Map<string, string | null>();
  readonly touched = new Set<string>();
  /** Uploads that were begun and not ended, with their keys. */
  readonly uploads = new Map<string, string>();
  /** Keys of uploads that may have been begun, by what name nobody knows. */
  readonly namelessUploads = new Set<string>();

  /** @param base - beginning of the keys, which nobody has used before. */
  constructor(base: string, tools: ScratchTools) {
    this.#base = base;
    this.tools = tools;
  }

  /** Gives keys at which nothing stands, and that nobody else is given. They are noted by then. */
  async takeKeys(): Promise<ScratchKeys> {
    const set = ++this.#sets;
    // One after the other, so that the note of fewer sets is not the last.
    this.#noting = this.#noting.then(() => this.#note(set));
    await this.#noting;
    const keys = scratchKeys(this.#base, set);
    for (const key of Object.values(keys)) this.standing.set(key, null);
    return keys;
  }

  async #note(set: number): Promise<void> {
    if (set <= this.#notedSets) return;
    const sets = this.#sets;
    await this.tools.onKeys(sets);
    this.#notedSets = sets;
  }

  /** Removes all that may have been made, whether the caller gave up or not; answers whether nothing is left. Never throws. */
  async clear(patience: Patience): Promise<boolean> {
    const cleared = await Promise.all(
      Array.from(this.touched, (key) => {
        const isKnownAbsent = this.standing.get(key) === null;
        const uploads = [...this.uploads].flatMap(([id, at]) => (at === key ? [id] : []));
        const isNameless = this.namelessUploads.has(key);
        return clearKey(this.tools.api, key, { uploads, isNameless, isKnownAbsent }, patience);
      }),
    );
    return cleared.every(Boolean);
  }
}

/**
 * The objects that questions of a trial are asked with, one after the other, and what is known to stand at their keys. When an
 * answer was lost, nothing is known any more and what was sent may still act: then it goes on with other keys.
 */
export class Scratch {
  readonly #ledger: ScratchLedger;
  readonly #tools: ScratchTools;
  #keys: ScratchKeys;

  private constructor(ledger: ScratchLedger, keys: ScratchKeys) {
    this.#ledger = ledger;
    this.#tools = ledger.tools;
    this.#keys = keys;
  }

  static async open(ledger: ScratchLedger): Promise<Scratch> {
    return new Scratch(ledger, await ledger.takeKeys());
  }

  /** Takes other keys, at which nothing stands. */
  async renew(): Promise<void> {
    this.#keys = await this.#ledger.takeKeys();
  }

  async etagAt(name: ScratchName): Promise<string | null> {
    const key = this.#keyOf(name);
    const answer = await this.#tools.api.head(key, this.#tools.signal);
    if (answer.ok) return answer.value.etag;
    if (answer.failure.status !== 404) throw new ProbeEnded(answer.failure);
    this.#ledger.standing.set(key, null);
    return null;
  }

  /** Sees to it that something stands there: what does already, unless another text is asked for. */
  async fill(name: ScratchName, text?: string): Promise<void> {
    const standing = this.#ledger.standing.get(this.#keyOf(name)) ?? null;
    if (standing === null || (text !== undefined && standing !== text)) must(await this.put(name, text ?? 'one'));
  }

  /** Sees to it that nothing stands there. */
  async empty(name: ScratchName): Promise<void> {
    if (this.#ledger.standing.get(this.#keyOf(name)) !== null) must(await this.remove(name, {}));
  }

  /** What stands there is not what was believed. */
  forget(name: ScratchName): void {
    this.#ledger.standing.delete(this.#keyOf(name));
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
    if (isOneKnown) this.#ledger.standing.set(this.#keyOf(name), texts[answers.findIndex(({ ok }) => ok)] ?? '');
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
    const text = this.#ledger.standing.get(source.key) ?? '';
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
    if (answer.ok) this.#ledger.uploads.delete(target.uploadId);
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
    const response = await this.#tools.api.get(this.#keyOf(name), headers, this.#tools.signal);
    if (!isContent(response)) return { ok: false, failure: await readFailure(response) };
    for await (const chunk of response.body) void chunk;
    return { ok: true, value: undefined };
  }

  #keyOf(name: ScratchName): string {
    return this.#keys[name];
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
    const before = this.#ledger.standing.get(key);
    this.#ledger.touched.add(key);
    this.#ledger.standing.delete(key);
    const answer = await send(key);
    // That a refusal changed nothing is looked at where it matters; a failure of the service may hide that it acted.
    const standing = answer.ok ? text : isTransientFailure(answer.failure) ? undefined : before;
    if (standing !== undefined) this.#ledger.standing.set(key, standing);
    return answer;
  }

  async #begin(name: ScratchName): Promise<PartTarget> {
    const key = this.#keyOf(name);
    this.#ledger.touched.add(key);
    this.#ledger.namelessUploads.add(key);
    const uploadId = must(await this.#tools.api.createUpload(key, {}, this.#tools.signal));
    this.#ledger.namelessUploads.delete(key);
    this.#ledger.uploads.set(uploadId, key);
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
    if (answer?.ok === true) this.#ledger.uploads.delete(uploadId);
  }
}

/** The value of an answer without which a trial cannot go on. */
export function must<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new ProbeEnded(answer.failure);
  return answer.value;
}
