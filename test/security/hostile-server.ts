import { createHash } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';

/** A request as far as the server looks at it. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly host: string;
  readonly headers: string;
  readonly operation: 'list' | 'get' | 'head' | 'put' | 'delete' | 'other';
  readonly key: string;
  readonly body: string;
}

/** Answers a request by writing to the socket whatever it likes; `false`: the honest answer is to be given. */
export type Hostility = (socket: Socket, request: SeenRequest, honest: HostileServer) => unknown;

/** A server on a bare socket that is honest until it is told how not to be. */
export class HostileServer {
  readonly objects = new Map<string, string>();
  readonly seen: SeenRequest[] = [];
  hostility: Hostility = () => false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this.port;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Breaks every connection, so that none is used again. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The honest listing. */
  page(): string {
    const keys = [...this.objects.keys()].toSorted();
    const contents = keys.map((key) => {
      const content = this.objects.get(key) ?? '';
      return `<Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;${md5(content)}&quot;</ETag><Size>${content.length}</Size></Contents>`;
    });
    return `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><KeyCount>${keys.length}</KeyCount><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`;
  }

  /** Writes an honest answer. */
  answer(socket: Socket, request: SeenRequest): void {
    const { operation, key } = request;
    const content = this.objects.get(key);
    if (operation === 'list') return write(socket, 200, this.page(), { 'content-type': 'application/xml' });
    if (operation === 'put') {
      this.objects.set(key, request.body);
      return write(socket, 200, '', { etag: `"${md5(request.body)}"` });
    }
    if (operation === 'delete') return write(socket, 204, '');
    if (content === undefined)
      return write(socket, 404, request.method === 'HEAD' ? '' : '<Error><Code>NoSuchKey</Code></Error>');
    const headers = {
      etag: `"${md5(content)}"`,
      'last-modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
      'content-type': 'text/plain',
    };
    if (operation === 'head') return write(socket, 200, '', { ...headers, 'content-length': String(content.length) });
    const range = `bytes 0-${content.length - 1}/${content.length}`;
    return write(socket, 206, content, { ...headers, 'content-range': range });
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    let buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      for (;;) {
        const end = buffer.indexOf('\r\n\r\n');
        if (end === -1) return;
        const head = buffer.subarray(0, end).toString('latin1');
        const next = end + 4 + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
        if (buffer.length < next) return;
        const request = parse(head, buffer.subarray(end + 4, next).toString());
        buffer = buffer.subarray(next);
        this.seen.push(request);
        if (this.hostility(socket, request, this) === false) this.answer(socket, request);
      }
    });
  }
}

function parse(head: string, body: string): SeenRequest {
  const [method = '', target = ''] = head.split(' ', 2);
  const [path = '', query = ''] = target.split('?', 2);
  const key = decodeURIComponent(path.split('/').slice(2).join('/'));
  const operations: Record<string, SeenRequest['operation']> = {
    GET: 'get',
    HEAD: 'head',
    PUT: 'put',
    DELETE: 'delete',
  };
  const isList = method === 'GET' && query.includes('list-type=2');
  return {
    method,
    target,
    key,
    headers: head,
    body,
    host: /^host: *(.*)$/im.exec(head)?.[1] ?? '',
    operation: isList ? 'list' : key === '' ? 'other' : (operations[method] ?? 'other'),
  };
}

/** Writes a whole answer; `content-length` is added where none is given. */
export function write(
  socket: Socket,
  status: number,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(body);
  const length =
    'content-length' in headers || 'transfer-encoding' in headers ? {} : { 'content-length': String(bytes.length) };
  const lines = Object.entries({ ...headers, ...length }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} X\r\n${lines.join('')}\r\n`, 'latin1'), bytes]));
}

/** Writes a piece again and again, as long as somebody reads. */
export function pour(socket: Socket, piece: string | Uint8Array, everyMs = 0): void {
  const next = (): void => {
    if (socket.destroyed) return;
    socket.write(piece, (error) => {
      if (error === undefined || error === null) setTimeout(next, everyMs);
    });
  };
  next();
}

export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
