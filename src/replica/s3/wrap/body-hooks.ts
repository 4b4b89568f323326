import { WholeBody } from '../whole-body.js';
import { NO_BODY, type S3Response } from '../transport.js';

/** What to do while a body passes. */
export interface BodyHooks {
  /** Called with how many bytes come next; at once for those that have come already. */
  readonly onBytes?: (count: number) => void;
  /** Waited for with each chunk before it is given on. */
  readonly waitFor?: (chunk: Uint8Array) => Promise<void> | void;
  /** Called exactly once: at the end, at an error, or when the body is cancelled. */
  readonly onEnd?: () => void;
  /** Answers what to throw instead of an error of the body. */
  readonly nameError?: (error: unknown) => unknown;
}

/** Answers the same response with hooks on its body. */
export function hookBody(response: S3Response, hooks: BodyHooks): S3Response {
  if (response.body === NO_BODY) {
    hooks.onEnd?.();
    return response;
  }
  if (response.body instanceof WholeBody && hooks.waitFor === undefined) {
    hooks.onBytes?.(response.body.length);
    hooks.onEnd?.();
    return response;
  }
  let ended = false;
  const end = (): void => {
    if (ended) return;
    ended = true;
    hooks.onEnd?.();
  };
  const body: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]() {
      const inner = response.body[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            const step = await inner.next();
            if (step.done === true) end();
            else {
              hooks.onBytes?.(step.value.length);
              await hooks.waitFor?.(step.value);
            }
            return step;
          } catch (error) {
            end();
            throw hooks.nameError === undefined ? error : hooks.nameError(error);
          }
        },
        async return() {
          end();
          await inner.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
  return { status: response.status, headers: response.headers, body };
}
