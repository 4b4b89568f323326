import { describe, expect, it } from 'vitest';
import { failureError, type ServiceFailure } from './service-error.js';

const failure = (code: string): ServiceFailure => ({
  status: 403,
  code,
  message: '',
  region: undefined,
  requestId: undefined,
  retryAfterMs: 0,
  isForeign: false,
});
const where = { action: 'listing the bucket "b"', bucket: 'b', path: undefined };

describe('failureError', () => {
  it('knows what the service calls wrong credentials', () => {
    expect(failureError(failure('SignatureDoesNotMatch'), where)).toMatchObject({
      code: 'ERR_S3_CREDENTIALS',
      message:
        'Listing the bucket "b" failed: the secret does not belong to the access key. Check the credentials (the service answered 403 SignatureDoesNotMatch).',
    });
  });

  it.each(['constructor', 'toString', '__proto__'])(
    'takes a code that is the name of something else in JavaScript (%s) for any other',
    (code) => {
      expect(failureError(failure(code), where)).toMatchObject({
        code: 'ERR_S3_FORBIDDEN',
        message: expect.stringContaining(`(the service answered 403 ${code})`),
      });
    },
  );
});
