import type { S3Request, S3Response, S3Transport } from '../../src/replica/s3/transport.js';
import type { Scheduler, SimulatedProcess } from '../../src/testing/simulation/scheduler.js';
import type { SeededRandom } from '../../src/testing/simulation/seeded-random.js';

/** How often the network misbehaves, as probabilities per request. */
export interface NetworkFaults {
  /** The request never arrives. */
  readonly lostRequest: number;
  /** The service acts, and its answer never arrives. */
  readonly lostAnswer: number;
  /** 503 SlowDown, nothing was done. */
  readonly slowDown: number;
}

/** A network without faults. */
export const CALM: NetworkFaults = { lostRequest: 0, lostAnswer: 0, slowDown: 0 };

/** A network between one process and the bucket: every request and every answer takes its turn, and may be lost. */
export function flakyTransport(
  inner: S3Transport,
  world: { readonly scheduler: Scheduler; readonly process: SimulatedProcess; readonly random: SeededRandom },
  faults: () => NetworkFaults,
): S3Transport {
  const { scheduler, process, random } = world;
  return {
    async send(request: S3Request): Promise<S3Response> {
      request.signal?.throwIfAborted();
      const label = `${request.method} ${request.key ?? ''}`;
      await scheduler.step(process, label);
      const { lostRequest, lostAnswer, slowDown } = faults();
      if (random.chance(lostRequest)) throw connectionReset('before the request arrived');
      if (random.chance(slowDown)) return slowDownAnswer();
      const response = await inner.send(request);
      await scheduler.step(process, `answer to ${label}`);
      if (random.chance(lostAnswer)) throw connectionReset('before the answer arrived');
      return response;
    },
    close: () => inner.close(),
  };
}

function connectionReset(when: string): Error {
  return Object.assign(new Error(`the connection was reset ${when}`), { code: 'ECONNRESET' });
}

function slowDownAnswer(): S3Response {
  const body = new TextEncoder().encode('<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>');
  return {
    status: 503,
    headers: { 'content-type': 'application/xml', 'content-length': String(body.length) },
    body: (async function* () {
      yield body;
    })(),
  };
}
