import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';

/** Of a newer one nobody has seen whether its V8 takes the options, and it complains of those that it does not know. */
const NEWEST_KNOWN_MAJOR = 24;

/**
 * The parser of undici is one WebAssembly function of 34 KB. By default V8 compiles it a second time after the first few answers,
 * for 0.15 s of a processor and 30 MB, which some ten thousand answers earn back.
 */
const KEEP_PARSER = '--wasm-tiering-budget=2000000000';

/** Parts of Node.js that a run needs, by way of its packages too. One that is missing here costs a millisecond or two. */
const NEEDED_PARTS = [
  'assert',
  'crypto',
  'http',
  'http2',
  'net',
  'perf_hooks',
  'stream',
  'tls',
  'worker_threads',
  'zlib',
] as const;

/** The options of V8 by which a run of a few seconds costs less. They change how soon code is compiled, and nothing that it does. */
export function engineOptions(nodeMajor: number): readonly string[] {
  return nodeMajor > NEWEST_KNOWN_MAJOR ? [] : [KEEP_PARSER];
}

/**
 * Sets the options for this process. To be called before undici's parser is loaded, which is at the first request; only by a
 * program, never by a library.
 *
 * What Node.js brings with it is compiled already, which holds as long as no option was changed: it is loaded before.
 */
export function tuneEngine(): void {
  const options = engineOptions(Number.parseInt(process.versions.node, 10));
  if (options.length === 0) return;
  const require = createRequire(import.meta.url);
  for (const part of NEEDED_PARTS) require(`node:${part}`);
  for (const option of options) setFlagsFromString(option);
}
