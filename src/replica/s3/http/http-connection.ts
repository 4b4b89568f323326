import type { Socket } from 'node:net';
import { AnswerParser } from './answer-parser.js';
import { HttpError } from './http-error.js';
import type { Carrier, HttpExchange } from './http-exchange.js';

/** A body up to this length goes out in one piece with its head. */
const SMALL_BYTES = 64 * 1024;

/** Options of {@link HttpConnection}. */
export interface HttpConnectionOptions {
  /** Milliseconds of silence, up to the end of the head of an answer. */
  readonly headersTimeoutMs: number;
  /** Milliseconds of silence within a body. */
  readonly bodyTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly nowMs: () => number;
  /** Told when the connection can take another exchange, or none any more. */
  readonly onFree: (connection: HttpConnection) => void;
  readonly onGone: (connection: HttpConnection) => void;
}

/** One connection, which carries one exchange after another. */
export class HttpConnection implements Carrier {
  readonly #options: HttpConnectionOptions;
  readonly #parser = new AnswerParser();
  readonly #socket: Socket;
  #exchange: HttpExchange | undefined;
  #isConnected = false;
  #isHeld = false;
  #isGone = false;
  /** The next piece of the body is waited for, not the service. */
  #isOurTurn = false;
  #timeoutMs = 0;
  /** Since when a head or a line has come without its end. */
  #withinLineSinceMs: number | undefined;
  readonly #limit: NodeJS.Timeout;

  /** @param open - begins to connect; what comes is given to its first argument, which answers whether to go on reading. */
  constructor(options: HttpConnectionOptions, open: (onRead: (bytes: Buffer) => boolean) => Socket) {
    this.#options = options;
    const { connectTimeoutMs } = options;
    this.#limit = setTimeout(
      () => this.end(new HttpError('HTTP_CONNECT_TIMEOUT', `no connection was made for ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    this.#socket = open((bytes) => this.#take(bytes));
    this.#socket
      .on('error', (error) => this.end(error))
      .on('end', () => this.#onEnd())
      .on('close', () => this.end(new HttpError('HTTP_CUT_SHORT', 'the connection was closed')))
      .on('timeout', () => this.#onSilence());
  }

  /** For how many milliseconds it can be used again. */
  get lastsMs(): number {
    return this.#parser.lastsMs;
  }

  /** The connection is made, and what was given to it goes out. */
  connected(): void {
    clearTimeout(this.#limit);
    this.#isConnected = true;
    if (this.#exchange !== undefined) this.#send(this.#exchange);
  }

  /** Takes an exchange on. Only while it carries no other. */
  carry(exchange: HttpExchange): void {
    this.#exchange = exchange;
    exchange.carrier = this;
    this.#socket.ref();
    if (this.#isConnected) this.#send(exchange);
  }

  hold(): () => void {
    this.#isHeld = true;
    return () => {
      this.#isHeld = false;
      this.#socket.resume();
    };
  }

  breakOff(): void {
    this.end(new HttpError('HTTP_CUT_SHORT', 'the connection was given up'));
  }

  /** Ends it, and what it carries with this error. */
  end(error: unknown): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearTimeout(this.#limit);
    this.#socket.destroy();
    this.#options.onGone(this);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.fail(error);
  }

  #send(exchange: HttpExchange): void {
    const { request, head } = exchange;
    this.#watch(this.#options.headersTimeoutMs);
    this.#parser.begin(exchange, request.method === 'HEAD');
    const { body } = request;
    if (request.pieces !== undefined) {
      this.#socket.write(head, 'latin1');
      this.#sendPieces(exchange, request.pieces).catch((error: unknown) => {
        if (this.#exchange === exchange) this.end(error);
      });
    } else if (body === undefined) this.#socket.write(head, 'latin1');
    else if (body.length <= SMALL_BYTES) {
      const whole = Buffer.allocUnsafe(head.length + body.length);
      whole.write(head, 'latin1');
      whole.set(body, head.length);
      this.#socket.write(whole);
    } else {
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(body);
      this.#socket.uncork();
    }
  }

  async #sendPieces(exchange: HttpExchange, pieces: AsyncIterable<Uint8Array>): Promise<void> {
    this.#isOurTurn = true;
    for await (const piece of pieces) {
      // Answered before it was sent to the end.
      if (this.#exchange !== exchange) return;
      this.#isOurTurn = false;
      await new Promise<void>((resolve) => {
        this.#socket.write(piece, () => resolve());
      });
      this.#isOurTurn = true;
    }
    this.#isOurTurn = false;
    // What is waited for from now on is the answer.
    if (this.#exchange === exchange) this.#socket.setTimeout(this.#timeoutMs);
  }

  /** @returns whether to go on reading. */
  #take(bytes: Buffer): boolean {
    const exchange = this.#exchange;
    if (this.#isGone) return false;
    if (exchange === undefined) {
      // Nobody asked for it, and the next who asks would be given it.
      this.end(undefined);
      return false;
    }
    try {
      const taken = this.#parser.push(bytes);
      if (this.#parser.hasEnded) this.#finish(exchange, taken < bytes.length);
      else this.#checkPace();
    } catch (error) {
      this.end(error);
    }
    return !this.#isHeld;
  }

  /** A head or a line that comes byte by byte is no sign of life. */
  #checkPace(): void {
    if (!this.#parser.awaitsHead) this.#watch(this.#options.bodyTimeoutMs);
    if (!this.#parser.isWithinLine) {
      this.#withinLineSinceMs = undefined;
      return;
    }
    const nowMs = this.#options.nowMs();
    this.#withinLineSinceMs ??= nowMs;
    if (nowMs - this.#withinLineSinceMs > this.#timeoutMs) throw timeout(this.#timeoutMs);
  }

  /** The answer is whole. @param hasMore - something came after it. */
  #finish(exchange: HttpExchange, hasMore: boolean): void {
    this.#exchange = undefined;
    this.#withinLineSinceMs = undefined;
    const isGood =
      this.#parser.lastsMs > 0 &&
      !hasMore &&
      !exchange.request.isLast &&
      !this.#isOurTurn &&
      // The rest of a request that was answered early: nobody says that it is read.
      this.#socket.writableLength === 0;
    if (isGood) {
      this.#socket.unref();
      exchange.end();
      if (!this.#isGone) this.#options.onFree(this);
    } else {
      this.end(undefined);
      exchange.end();
    }
  }

  #onEnd(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return this.end(undefined);
    // What is wrong is told next.
    if (!this.#isConnected) return;
    try {
      this.#parser.close();
      this.#finish(exchange, false);
    } catch (error) {
      this.end(error);
    }
  }

  #onSilence(): void {
    if (this.#exchange === undefined) return this.end(undefined);
    if (this.#isHeld || this.#isOurTurn) this.#socket.setTimeout(this.#timeoutMs);
    else this.end(timeout(this.#timeoutMs));
  }

  #watch(timeoutMs: number): void {
    if (timeoutMs === this.#timeoutMs) return;
    this.#timeoutMs = timeoutMs;
    this.#socket.setTimeout(timeoutMs);
  }
}

function timeout(ms: number): HttpError {
  return new HttpError('HTTP_TIMEOUT', `nothing came for ${ms} ms`);
}
