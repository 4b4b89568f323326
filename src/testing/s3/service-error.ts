import type { ServiceAnswer } from './service.js';
import { escapeXml, XML_HEAD } from './xml.js';

const CODES = {
  AccessControlListNotSupported: [400, 'The bucket does not allow ACLs'],
  AccessDenied: [403, 'Access Denied'],
  AuthorizationHeaderMalformed: [400, 'The authorization header that you provided is not valid.'],
  AuthorizationQueryParametersError: [400, 'The query parameters of the presigned URL are not valid.'],
  BadDigest: [400, 'The Content-MD5 or checksum value that you specified did not match what the server received.'],
  BucketAlreadyOwnedByYou: [409, 'The bucket that you tried to create already exists, and you own it.'],
  BucketNotEmpty: [409, 'The bucket that you tried to delete is not empty.'],
  ConditionalRequestConflict: [409, 'A conflicting operation occurred during the evaluation of a conditional request.'],
  EntityTooLarge: [400, 'Your proposed upload exceeds the maximum allowed size'],
  EntityTooSmall: [400, 'Your proposed upload is smaller than the minimum allowed size'],
  IncompleteBody: [400, 'You did not provide the number of bytes specified by the Content-Length HTTP header.'],
  InternalError: [500, 'We encountered an internal error. Please try again.'],
  InvalidAccessKeyId: [403, 'The AWS Access Key Id you provided does not exist in our records.'],
  InvalidArgument: [400, 'Invalid Argument'],
  InvalidBucketName: [400, 'The specified bucket is not valid.'],
  InvalidDigest: [400, 'The Content-MD5 or checksum value that you specified is not valid.'],
  InvalidPart: [400, 'One or more of the specified parts could not be found, or the ETag of a part did not match.'],
  InvalidPartNumber: [416, 'The requested partnumber is not satisfiable'],
  InvalidPartOrder: [400, 'The list of parts was not in ascending order. Parts must be ordered by part number.'],
  InvalidRange: [416, 'The requested range is not satisfiable'],
  InvalidRequest: [400, 'Invalid Request'],
  InvalidTag: [400, 'The tag provided was not a valid tag.'],
  InvalidURI: [400, "Couldn't parse the specified URI."],
  KeyTooLongError: [400, 'Your key is too long'],
  MalformedXML: [400, 'The XML you provided was not well-formed or did not validate against our published schema'],
  MaxMessageLengthExceeded: [400, 'Your request was too big.'],
  MetadataTooLarge: [400, 'Your metadata headers exceed the maximum allowed metadata size'],
  MethodNotAllowed: [405, 'The specified method is not allowed against this resource.'],
  MissingContentLength: [411, 'You must provide the Content-Length HTTP header.'],
  NoSuchBucket: [404, 'The specified bucket does not exist'],
  NoSuchKey: [404, 'The specified key does not exist.'],
  NoSuchTagSet: [404, 'There is no tag set associated with the bucket.'],
  NoSuchUpload: [404, 'The specified multipart upload does not exist. It may have been aborted or completed.'],
  NoSuchVersion: [404, 'The specified version does not exist.'],
  NotFound: [404, 'Not Found'],
  NotImplemented: [501, 'A header or parameter you provided implies functionality that is not implemented'],
  NotModified: [304, 'Not Modified'],
  PreconditionFailed: [412, 'At least one of the pre-conditions you specified did not hold'],
  RequestTimeTooSkewed: [403, "The difference between the request time and the server's time is too large."],
  SignatureDoesNotMatch: [403, 'The request signature we calculated does not match the signature you provided.'],
  SlowDown: [503, 'Please reduce your request rate.'],
  TooManyRequests: [429, 'Please reduce your request rate.'],
  XAmzContentSHA256Mismatch: [400, "The provided 'x-amz-content-sha256' header does not match what was computed."],
} as const satisfies Record<string, readonly [number, string]>;

/** The code of an error answer, as it stands in its XML. */
export type ServiceErrorCode = keyof typeof CODES;

/** What an error answer carries besides its code. */
export interface ServiceErrorDetails {
  /** Replaces the usual sentence. */
  readonly message?: string;
  /** Replaces the usual status: dialects differ here. */
  readonly status?: number;
  /** More elements of the XML. */
  readonly fields?: Readonly<Record<string, string>>;
  /** More headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal on its way to the client; the core turns it into an answer, it never leaves the service. */
export class ServiceError extends Error {
  readonly code: ServiceErrorCode;
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ServiceErrorCode, details: ServiceErrorDetails = {}) {
    super(details.message ?? CODES[code][1]);
    this.name = 'ServiceError';
    this.code = code;
    this.status = details.status ?? CODES[code][0];
    this.fields = details.fields ?? {};
    this.headers = details.headers ?? {};
  }
}

/** The answer that tells a client about a refusal. HEAD and 304 have no body. */
export function errorAnswer(error: ServiceError, method: string, resource: string, requestId: string): ServiceAnswer {
  if (method === 'HEAD' || error.status === 304)
    return { status: error.status, headers: { ...error.headers }, body: undefined };
  let xml = `${XML_HEAD}<Error><Code>${error.code}</Code><Message>${escapeXml(error.message)}</Message>`;
  for (const [name, value] of Object.entries(error.fields)) xml += `<${name}>${escapeXml(value)}</${name}>`;
  xml += `<Resource>${escapeXml(resource)}</Resource><RequestId>${requestId}</RequestId></Error>`;
  return xmlAnswer(xml, error.status, error.headers);
}

/** An answer with an XML document. */
export function xmlAnswer(xml: string, status = 200, headers: Readonly<Record<string, string>> = {}): ServiceAnswer {
  const body = Buffer.from(xml);
  return {
    status,
    headers: { ...headers, 'content-type': 'application/xml', 'content-length': String(body.length) },
    body,
  };
}

/** An answer without a body. */
export function emptyAnswer(status: number, headers: Record<string, string> = {}): ServiceAnswer {
  if (status !== 204) headers['content-length'] = '0';
  return { status, headers, body: undefined };
}
