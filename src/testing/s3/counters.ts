import type { OperationName } from './operation.js';

/** What was asked of the service so far. */
export interface RequestCounts {
  readonly requests: number;
  /** Bytes of request bodies that were declared or in memory. */
  readonly bytesIn: number;
  /** Bytes of answer bodies. */
  readonly bytesOut: number;
  readonly byOperation: Readonly<Partial<Record<OperationName | 'unknown', number>>>;
  readonly byStatus: Readonly<Record<number, number>>;
}

/**
 * Counts requests by operation and status, and bytes.
 *
 * @example
 * ```ts
 * const s3 = new SimulatedS3();
 * s3.createBucket('pictures');
 * s3.counter.reset();
 * await s3.transport().send({ method: 'GET', bucket: 'pictures', key: undefined, query: {}, headers: {} });
 * console.log(s3.counter.requests, s3.counter.byOperation);
 * ```
 */
export class RequestCounter implements RequestCounts {
  requests = 0;
  bytesIn = 0;
  bytesOut = 0;
  byOperation: Partial<Record<OperationName | 'unknown', number>> = {};
  byStatus: Record<number, number> = {};

  /** Counts one answered request. */
  add(operation: OperationName | 'unknown', status: number, bytesIn: number, bytesOut: number): void {
    this.requests++;
    this.bytesIn += bytesIn;
    this.bytesOut += bytesOut;
    this.byOperation[operation] = (this.byOperation[operation] ?? 0) + 1;
    this.byStatus[status] = (this.byStatus[status] ?? 0) + 1;
  }

  /** Begins anew. */
  reset(): void {
    this.requests = this.bytesIn = this.bytesOut = 0;
    this.byOperation = {};
    this.byStatus = {};
  }
}
