/** A piece of WebAssembly: bytes, and pieces of it. */
type Code = number | readonly Code[];

/** The functions of the module, by how many messages each takes at once. */
export const LANE_COUNTS = [4, 8] as const;

/** How many registers of 128 bits hold one word of so many messages. */
const LANES_OF_A_REGISTER = 4;
const BLOCK_BYTES = 64;
const WORDS_OF_A_BLOCK = 16;
const WORD_BYTES = 4;
const STEPS = 64;
/** Of memory that the module has for states and data: 1 MiB. */
const PAGES = 16;

/** Of each round of RFC 1321 by how many bits its steps rotate, */
const ROTATIONS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;
/** which word of the block each takes, */
const WORDS: readonly ((index: number) => number)[] = [
  (index) => index,
  (index) => 5 * index + 1,
  (index) => 3 * index + 5,
  (index) => 7 * index,
];
/** and how it mixes three words of the state: F, G, H and I, the first two with one operation less. */
const MIXES: readonly ((b: Code, c: Code, d: Code) => Code)[] = [
  (b, c, d) => xor(d, and(b, xor(c, d))),
  (b, c, d) => xor(c, and(d, xor(b, c))),
  (b, c, d) => xor(xor(b, c), d),
  (b, c, d) => xor(c, or(b, not(d))),
];

/** What a function is called with, in this order: addresses and a distance in bytes, and how many blocks. */
const [STATE, DATA, STRIDE, BLOCKS] = [0, 1, 2, 3] as const;
const PARAMETERS = 4;

/**
 * A module of WebAssembly that makes MD5s (RFC 1321) of 4 or 8 messages at once, with the SIMD of the processor: each step of one
 * MD5 waits for the one before, so a processor that makes one at a time mostly waits.
 *
 * It exports `memory` and a function for each of {@link LANE_COUNTS}, `lanes4` and `lanes8`, called with
 * `(state, data, stride, blocks)`. They take `blocks` blocks of 64 bytes of each message, at least one; the next block of
 * message `i` begins at `data + i * stride`. The states begin at `state`, 64 bytes for each four messages: their words A, then
 * their words B, C and D.
 */
export function md5LanesModule(): Uint8Array<ArrayBuffer> {
  const bodies = LANE_COUNTS.map((lanes) => functionBody(lanes / LANES_OF_A_REGISTER));
  const type = [0x60, list(times(PARAMETERS, I32)), list([])];
  const memory = [0x00, unsigned(PAGES)];
  const exports = [
    [name('memory'), 0x02, 0],
    ...LANE_COUNTS.map((lanes, index) => [name(`lanes${lanes}`), 0x00, index]),
  ];
  return Uint8Array.from(
    bytesOf([
      MAGIC,
      section(1, [type]),
      section(3, times(bodies.length, 0)),
      section(5, [memory]),
      section(7, exports),
      section(10, bodies),
    ]),
  );
}

/** The registers of four messages. */
interface Lanes {
  /** A, B, C and D. */
  readonly state: readonly number[];
  /** The same before a block. */
  readonly before: readonly number[];
  readonly words: readonly number[];
}

function functionBody(groups: number): Code {
  let locals = PARAMETERS;
  const take = (count: number): number[] => Array.from({ length: count }, () => locals++);
  const all: readonly Lanes[] = Array.from({ length: groups }, () => ({
    state: take(4),
    before: take(4),
    words: take(WORDS_OF_A_BLOCK),
  }));
  const scratch = take(4);
  const taken = locals - PARAMETERS;
  const stateOfAll = (act: (register: number, offset: number) => Code): Code =>
    all.map(({ state }, group) => state.map((register, word) => act(register, (group * 4 + word) * 16)));
  const code = [
    stateOfAll((register, offset) => set(register, load(get(STATE), offset))),
    repeatWhile(get(BLOCKS), [
      all.map((lanes, group) => readBlock(lanes, group, scratch)),
      all.map(({ state, before }) => state.map((register, word) => set(before[word] ?? 0, get(register)))),
      // Each step of all groups in turn, so that one is worked on while another waits.
      Array.from({ length: STEPS }, (_, i) => all.map((lanes) => step(lanes, i, scratch[0] ?? 0))),
      all.map(({ state, before }) =>
        state.map((register, word) => set(register, add(get(register), get(before[word] ?? 0)))),
      ),
      set(DATA, sum(get(DATA), int(BLOCK_BYTES))),
      set(BLOCKS, difference(get(BLOCKS), int(1))),
    ]),
    stateOfAll((register, offset) => store(get(STATE), offset, get(register))),
    END,
  ];
  return sized([list([[unsigned(taken), V128]]), code]);
}

/** Reads a block of four messages, and turns it so that each register has the same word of all four. */
function readBlock({ words }: Lanes, group: number, scratch: readonly number[]): Code {
  const [first = 0, second = 0, third = 0, fourth = 0] = scratch;
  return [0, 4, 8, 12].map((word) => {
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words.slice(word);
    return [
      scratch.map((register, lane) =>
        set(register, load(laneAddress(group * LANES_OF_A_REGISTER + lane), word * WORD_BYTES)),
      ),
      set(w0, pick(get(first), get(second), [0, 4, 1, 5])),
      set(w1, pick(get(third), get(fourth), [0, 4, 1, 5])),
      set(w2, pick(get(first), get(second), [2, 6, 3, 7])),
      set(w3, pick(get(third), get(fourth), [2, 6, 3, 7])),
      set(first, pick(get(w0), get(w1), [0, 1, 4, 5])),
      set(second, pick(get(w0), get(w1), [2, 3, 6, 7])),
      set(third, pick(get(w2), get(w3), [0, 1, 4, 5])),
      set(fourth, pick(get(w2), get(w3), [2, 3, 6, 7])),
      scratch.map((register, i) => set(words[word + i] ?? 0, get(register))),
    ];
  });
}

/** One of the 64 steps: `a = b + ((a + mix(b, c, d) + word + constant) <<< rotation)`, after which the four change their names. */
function step({ state, words }: Lanes, index: number, scratch: number): Code {
  const round = Math.floor(index / 16);
  // The names move on by one with each step: what was A is B, and so on.
  const [a = 0, b = 0, c = 0, d = 0] = [0, 1, 2, 3].map((i) => state[(i - index + STEPS) % 4]);
  const word = words[(WORDS[round]?.(index) ?? 0) % WORDS_OF_A_BLOCK] ?? 0;
  const rotation = ROTATIONS[round]?.[index % 4] ?? 0;
  const mixed = MIXES[round]?.(get(b), get(c), get(d)) ?? [];
  const constant = Math.floor(Math.abs(Math.sin(index + 1)) * 2 ** 32);
  return [
    set(scratch, add(add(get(a), add(get(word), everyLane(constant))), mixed)),
    set(a, add(or(shiftLeft(get(scratch), rotation), shiftRight(get(scratch), 32 - rotation)), get(b))),
  ];
}

/** Where the block of a message begins. */
function laneAddress(lane: number): Code {
  return sum(get(DATA), product(get(STRIDE), int(lane)));
}

const MAGIC: Code = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const I32 = 0x7f;
const V128 = 0x7b;
const END = 0x0b;

const get = (local: number): Code => [0x20, unsigned(local)];
const set = (local: number, value: Code): Code => [value, 0x21, unsigned(local)];
const int = (value: number): Code => [0x41, signed(value)];
const sum = (one: Code, other: Code): Code => [one, other, 0x6a];
const difference = (one: Code, other: Code): Code => [one, other, 0x6b];
const product = (one: Code, other: Code): Code => [one, other, 0x6c];
/** The body, and again as long as the condition is not 0 after it. */
const repeatWhile = (condition: Code, body: Code): Code => [0x03, 0x40, body, condition, 0x0d, 0x00, END];

const simd = (operation: number): Code => [0xfd, unsigned(operation)];
/** An offset from an address, with no promise about its alignment. */
const place = (offset: number): Code => [0, unsigned(offset)];
const load = (address: Code, offset: number): Code => [address, simd(0), place(offset)];
const store = (address: Code, offset: number, value: Code): Code => [address, value, simd(11), place(offset)];
const everyLane = (word: number): Code => [
  simd(12),
  times(
    LANES_OF_A_REGISTER,
    [0, 8, 16, 24].map((bit) => (word >>> bit) & 0xff),
  ),
];
/** Four words out of the eight of two registers. */
const pick = (one: Code, other: Code, picked: readonly number[]): Code => [
  one,
  other,
  simd(13),
  picked.map((word) => [0, 1, 2, 3].map((byte) => WORD_BYTES * word + byte)),
];
const not = (value: Code): Code => [value, simd(77)];
const and = (one: Code, other: Code): Code => [one, other, simd(78)];
const or = (one: Code, other: Code): Code => [one, other, simd(80)];
const xor = (one: Code, other: Code): Code => [one, other, simd(81)];
const shiftLeft = (value: Code, bits: number): Code => [value, int(bits), simd(171)];
const shiftRight = (value: Code, bits: number): Code => [value, int(bits), simd(173)];
const add = (one: Code, other: Code): Code => [one, other, simd(174)];

function section(id: number, items: readonly Code[]): Code {
  return [id, sized(list(items))];
}

function sized(content: Code): Code {
  const bytes = bytesOf(content);
  return [unsigned(bytes.length), bytes];
}

function list(items: readonly Code[]): Code {
  return [unsigned(items.length), items];
}

function name(text: string): Code {
  return sized([...Buffer.from(text, 'latin1')]);
}

function times(count: number, code: Code): Code[] {
  return Array.from({ length: count }, () => code);
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? value : [(value & 0x7f) | 0x80, unsigned(value >>> 7)];
}

/** LEB128 of a number that is not negative, where the bit that says so counts. */
function signed(value: number): Code {
  return value < 0x40 ? value : [(value & 0x7f) | 0x80, signed(value >>> 7)];
}

function bytesOf(code: Code, bytes: number[] = []): number[] {
  if (typeof code === 'number') bytes.push(code);
  else for (const piece of code) bytesOf(piece, bytes);
  return bytes;
}
