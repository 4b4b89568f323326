import type { S3Request, S3Transport } from '../../src/replica/s3/transport.js';
import type { Scheduler, SimulatedProcess } from '../../src/testing/simulation/scheduler.js';

/** A network between one process and the bucket: every request and every answer takes its turn, so that they overtake each other. */
export function turnedTransport(
  inner: S3Transport,
  scheduler: Scheduler,
  process: SimulatedProcess,
  pass: (label: string) => void | Promise<void>,
  onRequest: (request: S3Request) => void,
): S3Transport {
  return {
    async send(request) {
      request.signal?.throwIfAborted();
      const label = `${request.method} ${request.key ?? ''}`;
      await pass(label);
      onRequest(request);
      const response = await inner.send(request);
      await scheduler.step(process, 'answer');
      return response;
    },
    close: () => Promise.resolve(),
  };
}
