import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { FlowingBody } from './flowing-body.js';

/** The head of an answer, and its body as it comes. */
export interface DispatchedAnswer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  /** `undefined`: there is none, and the answer has ended. */
  readonly body: FlowingBody | undefined;
}

/**
 * Sends one request over an undici dispatcher and resolves with the head of the answer; where the head says that nothing
 * follows it, when the answer has ended.
 *
 * The body is taken as fast as it comes and never held back: up to version 7.30 undici ends the process with an assertion
 * when a server closes a connection whose answer is held back (nodejs/undici#5360; mended in version 8, which needs Node 22).
 * What is not read yet waits in memory, up to `maxBufferedBytes`; more than that breaks the request off.
 *
 * Rejects with what undici says, or with the reason of the signal.
 */
export function dispatch(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  limits: { readonly signal: AbortSignal | undefined; readonly maxBufferedBytes: number },
): Promise<DispatchedAnswer> {
  const { signal } = limits;
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
        body = new FlowingBody(limits.maxBufferedBytes, abort);
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

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
