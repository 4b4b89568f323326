import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';

/** Node.js up to this major version has a V8 that is known to take {@link ENGINE_OPTIONS}; of an unknown one it would complain. */
const NEWEST_KNOWN_MAJOR = 24;

/**
 * Options of V8 by which a run of a few seconds costs less. They change how soon code is compiled, and nothing that it does.
 *
 * - The parser of undici is one WebAssembly function of 34 KB. By default V8 compiles it a second time within the first answer,
 *   for 0.15 s of a processor and 30 MB, which some ten thousand answers earn back.
 * - What else is hot is optimised after eight times as much work as by default. Most of what runs a few thousand times would be
 *   optimised just before it is needed no more, and twice where its types were not all seen yet.
 */
export const ENGINE_OPTIONS: readonly string[] = ['--wasm-tiering-budget=2000000000', '--interrupt-budget=540000'];

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

/**
 * Sets {@link ENGINE_OPTIONS} for this process. To be called before undici's parser is loaded, which is at the first request;
 * only by a program, never by a library.
 *
 * What Node.js brings with it is compiled already, which holds as long as no option was changed: it is loaded before.
 */
export function tuneEngine(): void {
  if (Number.parseInt(process.versions.node, 10) > NEWEST_KNOWN_MAJOR) return;
  const require = createRequire(import.meta.url);
  for (const part of NEEDED_PARTS) require(`node:${part}`);
  for (const option of ENGINE_OPTIONS) setFlagsFromString(option);
}
