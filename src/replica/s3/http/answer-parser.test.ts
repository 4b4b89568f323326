import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerParser, type AnswerHead } from './answer-parser.js';
import { HttpError } from './http-error.js';

/** What was read of one answer. */
interface Read {
  head: AnswerHead | undefined;
  readonly pieces: Buffer[];
  /** Bytes that came and belong to no answer. */
  surplus: number;
}

/** Gives a parser the bytes of one answer in pieces, and then the end of the connection. */
function read(pieces: readonly (Buffer | string)[], isForHead = false): Read & { readonly parser: AnswerParser } {
  const parser = new AnswerParser();
  const found: Read = { head: undefined, pieces: [], surplus: 0 };
  parser.begin(
    {
      onHead: (head) => (found.head = head),
      onData: (bytes) => found.pieces.push(Buffer.from(bytes)),
    },
    isForHead,
  );
  for (const piece of pieces) {
    const bytes = Buffer.from(piece as string, 'latin1');
    found.surplus += bytes.length - parser.push(bytes);
  }
  parser.close();
  return Object.assign(found, { parser });
}

const bodyOf = ({ pieces }: Read): string => Buffer.concat(pieces).toString('latin1');

/** Text cut at each of these places. */
function cut(text: string, places: readonly number[]): string[] {
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((begin, i) => text.slice(begin, at[i] ?? text.length));
}

const OK = 'HTTP/1.1 200 OK\r\n';

describe('AnswerParser', () => {
  it.each<[string, string, string, Readonly<Record<string, string>>, number]>([
    ['with a length', `${OK}Content-Length: 3\r\n\r\nabc`, 'abc', { 'content-length': '3' }, Infinity],
    ['of no length', `${OK}Content-Length: 0\r\n\r\n`, '', { 'content-length': '0' }, Infinity],
    ['without a word for its status', 'HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n', '', {}, Infinity],
    ['without any header', 'HTTP/1.1 204 No Content\r\n\r\n', '', {}, Infinity],
    ['that says it is not modified', 'HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n', '', {}, Infinity],
    ['that ends with the connection', `${OK}X: y\r\n\r\nall of it`, 'all of it', { x: 'y' }, 0],
    ['after which the connection ends', `${OK}Connection: Close\r\nContent-Length: 1\r\n\r\na`, 'a', {}, 0],
    ['which says so among others', `${OK}connection: x, close\r\ncontent-length: 1\r\n\r\na`, 'a', {}, 0],
    ['of the protocol before', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na', 'a', {}, 0],
    [
      'of the protocol before, kept open',
      'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na',
      'a',
      {},
      Infinity,
    ],
    ['that is kept for a while', `${OK}Keep-Alive: timeout=5, max=9\r\nContent-Length: 0\r\n\r\n`, '', {}, 4000],
    ['that is kept too short', `${OK}Keep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n`, '', {}, 0],
    [
      'in chunks',
      `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x="y"\r\n0123456789\r\n0\r\n\r\n`,
      'abc0123456789',
      { 'transfer-encoding': 'chunked' },
      Infinity,
    ],
    [
      'in chunks, with headers after them',
      `${OK}Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\n000\r\nX: y\r\nZ: w\r\n\r\n`,
      'a',
      {},
      Infinity,
    ],
    ['of no chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, '', {}, Infinity],
    [
      'whose headers are written in many ways',
      `${OK}ETAG:"x"\r\nx-A:   b  \t\r\nX-Empty:\r\nx-a: c\r\nX-Latin: \xe9\r\ncontent-length:2\r\n\r\nab`,
      'ab',
      { etag: '"x"', 'x-a': 'b, c', 'x-empty': '', 'x-latin': '\xe9' },
      Infinity,
    ],
    [
      'whose headers are called as parts of an object are',
      `${OK}constructor: a\r\n__proto__: b\r\nhasOwnProperty: c\r\ncontent-length: 0\r\n\r\n`,
      '',
      { hasownproperty: 'c', constructor: 'a' as never },
      Infinity,
    ],
    [
      'after others that say it is to come',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n${OK}Content-Length: 1\r\n\r\na`,
      'a',
      { 'content-length': '1' },
      Infinity,
    ],
  ])('reads an answer %s, wherever it is cut', (_what, text, body, headers, lastsMs) => {
    const whole = read([text]);
    expect(bodyOf(whole)).toBe(body);
    expect(whole.head?.headers).toMatchObject(headers);
    expect(Object.getPrototypeOf(whole.head?.headers)).toBe(Object.prototype);
    expect(whole.head?.status).toBe(Number(/(?<=^HTTP\/1\.. )[2-9]\d\d/m.exec(text)?.[0]));
    expect([whole.surplus, whole.parser.hasEnded, whole.parser.lastsMs]).toEqual([0, true, lastsMs]);
    for (let at = 0; at <= text.length; at++) {
      const halves = read([text.slice(0, at), text.slice(at)]);
      expect([bodyOf(halves), halves.head], `cut at ${at}`).toEqual([body, whole.head]);
    }
    const single = read([...text]);
    expect([bodyOf(single), single.head]).toEqual([body, whole.head]);
  });

  it('gives no body to the answer of a HEAD, whatever it says', () => {
    for (const said of ['Content-Length: 5', 'Transfer-Encoding: chunked', 'X: y']) {
      const { head, pieces, surplus } = read([`${OK}${said}\r\n\r\n<?xml`], true);
      expect([head?.status, pieces, surplus], said).toEqual([200, [], 5]);
    }
  });

  it('leaves what follows an answer', () => {
    expect(read([`${OK}Content-Length: 1\r\n\r\nabc`]).surplus).toBe(2);
    expect(read([`${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nabc`, 'de']).surplus).toBe(5);
  });

  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9\r\n'],
    ['the first byte of another protocol', '\x15'],
    ['text', '<?xml version="1.0"?>'],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below all', 'HTTP/1.1 000 OK\r\n\r\n'],
    ['two blanks before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
    ['ends of lines that are one byte', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n\r\n\r\n'],
    ['half an end of line in a value', `${OK}X: a\nContent-Length: 0\r\n\r\n`],
    ['the other half', `${OK}X: a\rY: b\r\n\r\n`],
    ['a zero byte', `${OK}X: a\0b\r\n\r\n`],
    ['a header without a colon', `${OK}Content-Length\r\n\r\n`],
    ['a header without a name', `${OK}: x\r\n\r\n`],
    ['a blank before the colon', `${OK}Content-Length : 3\r\n\r\nabc`],
    ['a folded header', `${OK}X: a\r\n b\r\n\r\n`],
    ['a name of other letters', `${OK}\xdcml: a\r\n\r\n`],
    ['two lengths', `${OK}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`],
    ['the same length twice', `${OK}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
    ['a length below zero', `${OK}Content-Length: -1\r\n\r\n`],
    ['a length with a sign', `${OK}Content-Length: +1\r\n\r\na`],
    ['a length in hex', `${OK}Content-Length: 0x1\r\n\r\na`],
    ['a length that is none', `${OK}Content-Length:\r\n\r\n`],
    ['a length beyond all', `${OK}Content-Length: 9999999999999999\r\n\r\n`],
    ['a length and chunks', `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['another coding', `${OK}Transfer-Encoding: gzip\r\n\r\n`],
    ['two codings', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
    ['chunked twice', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ['a chunk without a length', `${OK}Transfer-Encoding: chunked\r\n\r\n\r\n`],
    ['a chunk of a length below zero', `${OK}Transfer-Encoding: chunked\r\n\r\n-1\r\n`],
    ['a chunk of a length beyond all', `${OK}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n`],
    ['a chunk that is longer than it says', `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`],
    ['a chunk whose line is half ended', `${OK}Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n`],
    ['an endless line of a chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(2000)}`],
    ['endless headers after chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n${'X: 0123456789\r\n'.repeat(2000)}`],
    ['an endless head', `${OK}${'X: 0123456789\r\n'.repeat(2000)}`],
    ['a head that ends too late', `${OK}${'X: 0123456789\r\n'.repeat(2000)}\r\n`],
    ['an endless first line', `HTTP/1.1 200 ${'x'.repeat(20_000)}`],
    ['a change of protocol', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n'],
    ['answers that only say that one is to come', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(20)],
  ])('takes no answer with %s, wherever it is cut', (_what, text) => {
    const refused = { name: 'HttpError', code: 'HTTP_ANSWER' };
    expect(() => read([text])).toThrow(expect.objectContaining(refused));
    for (const size of [1, 7, 100]) {
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
        text.slice(i * size, (i + 1) * size),
      );
      expect(() => read(pieces), `in pieces of ${size}`).toThrow(expect.objectContaining(refused));
    }
  });

  it.each([
    ['before anything came', ''],
    ['within the head', 'HTTP/1.1 200 OK\r\nContent-'],
    ['after an answer that only says that one is to come', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['within the body', `${OK}Content-Length: 3\r\n\r\nab`],
    ['within a chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nab`],
    ['before the last chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n`],
    ['before the end of the last chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n`],
  ])('says that an answer was cut short %s', (_where, text) => {
    expect(() => read([text])).toThrow(expect.objectContaining({ code: 'HTTP_CUT_SHORT' }));
  });

  it('reads any body in any pieces, and one answer after another', () => {
    const answer = fc.record({
      body: fc.string({
        maxLength: 60,
        unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
      }),
      isChunked: fc.boolean(),
      chunkBytes: fc.integer({ min: 1, max: 20 }),
      interim: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(answer, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (answers, places) => {
          const parser = new AnswerParser();
          const wire = answers.map(({ body, isChunked, chunkBytes, interim }) => {
            const before = interim ? 'HTTP/1.1 102 Processing\r\n\r\n' : '';
            if (!isChunked) return `${before}${OK}Content-Length: ${body.length}\r\n\r\n${body}`;
            let chunks = '';
            for (let at = 0; at < body.length; at += chunkBytes) {
              const chunk = body.slice(at, at + chunkBytes);
              chunks += `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
            }
            return `${before}${OK}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`;
          });
          const found: string[] = [];
          let body = '';
          const next = (): void => {
            body = '';
            parser.begin(
              { onHead: () => {}, onData: (bytes) => (body += Buffer.from(bytes).toString('latin1')) },
              false,
            );
          };
          next();
          for (const piece of cut(wire.join(''), places)) {
            for (let rest = Buffer.from(piece, 'latin1'); rest.length > 0;) {
              rest = rest.subarray(parser.push(rest));
              if (!parser.hasEnded) continue;
              found.push(body);
              next();
            }
          }
          expect(found).toEqual(answers.map((each) => each.body));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('ends in a name of ours, or not, whatever comes', () => {
    const start = fc.constantFrom('', OK, `${OK}Content-Length: 5\r\n\r\n`, `${OK}Transfer-Encoding: chunked\r\n\r\n`);
    fc.assert(
      fc.property(
        start,
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.nat(), { maxLength: 5 }),
        (begin, bytes, places) => {
          try {
            const { pieces } = read(cut(begin + Buffer.from(bytes).toString('latin1'), places));
            expect(Buffer.concat(pieces).length).toBeLessThanOrEqual(200);
          } catch (error) {
            expect(error).toBeInstanceOf(HttpError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
