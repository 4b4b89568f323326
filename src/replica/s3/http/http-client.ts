import { connect, isIP, type Socket, type TcpSocketConnectOpts } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import type { ReceiveMemory } from '../receive-memory.js';
import { AbortWatch } from './abort-watch.js';
import { HttpConnection } from './http-connection.js';
import { HttpError } from './http-error.js';
import { HttpExchange, type HttpAnswer } from './http-exchange.js';
import type { HttpRequest } from './request-head.js';

/** Options of {@link createHttpClient}. */
export interface HttpClientOptions {
  /** Most connections to one origin. */
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  /** Longest silence up to the end of the head of an answer. */
  readonly headersTimeoutMs: number;
  /** Longest silence within a body. */
  readonly bodyTimeoutMs: number;
  readonly memory: ReceiveMemory;
  readonly nowMs: () => number;
  /** Default `true`. `false` is for tests. */
  readonly rejectUnauthorized?: boolean;
}

/** HTTP/1.1 over connections that are kept. */
export interface HttpClient {
  /**
   * Sends one request, once, and follows nothing. Rejects with `HttpError`, an error of the network, or the reason of the signal;
   * throws where the request cannot be written.
   *
   * @param origin - scheme, host and port.
   */
  request(origin: string, request: HttpRequest, signal: AbortSignal | undefined): Promise<HttpAnswer>;
  /** Ends all connections, and what they carry. */
  destroy(): void;
}

/** How much is read from a socket at once: few trips through the event loop, and near the processor still when it is copied. */
const READ_BYTES = 256 * 1024;
/** A connection that was not used for so long may be closed on the other side, or forgotten by something between. */
const MOST_IDLE_MS = 4000;
const PROBE_AFTER_MS = 60_000;

/** Makes an {@link HttpClient}. All its connections are read into one piece of memory. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const sites = new Map<string, Site>();
  const shared = { memory: options.memory, aborts: new AbortWatch() };
  let isClosed = false;
  return {
    request(origin, request, signal) {
      if (isClosed) return Promise.reject(closed());
      let site = sites.get(origin);
      if (site === undefined) {
        site = new Site(new URL(origin), options, buffer);
        sites.set(origin, site);
      }
      return site.take(new HttpExchange(request, signal, shared));
    },
    destroy() {
      isClosed = true;
      for (const site of sites.values()) site.destroy();
    },
  };
}

interface IdleConnection {
  readonly connection: HttpConnection;
  readonly sinceMs: number;
}

/** The connections to one origin. */
class Site {
  readonly #url: URL;
  readonly #options: HttpClientOptions;
  readonly #buffer: Buffer;
  readonly #open = new Set<HttpConnection>();
  /** The last was used last. */
  #idle: IdleConnection[] = [];
  #waiting: HttpExchange[] = [];
  #session: Buffer | undefined;

  constructor(url: URL, options: HttpClientOptions, buffer: Buffer) {
    this.#url = url;
    this.#options = options;
    this.#buffer = buffer;
  }

  take(exchange: HttpExchange): Promise<HttpAnswer> {
    if (exchange.isOver) return exchange.answer;
    const free = this.#takeIdle() ?? (this.#open.size < this.#options.maxConnections ? this.#connect() : undefined);
    if (free === undefined) this.#waiting.push(exchange);
    else free.carry(exchange);
    return exchange.answer;
  }

  destroy(): void {
    for (const exchange of this.#waiting.splice(0)) exchange.fail(closed());
    for (const connection of this.#open) connection.end(closed());
  }

  #takeIdle(): HttpConnection | undefined {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      const { connection, sinceMs } = last;
      // A clock that was set back says nothing.
      const idleMs = Math.abs(this.#options.nowMs() - sinceMs);
      if (idleMs < Math.min(MOST_IDLE_MS, connection.lastsMs)) return connection;
      connection.breakOff();
    }
    return undefined;
  }

  /** The next that still waits for a connection. */
  #nextWaiting(): HttpExchange | undefined {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (!next.isOver) return next;
    }
    return undefined;
  }

  #onFree(connection: HttpConnection): void {
    const next = this.#nextWaiting();
    if (next === undefined) this.#idle.push({ connection, sinceMs: this.#options.nowMs() });
    else connection.carry(next);
  }

  #onGone(connection: HttpConnection): void {
    this.#open.delete(connection);
    this.#idle = this.#idle.filter((each) => each.connection !== connection);
    const next = this.#nextWaiting();
    if (next !== undefined) this.#connect().carry(next);
  }

  #connect(): HttpConnection {
    const { connectTimeoutMs, headersTimeoutMs, bodyTimeoutMs, nowMs } = this.#options;
    const connection: HttpConnection = new HttpConnection(
      {
        connectTimeoutMs,
        headersTimeoutMs,
        bodyTimeoutMs,
        nowMs,
        onFree: (free) => this.#onFree(free),
        onGone: (gone) => this.#onGone(gone),
      },
      (onRead) => this.#openSocket(onRead, () => connection.connected()),
    );
    this.#open.add(connection);
    return connection;
  }

  #openSocket(onRead: (bytes: Buffer) => boolean, onConnected: () => void): Socket {
    const isSecure = this.#url.protocol === 'https:';
    // An address of version 6 stands in brackets.
    const host = this.#url.hostname.replace(/^\[(.*)\]$/, '$1');
    const buffer = this.#buffer;
    const onread = { buffer, callback: (count: number) => onRead(buffer.subarray(0, count)) };
    const port = Number(this.#url.port) || (isSecure ? 443 : 80);
    if (!isSecure) return livelySocket(connect({ host, port, onread }).once('connect', onConnected));
    const socket = connectSecurely({
      host,
      port,
      // Handed on to the socket below it, which the types do not know.
      ...({ onread } satisfies Pick<TcpSocketConnectOpts, 'onread'>),
      servername: isIP(host) === 0 ? host : '',
      ALPNProtocols: ['http/1.1'],
      ...(this.#session !== undefined && { session: this.#session }),
      ...(this.#options.rejectUnauthorized === false && { rejectUnauthorized: false }),
    });
    socket.on('session', (session) => (this.#session = session));
    return livelySocket(socket.once('secureConnect', onConnected));
  }
}

function closed(): HttpError {
  return new HttpError('HTTP_CUT_SHORT', 'the client was closed');
}

/** Small requests go out at once, and a connection whose other side is gone is found out. */
function livelySocket(socket: Socket): Socket {
  return socket.setNoDelay(true).setKeepAlive(true, PROBE_AFTER_MS);
}
