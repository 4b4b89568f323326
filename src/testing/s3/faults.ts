import type { Runtime } from '../../core/runtime.js';
import { type OperationName, operationOf } from './operation.js';
import {
  type AnswerBody,
  ConnectionBroken,
  type S3Service,
  type ServiceAnswer,
  type ServiceRequest,
} from './service.js';
import { errorAnswer, ServiceError } from './service-error.js';

/** What can go wrong with one request. */
export type Fault =
  /** 503 SlowDown, nothing done. */
  | 'slow-down'
  /** 429, nothing done. */
  | 'too-many-requests'
  /** 500, nothing done. */
  | 'internal-error'
  /** The connection breaks before the service acted. */
  | 'reset-before'
  /** The service acts, and the connection breaks before its answer. */
  | 'reset-after'
  /** The service acts, and answers 500. */
  | 'error-after'
  /** The body of the answer ends early: the connection breaks within it. */
  | 'short-body'
  /** One bit of the answer's body is another. */
  | 'bit-flip'
  /** One bit of the request's body is another when it arrives; passes when no digest came with it that could tell. */
  | 'damaged-body'
  /** A LIST is answered with what an earlier, equal one was answered; passes when there was none. */
  | 'stale-list';

/** When a fault happens. All conditions that are given must hold. */
export interface FaultRule {
  readonly fault: Fault;
  readonly operation?: OperationName | readonly OperationName[];
  readonly key?: string | RegExp;
  /** The how-manieth request for which the conditions above hold, from 1; several may be named. */
  readonly nth?: number | readonly number[];
  /** How often it happens by chance, from 0 to 1. Default 1. */
  readonly probability?: number;
  /** How often it happens at most. */
  readonly times?: number;
}

/** Faults of a service, in the order in which they are tried; the first that applies happens. */
export interface FaultPlan {
  readonly rules?: readonly FaultRule[];
  /** How long requests take, by chance between these; half of it passes before the service acts, half after. */
  readonly delayMs?: { readonly least: number; readonly most: number };
  /** Told about each fault that happens. */
  readonly onFault?: (fault: Fault, operation: OperationName | undefined, request: ServiceRequest) => void;
}

const REFUSALS = {
  'slow-down': 'SlowDown',
  'too-many-requests': 'TooManyRequests',
  'internal-error': 'InternalError',
  'error-after': 'InternalError',
} as const;
/**
 * The faults of a bad day, each one a share of `probability`: for plans by chance.
 *
 * @example
 * ```ts
 * const s3 = new SimulatedS3();
 * // A fifth of the requests fails, in every way there is.
 * const transport = s3.transport({ faults: { rules: badDay(0.2) } });
 * ```
 */
export function badDay(probability: number): readonly FaultRule[] {
  const faults: readonly Fault[] = [
    'slow-down',
    'too-many-requests',
    'internal-error',
    'reset-before',
    'reset-after',
    'error-after',
    'short-body',
    'bit-flip',
    'damaged-body',
    'stale-list',
  ];
  // Rules are tried one after the other: each gets its share of what the earlier ones left.
  return faults.map((fault, index) => {
    const share = probability / faults.length;
    return { fault, probability: share / (1 - share * index) };
  });
}

/**
 * A service whose requests go wrong by a plan: by chance, from the runtime's randomness, or by script.
 *
 * @example
 * ```ts
 * const s3 = new SimulatedS3();
 * const lossy = withFaults(s3, { rules: [{ fault: 'reset-after', operation: 'PutObject', nth: 1 }] }, systemRuntime());
 * const transport = serviceTransport(lossy);
 * ```
 */
export function withFaults(service: S3Service, plan: FaultPlan, runtime: Runtime): S3Service {
  const rules = (plan.rules ?? []).map((rule) => ({ rule, seen: 0, happened: 0 }));
  const lists = new Map<string, ServiceAnswer>();
  const choose = (operation: OperationName | undefined, request: ServiceRequest): Fault | undefined => {
    let chosen: Fault | undefined;
    for (const each of rules) {
      const { rule } = each;
      if (!isAbout(rule, operation, request)) continue;
      each.seen++;
      if (chosen !== undefined || each.happened >= (rule.times ?? Infinity)) continue;
      if (rule.nth !== undefined && ![rule.nth].flat().includes(each.seen)) continue;
      if (rule.probability !== undefined && runtime.random.next() >= rule.probability) continue;
      each.happened++;
      chosen = rule.fault;
    }
    return chosen;
  };
  const pause = async (): Promise<void> => {
    if (plan.delayMs === undefined) return;
    const { least, most } = plan.delayMs;
    await runtime.clock.sleep((least + runtime.random.next() * (most - least)) / 2);
  };
  return {
    async handle(request) {
      const operation = nameOf(request);
      const fault = choose(operation, request);
      if (fault !== undefined) plan.onFault?.(fault, operation, request);
      await pause();
      if (fault === 'slow-down' || fault === 'too-many-requests' || fault === 'internal-error')
        return refusal(fault, request);
      if (fault === 'reset-before') throw new ConnectionBroken('the connection was reset before the service acted');
      const listing =
        operation === 'ListObjectsV2' || operation === 'ListObjects'
          ? `${request.bucket}?${JSON.stringify(request.query)}`
          : undefined;
      const earlier = listing === undefined ? undefined : lists.get(listing);
      if (fault === 'stale-list' && earlier !== undefined) {
        await pause();
        return { ...earlier, headers: { ...earlier.headers } };
      }
      const answer = await service.handle(fault === 'damaged-body' ? damaged(request, runtime) : request);
      if (listing !== undefined && answer.status === 200 && rules.length > 0)
        lists.set(listing, { ...answer, headers: { ...answer.headers } });
      await pause();
      if (fault === 'reset-after' || fault === 'error-after') {
        await cancel(answer.body);
        if (fault === 'error-after') return refusal(fault, request);
        throw new ConnectionBroken('the connection was reset after the service acted');
      }
      const size = Number(answer.headers['content-length'] ?? 0);
      if (answer.body === undefined || size === 0) return answer;
      if (fault === 'short-body')
        return { ...answer, body: cutShort(answer.body, Math.floor(runtime.random.next() * size)) };
      if (fault === 'bit-flip')
        return { ...answer, body: flipBit(answer.body, Math.floor(runtime.random.next() * size * 8)) };
      return answer;
    },
  };
}

function nameOf(request: ServiceRequest): OperationName | undefined {
  try {
    return operationOf(request);
  } catch (error) {
    if (error instanceof ServiceError) return undefined;
    throw error;
  }
}

function isAbout(rule: FaultRule, operation: OperationName | undefined, request: ServiceRequest): boolean {
  if (rule.operation !== undefined && (operation === undefined || ![rule.operation].flat().includes(operation)))
    return false;
  if (rule.fault === 'stale-list' && operation !== 'ListObjectsV2' && operation !== 'ListObjects') return false;
  if (rule.key === undefined) return true;
  if (request.key === undefined) return false;
  return typeof rule.key === 'string' ? rule.key === request.key : rule.key.test(request.key);
}

function refusal(fault: keyof typeof REFUSALS, request: ServiceRequest): ServiceAnswer {
  return errorAnswer(new ServiceError(REFUSALS[fault]), request.method, `/${request.bucket ?? ''}`, 'FAULT');
}

function damaged(request: ServiceRequest, runtime: Runtime): ServiceRequest {
  const { body, headers, sizeBytes = 0 } = request;
  const hasDigest = headers['content-md5'] !== undefined || headers['x-amz-content-sha256'] !== undefined;
  if (body === undefined || sizeBytes === 0 || !hasDigest) return request;
  const bit = Math.floor(runtime.random.next() * sizeBytes * 8);
  if (!(body instanceof Uint8Array)) return { ...request, body: flipBit(body, bit) };
  return { ...request, body: withFlippedBit(body, bit) };
}

async function cancel(body: AnswerBody): Promise<void> {
  if (body !== undefined && !(body instanceof Uint8Array)) await body[Symbol.asyncIterator]().return?.();
}

async function* cutShort(body: Uint8Array | AsyncIterable<Uint8Array>, keep: number): AsyncIterable<Uint8Array> {
  let left = keep;
  for await (const chunk of chunksOf(body)) {
    if (left > 0) yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left < 0) break;
  }
  throw new ConnectionBroken('the connection was reset within the answer');
}

async function* flipBit(body: Uint8Array | AsyncIterable<Uint8Array>, bit: number): AsyncIterable<Uint8Array> {
  let at = Math.floor(bit / 8);
  for await (const chunk of chunksOf(body)) {
    if (at >= 0 && at < chunk.length) {
      yield withFlippedBit(chunk, at * 8 + (bit % 8));
    } else yield chunk;
    at -= chunk.length;
  }
}

function withFlippedBit(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = Uint8Array.prototype.slice.call(bytes);
  const at = Math.floor(bit / 8);
  changed[at] = (changed[at] ?? 0) ^ (1 << (bit % 8));
  return changed;
}

async function* chunksOf(body: Uint8Array | AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (body instanceof Uint8Array) yield body;
  else yield* body;
}
