import type { Source } from '../replica.js';

/** With one part, whoever reads it hashes it for as little. */
const LEAST_PARTS = 2;

/** What is hashed, and how it is divided. */
interface DividedSource {
  readonly source: Source;
  readonly partSizeBytes: number;
  /** Numbers of the parts that the store holds, counted from 1. */
  readonly numbers: readonly number[];
}

/** The MD5s of those parts of a file that the store holds from an earlier run, made together while others are sent. */
export class HeldPartMd5s {
  readonly #stopper = new AbortController();
  readonly #md5s: Promise<ReadonlyMap<number, string>>;

  constructor(divided: DividedSource, signal: AbortSignal | undefined) {
    const stop = signal === undefined ? this.#stopper.signal : AbortSignal.any([this.#stopper.signal, signal]);
    this.#md5s = md5sOf(divided, stop);
    // Met by who asks, whatever else fails before.
    this.#md5s.catch(() => undefined);
  }

  /** In hex; `undefined` where nobody makes them for less than whoever reads the part. Fails as reading it does. */
  async of(number: number): Promise<string | undefined> {
    return (await this.#md5s).get(number);
  }

  /** Makes no more of them. Never throws; then nobody reads the file any more. */
  async end(): Promise<void> {
    this.#stopper.abort();
    await this.#md5s.catch(() => undefined);
  }
}

async function md5sOf(
  { source, partSizeBytes, numbers }: DividedSource,
  stop: AbortSignal,
): Promise<ReadonlyMap<number, string>> {
  if (source.partMd5s === undefined || numbers.length < LEAST_PARTS) return new Map();
  const parts = numbers.map((number) => number - 1);
  const md5s = await source.partMd5s(partSizeBytes, stop, parts);
  return new Map(numbers.map((number, i) => [number, md5s[i] ?? '']));
}
