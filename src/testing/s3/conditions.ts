import type { ConditionRules, ConditionSupport, Dialect } from './dialects.js';
import { ServiceError, type ServiceErrorCode } from './service-error.js';
import type { ObjectVersion } from './state.js';

type Headers = Readonly<Record<string, string>>;

/** Checks the conditions of a write against what stands there; throws the refusal. */
export function checkWrite(
  current: ObjectVersion | undefined,
  headers: Headers,
  rules: ConditionRules,
  dialect: Dialect,
): void {
  const noneMatch = headers['if-none-match'];
  const match = headers['if-match'];
  if (noneMatch !== undefined && isHonoured(rules.ifNoneMatch, 'If-None-Match')) {
    // Only * makes sense before a write, and AWS takes nothing else.
    if (noneMatch.trim() !== '*') throw new ServiceError('NotImplemented', { fields: { Header: 'If-None-Match' } });
    if (current !== undefined) throw refusal(rules.existsStatus, 'If-None-Match');
  }
  if (match !== undefined && isHonoured(rules.ifMatch, 'If-Match')) {
    if (current === undefined) {
      if (rules.missingStatus !== 200) throw refusal(rules.missingStatus, 'If-Match');
    } else if (!etagMatches(match, current.etag, dialect)) throw refusal(rules.mismatchStatus, 'If-Match');
  }
}

/** Checks the conditions of a read, in the order of RFC 9110; throws 412 or 304. */
export function checkRead(current: ObjectVersion, headers: Headers, dialect: Dialect): void {
  if (dialect.readConditions === 'ignored') return;
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match !== undefined) {
    if (!etagMatches(match, current.etag, dialect)) throw refusal(412, 'If-Match');
  } else if (isAfter(current.modifiedMs, headers['if-unmodified-since'])) throw refusal(412, 'If-Unmodified-Since');
  const unchanged =
    noneMatch === undefined
      ? isAfter(current.modifiedMs, headers['if-modified-since']) === false
      : etagMatches(noneMatch, current.etag, dialect);
  if (unchanged)
    throw new ServiceError('NotModified', {
      headers: { etag: `"${current.etag}"`, 'last-modified': new Date(current.modifiedMs).toUTCString() },
    });
}

/** Checks the `x-amz-copy-source-if-*` conditions; throws 412. */
export function checkCopySource(source: ObjectVersion, headers: Headers, dialect: Dialect): void {
  const { 'x-amz-copy-source-if-match': match, 'x-amz-copy-source-if-none-match': noneMatch } = headers;
  const since = headers['x-amz-copy-source-if-modified-since'];
  if (match !== undefined) {
    if (!etagMatches(match, source.etag, dialect)) throw refusal(412, 'x-amz-copy-source-If-Match');
  } else if (isAfter(source.modifiedMs, headers['x-amz-copy-source-if-unmodified-since']))
    throw refusal(412, 'x-amz-copy-source-If-Unmodified-Since');
  const unchanged =
    noneMatch === undefined
      ? isAfter(source.modifiedMs, since) === false
      : etagMatches(noneMatch, source.etag, dialect);
  if (unchanged) throw refusal(412, 'x-amz-copy-source-If-None-Match');
}

/** Whether a list of ETags, or `*`, names this one. */
export function etagMatches(list: string, etag: string, dialect: Pick<Dialect, 'conditionEtag'>): boolean {
  if (list.trim() === '*') return true;
  return list.split(',').some((each) => {
    const given = each.trim().replace(/^W\//, '');
    return given === etag || (dialect.conditionEtag === 'any' && given === `"${etag}"`);
  });
}

function isHonoured(support: ConditionSupport, header: string): boolean {
  if (support === 'not-implemented') throw new ServiceError('NotImplemented', { fields: { Header: header } });
  if (support === 'invalid') throw new ServiceError('InvalidArgument', { fields: { ArgumentName: header } });
  return support === 'honoured';
}

const CODE_OF: Readonly<Record<304 | 404 | 409 | 412, ServiceErrorCode>> = {
  304: 'NotModified',
  404: 'NoSuchKey',
  409: 'ConditionalRequestConflict',
  412: 'PreconditionFailed',
};

function refusal(status: 304 | 404 | 409 | 412, condition: string): ServiceError {
  return new ServiceError(CODE_OF[status], { fields: { Condition: condition } });
}

/** `undefined` when there is no such header or it is not a date. HTTP dates have whole seconds. */
function isAfter(modifiedMs: number, date: string | undefined): boolean | undefined {
  const ms = date === undefined ? NaN : Date.parse(date);
  return Number.isNaN(ms) ? undefined : Math.floor(modifiedMs / 1000) > Math.floor(ms / 1000);
}
