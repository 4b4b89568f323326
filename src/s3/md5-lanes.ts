import type * as NodeCrypto from 'node:crypto';

/** What is used of `WebAssembly`. */
export interface WebAssemblyPart {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
}

/**
 * Makes MD5s of several messages at once, of those lengths in bytes. `read` puts the bytes of a message from `position` on into
 * all of `target`, and answers whether it could: where it could not, the message has no digest.
 */
export type Md5Lanes = (
  lengths: readonly number[],
  read: (message: number, target: Uint8Array, position: number) => boolean,
) => (Uint8Array | undefined)[];

/**
 * Makes {@link Md5Lanes} of the module that `md5-lanes-module.ts` writes; `undefined` where it does not run, or does not make the
 * digests that `createHash` makes of the same messages.
 *
 * It may be sent to a thread as text: it uses nothing from around it.
 */
export function createMd5Lanes(
  wasm: WebAssemblyPart | undefined,
  module: Uint8Array,
  createHash: typeof NodeCrypto.createHash,
): Md5Lanes | undefined {
  type Run = (state: number, data: number, stride: number, blocks: number) => void;
  interface Exports {
    readonly memory: { readonly buffer: ArrayBuffer };
    readonly lanes4: Run;
    readonly lanes8: Run;
  }
  const BLOCK = 64;
  const MOST_LANES = 8;
  /** Of memory: the states, the states of one message that ends, its last blocks, and the data of each. */
  const STATES = 0;
  const LAST_STATE = 256;
  const LAST_BLOCKS = 512;
  const DATA = 1024;
  const DATA_BYTES = 64 * 1024;
  /** As many bytes as a power of two would have all messages share the same lines of the processor's cache. */
  const STRIDE = DATA_BYTES + BLOCK;
  const FIRST_STATE = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;

  const start = (): Md5Lanes | undefined => {
    if (wasm === undefined) return undefined;
    let exports: Exports;
    try {
      exports = new wasm.Instance(new wasm.Module(module)).exports as Exports;
    } catch {
      // This processor has no SIMD.
      return undefined;
    }
    const { memory, lanes4, lanes8 } = exports;
    const bytes = new Uint8Array(memory.buffer);
    const words = new DataView(memory.buffer);
    const wordAt = (state: number, lane: number, word: number): number =>
      state + (lane >> 2) * 64 + word * 16 + (lane & 3) * 4;

    /** Takes what follows the last whole block, with the padding, in a state of its own. */
    const end = (lane: number, rest: Uint8Array, length: number): Uint8Array => {
      const blocks = rest.length + 9 > BLOCK ? 2 : 1;
      const last = bytes.subarray(LAST_BLOCKS, LAST_BLOCKS + blocks * BLOCK).fill(0);
      last.set(rest);
      last[rest.length] = 0x80;
      words.setBigUint64(LAST_BLOCKS + blocks * BLOCK - 8, BigInt(length) * 8n, true);
      const states = [0, 1, 2, 3];
      for (const word of states)
        words.setUint32(wordAt(LAST_STATE, 0, word), words.getUint32(wordAt(STATES, lane, word)));
      lanes4(LAST_STATE, LAST_BLOCKS, 0, blocks);
      const digest = new Uint8Array(16);
      for (const word of states) {
        const at = wordAt(LAST_STATE, 0, word);
        digest.set(bytes.subarray(at, at + 4), word * 4);
      }
      return digest;
    };

    const few = (lengths: readonly number[], read: Parameters<Md5Lanes>[1]): (Uint8Array | undefined)[] => {
      const digests: (Uint8Array | undefined)[] = lengths.map(() => undefined);
      const run = lengths.length > 4 ? lanes8 : lanes4;
      for (const lane of lengths.keys())
        for (const [word, value] of FIRST_STATE.entries()) words.setUint32(wordAt(STATES, lane, word), value, true);
      const dataOf = (lane: number, length: number): Uint8Array => {
        const at = DATA + lane * STRIDE;
        return bytes.subarray(at, at + length);
      };
      let going = [...lengths.keys()];
      for (let position = 0; going.length > 0;) {
        const left = (lane: number): number => (lengths[lane] ?? 0) - position;
        for (const lane of going) {
          if (left(lane) >= BLOCK) continue;
          const rest = dataOf(lane, left(lane));
          if (read(lane, rest, position)) digests[lane] = end(lane, rest, lengths[lane] ?? 0);
        }
        going = going.filter((lane) => left(lane) >= BLOCK);
        if (going.length === 0) break;
        const shortest = Math.min(DATA_BYTES, ...going.map(left));
        const step = shortest - (shortest % BLOCK);
        const at = position;
        going = going.filter((lane) => read(lane, dataOf(lane, step), at));
        run(STATES, DATA, STRIDE, step / BLOCK);
        position += step;
      }
      return digests;
    };
    return (lengths, read) => {
      const digests: (Uint8Array | undefined)[] = [];
      for (let first = 0; first < lengths.length; first += MOST_LANES)
        digests.push(...few(lengths.slice(first, first + MOST_LANES), (lane, ...how) => read(first + lane, ...how)));
      return digests;
    };
  };

  /** Of messages of all lengths about a block, and of more than one step. */
  const isRight = (lanes: Md5Lanes): boolean => {
    const content = Uint8Array.from({ length: DATA_BYTES + 200 }, (_, i) => (i * 73) ^ (i >> 8));
    const lengths = [...Array.from({ length: 2 * BLOCK + 3 }, (_, i) => i), DATA_BYTES + 55, DATA_BYTES + 56];
    const found = lanes(lengths, (message, target, position) => {
      target.set(content.subarray(message + position, message + position + target.length));
      return true;
    });
    return lengths.every((length, i) => {
      const wanted = createHash('md5')
        .update(content.subarray(i, i + length))
        .digest();
      return wanted.equals(found[i] ?? new Uint8Array());
    });
  };

  const lanes = start();
  return lanes !== undefined && isRight(lanes) ? lanes : undefined;
}
