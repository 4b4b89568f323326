import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { FlowingBody } from './flowing-body.js';
import type { ReceiveMemory } from './receive-memory.js';

/** The head of an answer, and its body as it comes. */
export interface DispatchedAnswer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  /** `undefined`: there is none, and the answer has ended. */
  readonly body: FlowingBody | undefined;
}

/** What a request over a dispatcher needs besides itself. */
export interface DispatchSurroundings {
  readonly signal: AbortSignal | undefined;
  readonly memory: ReceiveMemory;
  /** Holds back what comes on the connection from which something is being handed on, until what it answers is called. */
  readonly hold: () => () => void;
}

/**
 * Sends one request over an undici dispatcher and resolves with the head of the answer; where the head says that nothing
 * follows it, when the answer has ended.
 *
 * The body comes a little ahead of its reader and waits in `memory`; what is read holds until more is asked for.
 *
 * Rejects with what undici says, or with the reason of the signal.
 */
export function dispatch(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  { signal, memory, hold }: DispatchSurroundings,
): Promise<DispatchedAnswer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let body: FlowingBody | undefined;
    let bare: DispatchedAnswer | undefined;
    let settled = false;

    const abort = (reason: Error): void => {
      controller?.abort(reason);
      end(reason);
    };
    const onAbort = (): void => abort(asError(signal?.reason));
    const end = (error: Error | undefined): void => {
      signal?.removeEventListener('abort', onAbort);
      if (body !== undefined) body.end(error);
      else if (!settled) {
        settled = true;
        if (error === undefined && bare !== undefined) return resolve(bare);
        reject(error ?? new Error('the connection was closed before an answer came'));
      }
    };

    if (signal?.aborted === true) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    dispatcher.dispatch(options, {
      onRequestStart(started) {
        controller = started;
        if (signal?.aborted === true) started.abort(asError(signal.reason));
      },
      onResponseStart(_controller, statusCode, headers) {
        // Informational answers come before the one that counts.
        if (statusCode < 200 || settled) return;
        if (headers['content-length'] === '0' || options.method === 'HEAD') {
          bare = { statusCode, headers, body: undefined };
          return;
        }
        settled = true;
        body = new FlowingBody({ memory, hold, expectedBytes: lengthOf(headers) }, abort);
        resolve({ statusCode, headers, body });
      },
      onResponseData(_controller, chunk) {
        body?.push(chunk);
      },
      onResponseEnd() {
        end(undefined);
      },
      onResponseError(_controller, error) {
        end(error);
      },
    });
  });
}

function lengthOf(headers: IncomingHttpHeaders): number | undefined {
  const length = Number(headers['content-length']);
  return Number.isSafeInteger(length) ? length : undefined;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
