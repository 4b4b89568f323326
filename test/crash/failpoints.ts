import { relative } from 'node:path';
import type { FileSystem } from '../../src/replica/local/file-system.js';
import type { S3Request, S3Transport } from '../../src/replica/s3/transport.js';
import { hookBody } from '../../src/replica/s3/wrap/body-hooks.js';
import type { Database, DatabaseHome, DatabaseOperation } from '../../src/store/database.js';
import { hookFileSystem } from '../../src/testing/fs/hooked-file-system.js';

/** Told of each durable step, just before it is taken. */
export type OnStep = (step: string) => void | Promise<void>;

/** The operations of a file system that leave something behind. */
const DURABLE: ReadonlySet<string> = new Set([
  'createFile',
  'write',
  'setModified',
  'setMode',
  'sync',
  'makeDirectory',
  'link',
  'rename',
  'unlink',
  'removeDirectory',
]);

/** Names the durable steps of a file system: `fs:link .filecloudsync/tmp/*`. */
export function watchFileSystem(inner: FileSystem, folder: string, onStep: OnStep): FileSystem {
  return hookFileSystem(inner, async (text) => {
    const space = text.indexOf(' ');
    const operation = text.slice(0, space);
    if (DURABLE.has(operation)) await onStep(`fs:${operation} ${plainPath(relative(folder, text.slice(space + 1)))}`);
  });
}

/** Names the durable steps of a database: `db:batch b(put)`. */
export function watchDatabaseHome(inner: DatabaseHome, onStep: OnStep): DatabaseHome {
  return {
    async open() {
      await onStep('db:open');
      return watchDatabase(await inner.open(), onStep);
    },
    async putAside() {
      await onStep('db:putAside');
      await inner.putAside();
    },
  };
}

function watchDatabase(inner: Database, onStep: OnStep): Database {
  return {
    get: (key) => inner.get(key),
    getMany: (keys) => inner.getMany(keys),
    iterate: (range) => inner.iterate(range),
    readMark: () => inner.readMark(),
    async batch(operations, options) {
      await onStep(`db:batch ${kindsOf(operations)}`);
      await inner.batch(operations, options);
    },
    async clear(range) {
      await onStep(`db:clear ${(range.gte ?? '').slice(0, 1)}`);
      await inner.clear(range);
    },
    // Files of their own, whose steps are told by `watchStateFiles`.
    writeMark: (text) => inner.writeMark(text),
    async close() {
      await onStep('db:close');
      await inner.close();
    },
  };
}

/** Which kinds of rows a batch changes: rows of one kind begin with one letter. */
function kindsOf(operations: readonly DatabaseOperation[]): string {
  const kinds = operations.map((operation) => `${operation.key.slice(0, 1)}(${operation.type})`);
  return [...new Set(kinds)].toSorted().join('+');
}

/**
 * Names the requests that change something in the store, three times each: before one is sent, while it is under way,
 * and when its answer is there but nobody has heard it yet.
 */
export function watchTransport(inner: S3Transport, onStep: OnStep): S3Transport {
  return {
    async send(request) {
      if (request.method === 'GET' || request.method === 'HEAD') return inner.send(request);
      const name = `s3:${request.method} ${nameOf(request)}`;
      await onStep(`${name} unsent`);
      const answering = inner.send(request);
      // Connected and written to the socket, but seldom answered.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      answering.catch(() => {});
      await onStep(`${name} under way`);
      const answer = await answering;
      await onStep(`${name} answered`);
      return answer;
    },
    close: () => inner.close(),
  };
}

/** Tells how many bytes of objects come. */
export function countFetched(inner: S3Transport, onFetched: (count: number) => void): S3Transport {
  return {
    async send(request) {
      const answer = await inner.send(request);
      return request.method === 'GET' && request.key !== undefined
        ? hookBody(answer, { onBytes: (length) => onFetched(length) })
        : answer;
    },
    close: () => inner.close(),
  };
}

function nameOf({ key, query, headers }: S3Request): string {
  const names = Object.entries(query).map(([name, value]) => (name === 'partNumber' ? `${name}=${value}` : name));
  const copies = headers['x-amz-copy-source'] === undefined ? '' : ' copy';
  return `${plainPath(key ?? '')}${names.length === 0 ? '' : `?${names.toSorted().join('&')}`}${copies}`;
}

/** Takes what chance and time have put into a path out of it. */
export function plainPath(path: string): string {
  return path
    .replaceAll(/\.filecloudsync\/tmp\/[^/]+/g, '.filecloudsync/tmp/*')
    .replaceAll(/\.filecloudsync\/trash\/[^/]+/g, '.filecloudsync/trash/*')
    .replaceAll(/\.filecloudsync\/stamp-[0-9a-f]+/g, '.filecloudsync/stamp-*')
    .replaceAll(/\.filecloudsync\/probe-[0-9a-z]+/g, '.filecloudsync/probe-*')
    .replaceAll(/\/pairs\/[^/]+/g, '/pairs/*')
    .replaceAll(/\/facts\/[0-9a-f]+/g, '/facts/*')
    .replaceAll(/ \(conflict [^)]*\)/g, ' (conflict)');
}

/** Numbers steps of one name, so that each has an id of its own: `fs:link .filecloudsync/tmp/* #2`. */
export class StepCounter {
  readonly #counts = new Map<string, number>();
  readonly ids: string[] = [];

  next(step: string): string {
    const count = (this.#counts.get(step) ?? 0) + 1;
    this.#counts.set(step, count);
    const id = `${step} #${count}`;
    this.ids.push(id);
    return id;
  }
}
