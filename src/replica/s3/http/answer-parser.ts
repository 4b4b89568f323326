import { HttpError } from './http-error.js';

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** Lower-case names; of repeated headers the values are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Who takes an answer. */
export interface AnswerTaker {
  /** Called once, with the head of the answer that counts. */
  onHead(head: AnswerHead): void;
  /** Called for each piece of the body. The bytes hold until it returns. */
  onData(bytes: Uint8Array): void;
}

/** A head takes no more; Node.js allows as much. */
const MOST_HEAD_BYTES = 16 * 1024;
/** The line that says how long a chunk is. Extensions, which nobody uses, may make it longer than its number. */
const MOST_LINE_BYTES = 1024;
/** Answers that only say that another is to come. */
const MOST_INTERIM_ANSWERS = 16;

/** So long the next request may need to the service. */
const ON_THE_WAY_MS = 1000;

const CR = 0x0d;
const LF = 0x0a;
const BEGINNING = Buffer.from('HTTP/1.');
const END_OF_LINE = '\r\n';
const END_OF_HEAD = Buffer.from('\r\n\r\n');

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const NAME = /^[!#$%&'*+\-.^_`|~\w]+$/;
/** What may stand in no head: control characters, and half an end of line. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;
const LENGTH = /^\d{1,15}$/;
const KEPT_SECONDS = /\btimeout=(\d{1,9})/i;
const CHUNK_LINE = /^([\dA-Fa-f]{1,13})[ \t]*(?:;.*)?$/;

/** Names of headers as services write them, and in small letters. */
const knownNames = new Map<string, string>();
/** An honest service has a few dozen. */
const MOST_KNOWN_NAMES = 256;

/** What is to come next. `close`: the body ends with the connection. */
type Awaited = 'head' | 'body' | 'close' | 'chunk line' | 'chunk' | 'chunk end' | 'trailer' | 'nothing';

/**
 * Reads one answer after another from what comes on a connection, as RFC 9112 says it, and nothing that leaves a doubt about where
 * an answer ends: no folded headers, no two lengths, no length beside chunks, no ends of lines that are only half of one.
 */
export class AnswerParser {
  #taker: AnswerTaker | undefined;
  #isForHead = false;
  #awaited: Awaited = 'nothing';
  /** Bytes that the body, or the chunk, still has. */
  #missing = 0;
  /** The beginning of a head or a line whose end has not come. */
  #kept: Buffer | undefined;
  #interimAnswers = 0;
  #trailerBytes = 0;
  #lastsMs = 0;

  /** Whether the answer has come to its end, or none is awaited. */
  get hasEnded(): boolean {
    return this.#awaited === 'nothing';
  }

  /** Whether the head of the answer is still to come. */
  get awaitsHead(): boolean {
    return this.#awaited === 'head';
  }

  /** Whether what came last ends in the middle of a head or a line. */
  get isWithinLine(): boolean {
    return this.#kept !== undefined;
  }

  /** For how many milliseconds the connection can be used again after this answer; 0: not at all. */
  get lastsMs(): number {
    return this.#lastsMs;
  }

  /** Awaits an answer. @param isForHead - to a HEAD, which has no body whatever its head says. */
  begin(taker: AnswerTaker, isForHead: boolean): void {
    this.#taker = taker;
    this.#isForHead = isForHead;
    this.#awaited = 'head';
    this.#interimAnswers = 0;
  }

  /**
   * Takes what came, up to the end of the answer.
   *
   * @returns how much of it was taken; the rest belongs to no answer that is awaited.
   * @throws HttpError `HTTP_ANSWER`.
   */
  push(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && this.#awaited !== 'nothing') at = this.#step(bytes, at);
    return at;
  }

  /**
   * Takes the end of the connection for the end of the answer.
   *
   * @throws HttpError `HTTP_CUT_SHORT` where more was to come.
   */
  close(): void {
    if (this.#awaited === 'close') this.#awaited = 'nothing';
    if (this.#awaited !== 'nothing')
      throw new HttpError('HTTP_CUT_SHORT', `the connection was closed where the ${this.#awaited} was to come`);
  }

  /** Takes one part of an answer. @returns where the next begins. */
  #step(bytes: Buffer, at: number): number {
    switch (this.#awaited) {
      case 'head':
        return this.#takeHead(bytes, at);
      case 'body':
      case 'chunk':
        return this.#takeData(bytes, at);
      case 'close':
        this.#taker?.onData(at === 0 ? bytes : bytes.subarray(at));
        return bytes.length;
      case 'chunk line':
      case 'chunk end':
      case 'trailer':
        return this.#takeLine(bytes, at);
      case 'nothing':
        return at;
    }
  }

  #takeHead(bytes: Buffer, at: number): number {
    const kept = this.#kept;
    // The end may lie on both sides of the border.
    const all = kept === undefined ? bytes : Buffer.concat([kept, bytes.subarray(at)]);
    const begin = kept === undefined ? at : 0;
    checkBeginning(all, begin);
    const end = all.indexOf(END_OF_HEAD, Math.max(begin, (kept?.length ?? 0) - 3));
    if ((end === -1 ? all.length : end) - begin > MOST_HEAD_BYTES) throw notHttp('its head is too long');
    if (end === -1) {
      this.#kept = Buffer.from(all.subarray(begin));
      return bytes.length;
    }
    this.#kept = undefined;
    this.#readHead(all.toString('latin1', begin, end));
    const next = end + END_OF_HEAD.length;
    return kept === undefined ? next : next - kept.length + at;
  }

  #readHead(text: string): void {
    const end = text.indexOf(END_OF_LINE);
    const [, minor, digits] = STATUS_LINE.exec(end === -1 ? text : text.slice(0, end)) ?? [];
    if (digits === undefined) throw notHttp('it begins with no status');
    const status = Number(digits);
    const headers = readHeaders(text, end);
    if (status < 200) {
      if (status === 101) throw notHttp('it goes over to another protocol');
      if (++this.#interimAnswers > MOST_INTERIM_ANSWERS) throw notHttp('it says again and again that it is to come');
      return;
    }
    const lasts = minor === '1' ? !says(headers, 'close') : says(headers, 'keep-alive');
    this.#lastsMs = lasts ? keptMs(headers) : 0;
    this.#awaited = this.#bodyAfter(status, headers);
    this.#taker?.onHead({ status, headers });
  }

  /** What the head says is to follow it. */
  #bodyAfter(status: number, headers: Readonly<Record<string, string>>): Awaited {
    const length = headers['content-length'];
    const coding = headers['transfer-encoding'];
    if (length !== undefined && !LENGTH.test(length)) throw notHttp('its length is no number');
    if (length !== undefined && coding !== undefined) throw notHttp('it has both a length and a transfer coding');
    if (this.#isForHead || status === 204 || status === 304) return 'nothing';
    if (coding !== undefined) {
      if (coding.toLowerCase() !== 'chunked') throw notHttp('its transfer coding is unknown');
      this.#trailerBytes = 0;
      return 'chunk line';
    }
    if (length === undefined) {
      this.#lastsMs = 0;
      return 'close';
    }
    this.#missing = Number(length);
    return this.#missing === 0 ? 'nothing' : 'body';
  }

  #takeData(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#missing);
    this.#missing -= end - at;
    if (this.#missing === 0) this.#awaited = this.#awaited === 'chunk' ? 'chunk end' : 'nothing';
    this.#taker?.onData(bytes.subarray(at, end));
    return end;
  }

  #takeLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LF, at);
    const piece = bytes.subarray(at, end === -1 ? bytes.length : end);
    const line = this.#kept === undefined ? piece : Buffer.concat([this.#kept, piece]);
    if (line.length > MOST_LINE_BYTES) throw notHttp('a line between its chunks is too long');
    if (end === -1) {
      this.#kept = Buffer.from(line);
      return bytes.length;
    }
    this.#kept = undefined;
    if (line.at(-1) !== CR) throw notHttp('a line between its chunks ends with half an end of line');
    this.#readLine(line.toString('latin1', 0, line.length - 1));
    return end + 1;
  }

  #readLine(line: string): void {
    if (this.#awaited === 'chunk end') {
      if (line !== '') throw notHttp('a chunk is longer than it says');
      this.#awaited = 'chunk line';
    } else if (this.#awaited === 'chunk line') {
      const [, digits] = CHUNK_LINE.exec(line) ?? [];
      if (digits === undefined) throw notHttp('the length of a chunk is no number');
      this.#missing = Number.parseInt(digits, 16);
      this.#awaited = this.#missing === 0 ? 'trailer' : 'chunk';
    } else {
      // Headers after the body: nobody asked for any.
      this.#trailerBytes += line.length;
      if (this.#trailerBytes > MOST_HEAD_BYTES) throw notHttp('what follows its body is too long');
      if (line === '') this.#awaited = 'nothing';
    }
  }
}

/** What is no answer may never come to the end of a head: the first bytes tell it. */
function checkBeginning(bytes: Buffer, begin: number): void {
  const count = Math.min(BEGINNING.length, bytes.length - begin);
  for (let i = 0; i < count; i++) if (bytes[begin + i] !== BEGINNING[i]) throw notHttp('it begins with something else');
}

/** Reads the lines of a head, from the end of the first on; -1: there are no more. */
function readHeaders(text: string, endOfFirst: number): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let end = endOfFirst; end !== -1;) {
    const begin = end + END_OF_LINE.length;
    end = text.indexOf(END_OF_LINE, begin);
    const endOfLine = end === -1 ? text.length : end;
    const colon = text.indexOf(':', begin);
    const name = nameOf(colon === -1 || colon > endOfLine ? '' : text.slice(begin, colon));
    const value = withoutBlanks(text, colon + 1, endOfLine);
    if (CONTROL.test(value)) throw notHttp('its head holds a control character');
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value;
  }
  return headers;
}

/** The name of a header in small letters. The same few come again and again. */
function nameOf(written: string): string {
  const known = knownNames.get(written);
  if (known !== undefined) return known;
  if (!NAME.test(written)) throw notHttp('it has a header without a name');
  const name = written.toLowerCase();
  if (knownNames.size < MOST_KNOWN_NAMES) knownNames.set(written, name);
  return name;
}

/** What lies between two places of a text, without the blanks around it. */
function withoutBlanks(text: string, from: number, to: number): string {
  let begin = from;
  let end = to;
  while (begin < end && isBlank(text.charCodeAt(begin))) begin++;
  while (end > begin && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(begin, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** How long the service says that it waits for the next request, less what may be lost on the way. */
function keptMs(headers: Readonly<Record<string, string>>): number {
  const [, seconds] = KEPT_SECONDS.exec(headers['keep-alive'] ?? '') ?? [];
  return seconds === undefined ? Infinity : Math.max(0, Number(seconds) * 1000 - ON_THE_WAY_MS);
}

/** Whether the `connection` header has this word. */
function says(headers: Readonly<Record<string, string>>, word: string): boolean {
  const connection = headers['connection'];
  if (connection === undefined) return false;
  return connection.split(',').some((each) => each.trim().toLowerCase() === word);
}

function notHttp(what: string): HttpError {
  return new HttpError('HTTP_ANSWER', `what came is no answer of HTTP/1.1: ${what}`);
}
