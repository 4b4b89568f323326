import { ServiceError } from './service-error.js';
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  checksumAlgorithm,
  DIGEST_LENGTHS,
  type DigestName,
  digestOf,
  runningDigest,
} from './digests.js';
import type { ServiceContext } from './service-context.js';
import type { AnswerBody, ServiceRequest } from './service.js';
import type { Segment } from './state.js';

/** 5 GiB: the most that one PUT or part may bring (Amazon S3 multipart upload limits). */
export const MOST_BYTES_AT_ONCE = 5 * 1024 ** 3;

/** Digests of one body, by name. */
export type Digests = Partial<Record<DigestName, Buffer>>;

/** A body that was stored and found to be what the sender said. Belongs to nothing yet. */
export interface StagedBody {
  readonly content: readonly Segment[];
  readonly sizeBytes: number;
  readonly digests: Digests;
  /** The checksum that the sender gave, or that was asked for. */
  readonly algorithm: ChecksumAlgorithm | undefined;
}

/** Stores a body, digests it on the way, and compares it with everything the sender said about it. */
export async function stageBody(
  context: ServiceContext,
  request: ServiceRequest,
  wanted?: ChecksumAlgorithm,
): Promise<StagedBody> {
  const expectation = expectationOf(context, request);
  if ((request.sizeBytes ?? 0) > MOST_BYTES_AT_ONCE) throw tooLarge();
  const algorithm = expectation.algorithm ?? wanted;
  const names = new Set<DigestName>(['MD5', ...announced(expectation)]);
  if (algorithm !== undefined) names.add(algorithm);
  const { body } = request;
  if (body === undefined || body instanceof Uint8Array) {
    const bytes = body ?? new Uint8Array(0);
    const digests: Digests = {};
    for (const name of names) digests[name] = digestOf(name, bytes);
    verify(expectation, digests, bytes.length, request);
    if (bytes.length === 0) return { content: [], sizeBytes: 0, digests, algorithm };
    const stored = context.storage.put(bytes);
    const blob = typeof stored === 'number' ? stored : await stored;
    return { content: [{ blob, start: 0, length: bytes.length }], sizeBytes: bytes.length, digests, algorithm };
  }
  const running = [...names].map((name) => [name, runningDigest(name)] as const);
  const writer = context.storage.writer();
  let sizeBytes = 0;
  const digests: Digests = {};
  try {
    for await (const chunk of body) {
      sizeBytes += chunk.length;
      if (sizeBytes > MOST_BYTES_AT_ONCE) throw tooLarge();
      for (const [, digest] of running) digest.update(chunk);
      await writer.write(chunk);
    }
    for (const [name, digest] of running) digests[name] = digest.digest();
    verify(expectation, digests, sizeBytes, request);
  } catch (error) {
    await writer.abort();
    throw error;
  }
  if (sizeBytes === 0) {
    await writer.abort();
    return { content: [], sizeBytes, digests, algorithm };
  }
  return { content: [{ blob: await writer.finish(), start: 0, length: sizeBytes }], sizeBytes, digests, algorithm };
}

/** Throws away what was staged and is not going to be used. */
export function discard(context: ServiceContext, staged: { readonly content: readonly Segment[] }): void {
  for (const { blob } of staged.content) context.storage.remove(blob);
}

/** Digests a stored content, or a part of it. */
export async function digestContent(
  context: ServiceContext,
  content: readonly Segment[],
  names: readonly DigestName[],
): Promise<Digests> {
  const digests: Digests = {};
  if (names.length === 0) return digests;
  const bytes = context.storage.read(content, 0, Infinity);
  if (bytes instanceof Uint8Array) {
    for (const name of names) digests[name] = digestOf(name, bytes);
    return digests;
  }
  const running = names.map((name) => [name, runningDigest(name)] as const);
  for await (const chunk of bytes) for (const [, digest] of running) digest.update(chunk);
  for (const [name, digest] of running) digests[name] = digest.digest();
  return digests;
}

/** A digest that was asked for, in base64. */
export function base64Of(digests: Digests, name: DigestName): string {
  const digest = digests[name];
  if (digest === undefined) throw new Error(`${name} was not computed`);
  return digest.toString('base64');
}

/** Reads a whole request document of bounded size, verified like any body. */
export async function readDocument(
  context: ServiceContext,
  request: ServiceRequest,
  mostBytes: number,
): Promise<string> {
  const expectation = expectationOf(context, request);
  const bytes = await collect(request.body, mostBytes);
  const digests: Digests = {};
  for (const name of announced(expectation)) digests[name] = digestOf(name, bytes);
  verify(expectation, digests, bytes.length, request);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ServiceError('MalformedXML');
  }
}

/** All bytes of a body; `MaxMessageLengthExceeded` when there are more than allowed. */
export async function collect(body: AnswerBody, mostBytes = Infinity): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array(0);
  if (body instanceof Uint8Array) {
    if (body.length > mostBytes) throw new ServiceError('MaxMessageLengthExceeded');
    return body;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > mostBytes) throw new ServiceError('MaxMessageLengthExceeded');
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length);
}

/** Whether the request carries a digest of its body. */
export function hasDigest(context: ServiceContext, request: ServiceRequest): boolean {
  const { md5, algorithm } = expectationOf(context, request);
  return md5 !== undefined || algorithm !== undefined;
}

interface Expectation {
  /** In hex. */
  readonly sha256: string | undefined;
  readonly md5: string | undefined;
  readonly algorithm: ChecksumAlgorithm | undefined;
  /** `undefined` with an algorithm: it follows in a trailer. */
  readonly checksum: string | undefined;
}

/** The digests that are needed to compare a body with what its sender said. */
function announced({ sha256, md5, algorithm }: Expectation): Set<DigestName> {
  const names = new Set<DigestName>();
  if (sha256 !== undefined) names.add('SHA256');
  if (md5 !== undefined) names.add('MD5');
  if (algorithm !== undefined) names.add(algorithm);
  return names;
}

function expectationOf(context: ServiceContext, { headers }: ServiceRequest): Expectation {
  const sha256 = signedPayloadOf(context, headers['x-amz-content-sha256']);
  const md5 = context.dialect.contentMd5 === 'verified' ? headers['content-md5'] : undefined;
  if (md5 !== undefined) checkShape('MD5', md5);
  const trailer = headers['x-amz-trailer'];
  let algorithm: ChecksumAlgorithm | undefined;
  let checksum: string | undefined;
  for (const each of CHECKSUM_ALGORITHMS) {
    const name = `x-amz-checksum-${each.toLowerCase()}`;
    const given = headers[name];
    if (given === undefined && trailer?.trim().toLowerCase() !== name) continue;
    if (algorithm !== undefined)
      throw new ServiceError('InvalidRequest', {
        message: 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
      });
    if (given !== undefined) checkShape(each, given);
    algorithm = each;
    checksum = given;
  }
  const named = headers['x-amz-sdk-checksum-algorithm'];
  if (algorithm !== undefined || named !== undefined) {
    if (context.dialect.checksums === 'not-implemented')
      throw new ServiceError('NotImplemented', { fields: { Header: 'x-amz-checksum' } });
    if (context.dialect.checksums === 'ignored') return { sha256, md5, algorithm: undefined, checksum: undefined };
  }
  algorithm ??= named === undefined ? undefined : checksumAlgorithm(named);
  return { sha256, md5, algorithm, checksum };
}

/** The SHA-256 that a body has to have; `undefined` for one that is not signed, or not compared. */
function signedPayloadOf({ dialect }: ServiceContext, given: string | undefined): string | undefined {
  if (dialect.signedPayload === 'ignored' || given === 'UNSIGNED-PAYLOAD') return undefined;
  // What comes in frames is compared frame by frame.
  return given?.startsWith('STREAMING-') === true ? undefined : given;
}

function verify(expectation: Expectation, digests: Digests, sizeBytes: number, request: ServiceRequest): void {
  if (request.sizeBytes !== undefined && request.sizeBytes !== sizeBytes) throw new ServiceError('IncompleteBody');
  const { sha256, md5, algorithm } = expectation;
  const computed = digests.SHA256?.toString('hex') ?? '';
  if (sha256 !== undefined && sha256 !== computed)
    throw new ServiceError('XAmzContentSHA256Mismatch', {
      fields: { ClientComputedContentSHA256: sha256, S3ComputedContentSHA256: computed },
    });
  if (md5 !== undefined && md5 !== base64Of(digests, 'MD5'))
    throw new ServiceError('BadDigest', { message: 'The Content-MD5 you specified did not match what we received.' });
  if (algorithm === undefined) return;
  const trailer = request.trailers?.()[`x-amz-checksum-${algorithm.toLowerCase()}`];
  const checksum = expectation.checksum ?? trailer;
  if (checksum === undefined && request.headers['x-amz-trailer'] !== undefined)
    throw new ServiceError('InvalidRequest', { message: 'The trailer that x-amz-trailer announced did not come.' });
  if (checksum !== undefined && checksum !== base64Of(digests, algorithm))
    throw new ServiceError('BadDigest', {
      message: `The ${algorithm} you specified did not match the calculated checksum.`,
    });
}

function checkShape(name: DigestName, base64: string): void {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === DIGEST_LENGTHS[name] && bytes.toString('base64') === base64) return;
  if (name === 'MD5') throw new ServiceError('InvalidDigest');
  throw new ServiceError('InvalidRequest', {
    message: `Value for x-amz-checksum-${name.toLowerCase()} header is invalid.`,
  });
}

function tooLarge(): ServiceError {
  return new ServiceError('EntityTooLarge', { fields: { MaxSizeAllowed: String(MOST_BYTES_AT_ONCE) } });
}
