import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { checkOptions, optionErrors } from './check-options.js';

describe('checkOptions', () => {
  it('lets right options pass, and undefined ones', () => {
    expect(() =>
      checkOptions('sync', { readonly: true, maxDelete: 1, files: new Set(['a']), prefix: undefined }),
    ).not.toThrow();
    expect(() => checkOptions('sync', undefined)).not.toThrow();
  });

  it('throws once, with everything that is wrong', () => {
    const caught = catchError(() =>
      checkOptions('Monitor', { maxDelete: 2, delaySeconds: 0, readOnly: true, include: 'a' }),
    );
    expect(caught).toBeInstanceOf(UsageError);
    expect(caught).toMatchObject({ code: 'ERR_USAGE' });
    expect(caught.message).toContain('4 times');
    expect(caught.message).toContain('"maxDelete" must be a share from 0 to 1, not 2');
    expect(caught.message).toContain('"delaySeconds" must be seconds from 0.1 to 2000000, not 0');
    expect(caught.message).toContain('did you mean "readonly"?');
    expect(caught.message).toContain('"include" must be a list of texts, not "a"');
  });

  it.each([
    ['maxDeletes', 'maxDelete'],
    ['max-delete', 'maxDelete'],
    ['exlude', 'exclude'],
    ['dryrun', undefined],
  ])('suggests a name for %j: %j', (typed, wanted) => {
    const [error] = optionErrors('sync', { [typed]: 1 });
    if (wanted === undefined) expect(error).toBe(`"${typed}" is not an option of sync`);
    else expect(error).toContain(`did you mean "${wanted}"?`);
  });

  it('says to which call an option belongs', () => {
    expect(optionErrors('sync', { delaySeconds: 5 })).toEqual([
      '"delaySeconds" is not an option of sync, but of Monitor',
    ]);
  });

  it('refuses what contradicts itself', () => {
    expect(optionErrors('connect', { accessKeyId: 'a' })).toHaveLength(1);
    expect(optionErrors('connect', { sessionToken: 'a' })).toHaveLength(1);
    expect(optionErrors('connect', { accessKeyId: 'a', secretAccessKey: 'b', profile: 'c' })).toHaveLength(1);
    expect(optionErrors('Monitor', { client: { send() {}, config: {} }, endpoint: 'http://localhost' })).toHaveLength(
      1,
    );
  });

  it('never shows a secret', () => {
    const errors = optionErrors('connect', {
      accessKeyId: 'x',
      secretAccessKey: ['s3cr3t'],
      sessionToken: { t: 's3cr3t' },
    });
    expect(errors).toHaveLength(2);
    expect(errors.join(' ')).not.toContain('s3cr3t');
    expect(optionErrors('connect', { endpoint: 'https://user:s3cr3t@host' }).join(' ')).not.toContain('s3cr3t');
  });
});

function catchError(work: () => void): Error {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}
