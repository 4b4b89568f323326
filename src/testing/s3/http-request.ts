import type { IncomingMessage } from 'node:http';
import { isBucketName } from './bucket-operations.js';
import type { ServiceRequest } from './service.js';
import { ServiceError } from './service-error.js';
import type { SignedRequest } from './sigv4.js';

/** An HTTP request taken apart: what is signed, and what it is about. */
export interface ParsedRequest {
  readonly signed: SignedRequest;
  readonly method: ServiceRequest['method'];
  readonly bucket: string | undefined;
  readonly key: string | undefined;
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']);

/** Takes an HTTP request apart. The path is split before it is decoded and never normalised: `..` is a key like any other. */
export function parseRequest(message: IncomingMessage): ParsedRequest {
  const method = message.method ?? '';
  if (!isMethod(method)) throw new ServiceError('MethodNotAllowed', { fields: { Method: method } });
  const target = message.url ?? '/';
  const mark = target.indexOf('?');
  // A proxy-style target names a host of its own, which has no place here.
  const path = decode(mark === -1 ? target : target.slice(0, mark), false);
  if (!path.startsWith('/')) throw new ServiceError('InvalidURI');
  const query =
    mark === -1 || mark === target.length - 1
      ? []
      : target
          .slice(mark + 1)
          .split('&')
          .filter((each) => each !== '')
          .map(pair);
  const headers = joinedHeaders(message);
  const virtual = virtualBucket(headers['host'] ?? '');
  const rest = path.slice(1);
  const slash = rest.indexOf('/');
  const bucket = virtual ?? (slash === -1 ? rest : rest.slice(0, slash));
  const key = virtual === undefined ? (slash === -1 ? '' : rest.slice(slash + 1)) : rest;
  return {
    signed: { method, path, query, headers },
    method,
    bucket: bucket === '' ? undefined : bucket,
    key: key === '' ? undefined : key,
  };
}

/** The parameters that the core is to see: without the signature's, each once. */
export function coreQuery(query: SignedRequest['query'], presigned: boolean): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of query) {
    if (presigned && name.toLowerCase().startsWith('x-amz-')) continue;
    if (name in result)
      throw new ServiceError('InvalidArgument', {
        message: 'A parameter must not be given twice.',
        fields: { ArgumentName: name },
      });
    result[name] = value;
  }
  return result;
}

/**
 * The headers that a presigned URL carries as parameters (metadata, tags, and the like).
 * A checksum among them was computed when nobody knew the body, and is not one of it.
 */
export function headersOfQuery(query: SignedRequest['query']): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of query) {
    const lower = name.toLowerCase();
    const isSignature =
      /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256|user-agent)$/.test(
        lower,
      );
    if (lower.startsWith('x-amz-') && !isSignature && !/^x-amz-(checksum-|sdk-checksum-)/.test(lower))
      result[lower] = value;
  }
  return result;
}

function isMethod(method: string): method is ServiceRequest['method'] {
  return METHODS.has(method);
}

function pair(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  return equals === -1
    ? [decode(text, true), '']
    : [decode(text.slice(0, equals), true), decode(text.slice(equals + 1), true)];
}

function decode(text: string, isForm: boolean): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(isForm ? text.replaceAll('+', ' ') : text);
  } catch {
    throw new ServiceError('InvalidURI');
  }
}

function joinedHeaders(message: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  const { rawHeaders } = message;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    const value = rawHeaders[i + 1] ?? '';
    headers[name] = name in headers ? `${headers[name]},${value}` : value;
  }
  return headers;
}

function virtualBucket(host: string): string | undefined {
  const bucket = /^(.+)\.localhost(?::\d+)?$/i.exec(host)?.[1];
  return bucket !== undefined && isBucketName(bucket) ? bucket : undefined;
}
