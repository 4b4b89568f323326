import { hookBody } from './wrap/body-hooks.js';
import type { S3Transport } from './transport.js';
import { FileCloudSyncError, isAbort, S3ConnectionError } from '../../errors.js';

type Meaning = readonly [code: string, what: string, retryable: boolean];

const NOT_HTTP = /^HTTP_ANSWER$/;

/** Codes of Node.js, OpenSSL and our own HTTP, and what each means for a person. */
const MEANINGS: readonly (readonly [pattern: RegExp, ...Meaning])[] = [
  [
    /^ECONNREFUSED$/,
    'ERR_S3_UNREACHABLE',
    'nothing listens at that address. Check the endpoint and that the service runs',
    true,
  ],
  [
    /^(EHOSTUNREACH|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL)$/,
    'ERR_S3_UNREACHABLE',
    'there is no way to that address. Check the network',
    true,
  ],
  [
    /^ENOTFOUND$/,
    'ERR_S3_DNS',
    'the name of the host is not known. Check the endpoint, the region and the bucket name',
    false,
  ],
  [/^EAI_AGAIN$/, 'ERR_S3_DNS', 'the name of the host could not be looked up. Check the network', true],
  [/TIMEOUT|^ETIMEDOUT$/, 'ERR_S3_TIMEOUT', 'the service did not answer in time', true],
  [
    /CERT|SELF_SIGNED|UNABLE_TO_|ISSUER|^ERR_TLS|^ERR_SSL|^EPROTO$/,
    'ERR_S3_TLS',
    'the secure connection could not be made. Check the certificate of the service, or whether the endpoint speaks http',
    false,
  ],
  [
    NOT_HTTP,
    'ERR_S3_NOT_HTTP',
    'what answered does not speak HTTP. Check the port and whether the endpoint speaks https',
    false,
  ],
  [/^HTTP_REQUEST$/, 'ERR_S3_CONNECTION_LOST', 'the request holds what no request can, and was not sent', false],
  [/^(ECONNRESET|EPIPE|ECONNABORTED|HTTP_CUT_SHORT)$/, 'ERR_S3_CONNECTION_LOST', 'the connection broke', true],
];

const OUT_OF_STEP: Meaning = [
  'ERR_S3_CONNECTION_LOST',
  'what came on the connection is no answer to what was asked',
  true,
];

const UNKNOWN: Meaning = ['ERR_S3_CONNECTION_LOST', 'the connection failed', true];

/** Whether a connection failed because what came on it was no answer of HTTP. */
export function isNotHttp(cause: unknown): boolean {
  return NOT_HTTP.test(codeOf(cause));
}

/**
 * Tells what a failure of the connection means. Aborts and errors of ours pass as they are.
 *
 * @param origin - scheme, host and port that were asked; never holds a secret.
 * @param isOutOfStep - what came is an answer to something else: it {@link isNotHttp} though HTTP was spoken there before.
 */
export function connectionError(cause: unknown, origin: string, isOutOfStep = false): unknown {
  if (isAbort(cause) || cause instanceof FileCloudSyncError) return cause;
  const lowCode = codeOf(cause);
  const [code, what, retryable] = isOutOfStep ? OUT_OF_STEP : meaningOf(lowCode);
  return new S3ConnectionError(code, `The S3 service at ${origin} could not be used: ${what} (${lowCode}).`, {
    cause,
    data: { origin, lowCode },
    retryable,
  });
}

function meaningOf(lowCode: string): Meaning {
  const [, ...meaning] = MEANINGS.find(([pattern]) => pattern.test(lowCode)) ?? [undefined, ...UNKNOWN];
  return meaning;
}

/** Gives failures of any transport the names of {@link connectionError}. */
export function withNamedErrors(inner: S3Transport): S3Transport {
  const name = (cause: unknown): unknown => connectionError(cause, 'the endpoint');
  return {
    async send(request) {
      try {
        return hookBody(await inner.send(request), { nameError: name });
      } catch (cause) {
        throw name(cause);
      }
    },
    close: () => inner.close(),
  };
}

function codeOf(cause: unknown): string {
  for (let error = cause; error instanceof Error; error = error.cause) {
    // Several addresses were tried: each has its own reason, the first stands for them.
    if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
    if ('code' in error && typeof error.code === 'string' && error.code !== '') return error.code;
  }
  return cause instanceof Error ? cause.name : 'unknown';
}
