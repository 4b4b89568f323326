import { FlowingBody } from '../flowing-body.js';
import type { ReceiveMemory } from '../receive-memory.js';
import { WholeBody } from '../whole-body.js';
import type { AbortWatch } from './abort-watch.js';
import type { AnswerHead, AnswerTaker } from './answer-parser.js';
import { requestHead, type HttpRequest } from './request-head.js';

/** The head of an answer, and its body: all of it, or as it comes. `undefined`: there is none. */
export interface HttpAnswer extends AnswerHead {
  readonly body: WholeBody | FlowingBody | undefined;
}

/** A body up to this length that comes in one piece is given as a whole. */
const SMALL_BYTES = 64 * 1024;

/** Who carries an exchange out. */
export interface Carrier {
  /** Gives the exchange up, and the connection with it: what else comes on it belongs to nobody. */
  breakOff(): void;
  /** Holds back what comes, until what it answers is called. */
  hold(): () => void;
}

const NOBODY: Carrier = { breakOff: () => {}, hold: () => () => {} };

/**
 * One request and its answer, which is there with the first piece of its body, or with its end.
 *
 * A body comes a little ahead of its reader; what is read holds until more is asked for.
 */
export class HttpExchange implements AnswerTaker {
  readonly request: HttpRequest;
  /** What goes out before the body. */
  readonly head: string;
  readonly answer: Promise<HttpAnswer>;
  /** Whoever has taken the exchange on. */
  carrier: Carrier = NOBODY;
  readonly #memory: ReceiveMemory;
  readonly #signal: AbortSignal | undefined;
  readonly #aborts: AbortWatch;
  #resolve!: (answer: HttpAnswer) => void;
  #reject!: (error: unknown) => void;
  #head: AnswerHead | undefined;
  #whole: WholeBody | undefined;
  #flowing: FlowingBody | undefined;
  #isOver = false;

  /**
   * Rejects with the reason of the signal, or what the carrier ends it with.
   *
   * @throws HttpError `HTTP_REQUEST` where the request cannot be written.
   */
  constructor(
    request: HttpRequest,
    signal: AbortSignal | undefined,
    { memory, aborts }: { readonly memory: ReceiveMemory; readonly aborts: AbortWatch },
  ) {
    this.request = request;
    this.head = requestHead(request);
    this.#memory = memory;
    this.#signal = signal;
    this.#aborts = aborts;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (signal?.aborted === true) this.#settle(signal.reason);
    else if (signal !== undefined) aborts.add(signal, this.#onAbort);
  }

  /** Whether nobody waits for more of it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  onHead(head: AnswerHead): void {
    this.#head = head;
  }

  onData(bytes: Uint8Array): void {
    const head = this.#head;
    if (head === undefined || this.#isOver) return;
    if (this.#flowing === undefined) {
      const expectedBytes = lengthOf(head);
      if (bytes.length === expectedBytes && expectedBytes <= SMALL_BYTES) {
        this.#whole = new WholeBody(this.#memory.copy(bytes));
        return;
      }
      this.#flowing = new FlowingBody(
        { memory: this.#memory, hold: () => this.carrier.hold(), expectedBytes },
        (reason) => this.#giveUp(reason),
      );
      this.#resolve({ status: head.status, headers: head.headers, body: this.#flowing });
    }
    this.#flowing.push(bytes);
  }

  /** The answer is whole. */
  end(): void {
    this.#settle(undefined);
  }

  /** No answer comes, or no more of it. */
  fail(error: unknown): void {
    this.#settle(error);
  }

  readonly #onAbort = (): void => this.#giveUp(this.#signal?.reason);

  #giveUp(reason: unknown): void {
    // Its connection may carry another by now.
    if (this.#isOver) return;
    this.#settle(reason);
    this.carrier.breakOff();
  }

  #settle(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#signal !== undefined) this.#aborts.remove(this.#signal, this.#onAbort);
    const head = this.#head;
    if (this.#flowing !== undefined) this.#flowing.end(error === undefined ? undefined : asError(error));
    else if (error === undefined && head !== undefined)
      this.#resolve({ status: head.status, headers: head.headers, body: this.#whole });
    else this.#reject(error);
  }
}

function lengthOf({ headers }: AnswerHead): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
