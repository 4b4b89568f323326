import { putSealed, type StateContext } from './state-context.js';
import type { FactStore } from './state-store.js';

const PREFIX = 'f!';

/** Facts over a database. A fact is durable when `put` resolves; putting `undefined` deletes it. */
export class DatabaseFacts implements FactStore {
  readonly #context: StateContext;

  constructor(context: StateContext) {
    this.#context = context;
  }

  async get<T>(name: string): Promise<T | undefined> {
    return (await this.#context.get(PREFIX + name)) as T | undefined;
  }

  async put(name: string, value: unknown): Promise<void> {
    if (value === undefined) return this.delete(name);
    await this.#context.batch([putSealed(PREFIX + name, value)], { sync: true });
  }

  async delete(name: string): Promise<void> {
    await this.#context.batch([{ type: 'del', key: PREFIX + name }]);
  }

  async list<T>(prefix: string): Promise<(readonly [name: string, value: T])[]> {
    const facts: (readonly [string, T])[] = [];
    for await (const page of this.#context.scan(PREFIX + prefix)) {
      for (const [key, value] of page) facts.push([key.slice(PREFIX.length), value as T]);
    }
    return facts;
  }
}
