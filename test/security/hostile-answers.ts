import { gzipSync } from 'node:zlib';
import { md5, pour, write, type HostileServer, type Hostility, type SeenRequest } from './hostile-server.js';

/** One way for a server not to be honest. */
export interface HostileAnswer {
  readonly name: string;
  readonly hostility: Hostility;
}

const XML = { 'content-type': 'application/xml' };
const OPEN = '<ListBucketResult>';
const CLOSE = '</ListBucketResult>';
const END = `<IsTruncated>false</IsTruncated>${CLOSE}`;
const object = (key: string, extra = '<Size>1</Size>', time = '2026-01-02T03:04:05.000Z'): string =>
  `<Contents><Key>${key}</Key><LastModified>${time}</LastModified><ETag>"${md5('x')}"</ETag>${extra}</Contents>`;

/** Answers every listing with this document. */
function listing(
  name: string,
  make: (honest: HostileServer) => string | Uint8Array,
  headers: Readonly<Record<string, string>> = XML,
  status = 200,
): HostileAnswer {
  return on('list', name, (socket, _request, honest) => write(socket, status, make(honest), headers));
}

function on(operation: SeenRequest['operation'], name: string, answer: Hostility): HostileAnswer {
  return {
    name: `${operation}: ${name}`,
    hostility: (socket, request, honest) => {
      if (request.operation !== operation) return false;
      answer(socket, request, honest);
      return true;
    },
  };
}

function raw(operation: SeenRequest['operation'], name: string, text: string): HostileAnswer {
  return on(operation, name, (socket) => void socket.write(Buffer.from(text, 'latin1')));
}

const GZIP_BOMB = gzipSync(Buffer.alloc(64 * 1024 * 1024));
const bomb =
  '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">' +
  Array.from(
    { length: 9 },
    (_, i) => `<!ENTITY ${String.fromCharCode(98 + i)} "${`&${String.fromCharCode(97 + i)};`.repeat(10)}">`,
  ).join('') +
  ']>';
const page = (inner: string): string => `${OPEN}${inner}${END}`;
const whole = (honest: HostileServer): string => honest.page();
const without = (element: string) => (honest: HostileServer) =>
  honest.page().replace(new RegExp(`<${element}>[^<]*</${element}>`), '');

const documents: readonly HostileAnswer[] = [
  listing('an entity bomb', () => `<?xml version="1.0"?>${bomb}${page(object('&j;'))}`),
  listing('an entity bomb without a prolog', () => bomb + page(object('&j;'))),
  listing(
    'an entity that reads a file',
    () => `<!DOCTYPE b [<!ENTITY x SYSTEM "file:///etc/passwd">]>${page(object('&x;'))}`,
  ),
  listing('an unknown entity', () => page(object('&x;'))),
  listing('an entity of a character that does not exist', () => page(object('&#x110000;'))),
  listing('an entity of half a pair', () => page(object('&#xD800;'))),
  listing('an entity without an end', () => page(object('&amp'))),
  listing('a NUL in a key', () => page(object('a&#0;b'))),
  listing('a key that climbs', () => page(object('../../x') + object('../y'))),
  listing('keys out of order', () => page(object('b') + object('a'))),
  listing('a key twice', () => page(object('a') + object('a'))),
  listing('keys in the order of UTF-16', () => page(object('\u{1F600}') + object('\uFF61'))),
  listing('keys outside the prefix', () => page(object('\u0001before') + object('zzz'))),
  listing('a key without a name', () => page(object(''))),
  listing('a key of 100,000 bytes', () => page(object('k'.repeat(100_000)))),
  listing('a negative size', () => page(object('a', '<Size>-1</Size>'))),
  listing('a size with an exponent', () => page(object('a', '<Size>1e308</Size>'))),
  listing('a size beyond all numbers', () => page(object('a', `<Size>${'9'.repeat(400)}</Size>`))),
  listing('a size of a petabyte', () => page(object('a', '<Size>999999999999999</Size>'))),
  listing('a size that is no number', () => page(object('a', '<Size>NaN</Size>'))),
  listing('two sizes', () => page(object('a', '<Size>1</Size><Size>2</Size>'))),
  listing('no size', () => page(object('a', ''))),
  listing('a time that is none', () => page(object('a', '<Size>1</Size>', 'NaN'))),
  listing('a time in the year 275760', () => page(object('a', '<Size>1</Size>', '+275760-09-13T00:00:00.000Z'))),
  listing('a time before time', () => page(object('a', '<Size>1</Size>', '-271821-04-20T00:00:00.000Z'))),
  listing('no time', () => page(object('a').replace(/<LastModified>.*<\/LastModified>/, ''))),
  listing('elements nested without end', () => OPEN + '<a>'.repeat(1_000_000)),
  listing('an object within an object', () => page(object('a', `<Size>1</Size>${object('b')}`))),
  listing('an object hidden in an owner', () => page(object('a', `<Size>1</Size><Owner>${object('b')}</Owner>`))),
  listing('attributes', () => page('<Contents x="y"><Key>a</Key></Contents>')),
  listing('a comment that hides an object', () => page(`<!-- ${object('a')} -->`)),
  listing('a CDATA section', () => page('<Contents><Key><![CDATA[a]]></Key></Contents>')),
  listing('a processing instruction', () => page('<?php echo 1 ?>')),
  listing('another root', () => '<ListAllMyBucketsResult></ListAllMyBucketsResult>'),
  listing('a root of another name space', () => `<x:ListBucketResult>${END}`),
  listing('two roots', (honest) => honest.page() + honest.page()),
  listing('something after the end', (honest) => `${honest.page()}trailing`),
  listing('no end', (honest) => honest.page().slice(0, -5)),
  listing('half of the document', (honest) => honest.page().slice(0, honest.page().length / 2)),
  listing('no word on whether there is more', without('IsTruncated')),
  listing('two words on whether there is more', () => page('<IsTruncated>true</IsTruncated>')),
  listing('"TRUE" as the word on whether there is more', (honest) => honest.page().replace('false', 'TRUE')),
  listing('more to come and no token', (honest) => honest.page().replace('false', 'true')),
  listing('more to come and an empty token', (honest) =>
    honest.page().replace('<IsTruncated>false', '<NextContinuationToken></NextContinuationToken><IsTruncated>true'),
  ),
  listing(
    'the same token for ever',
    () => `${OPEN}<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>${CLOSE}`,
  ),
  listing(
    'another token and no key for ever',
    () =>
      `${OPEN}<IsTruncated>true</IsTruncated><NextContinuationToken>${Math.random()}</NextContinuationToken>${CLOSE}`,
  ),
  listing(
    'another token and the same keys for ever',
    () =>
      `${OPEN}<IsTruncated>true</IsTruncated><NextContinuationToken>${Math.random()}</NextContinuationToken>${object('a')}${CLOSE}`,
  ),
  listing(
    'a token of a megabyte',
    () =>
      `${OPEN}<IsTruncated>true</IsTruncated><NextContinuationToken>${'t'.repeat(1_000_000)}</NextContinuationToken>${CLOSE}`,
  ),
  listing(
    'a token with line breaks',
    () =>
      `${OPEN}<IsTruncated>true</IsTruncated><NextContinuationToken>a&#13;&#10;Host: evil</NextContinuationToken>${CLOSE}`,
  ),
  listing('a count larger than what is there', (honest) => honest.page().replace(/<KeyCount>\d+/, '<KeyCount>999')),
  listing('a count that is negative', (honest) => honest.page().replace(/<KeyCount>\d+/, '<KeyCount>-1')),
  listing('bytes that are not UTF-8', () => Buffer.from(page(object('a\u00ff')), 'latin1')),
  listing('UTF-16', () => Buffer.from(`\uFEFF${page(object('a'))}`, 'utf16le')),
  listing(
    'a broken escape in an encoded key',
    () => `${OPEN}<EncodingType>url</EncodingType>${object('%zz')}${object('%ff')}${END}`,
  ),
  listing('an encoded way out', () => `${OPEN}<EncodingType>url</EncodingType>${object('%2e%2e%2fx')}${END}`),
  listing('an error with status 200', () => '<?xml version="1.0"?><Error><Code>InternalError</Code></Error>'),
  listing('an error that is a bomb', () => `${bomb}<Error><Code>&j;</Code></Error>`, XML, 500),
  listing('a web page', () => '<!doctype html><html><body>Log in</body></html>', { 'content-type': 'text/html' }),
  listing('a web page that begins as a listing', (honest) => honest.page(), { 'content-type': 'text/html' }),
  listing('nothing at all', () => ''),
  listing('a space', () => ' '),
  listing('JSON', () => '{"Contents":[]}', { 'content-type': 'application/json' }),
  listing('20 MiB of blanks', () => ' '.repeat(20 * 1024 * 1024)),
  listing('gzip that was not asked for', (honest) => gzipSync(honest.page()), { ...XML, 'content-encoding': 'gzip' }),
  listing('a gzip bomb', () => GZIP_BOMB, { ...XML, 'content-encoding': 'gzip' }),
  listing('an encoding that does not exist', whole, { ...XML, 'content-encoding': 'x-evil' }),
  listing('status 206', whole, XML, 206),
  listing('status 204', () => '', {}, 204),
  listing('status 304', () => '', {}, 304),
  listing('status 403 as if empty', () => '', {}, 403),
  listing('status 404 as if empty', () => '', {}, 404),
  listing('status 999', whole, XML, 999),
  listing('a date that is none', whole, { ...XML, date: 'NaN' }),
  listing('a date in another century', whole, { ...XML, date: 'Fri, 01 Jan 1900 00:00:00 GMT' }),
  listing('a wait of a year', () => '', { 'retry-after': '31536000' }, 503),
  listing('a wait that is none', () => '', { 'retry-after': '-1e999' }, 503),
];

const wires: readonly HostileAnswer[] = [
  raw('list', 'no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'),
  raw('list', 'HTTP/0.9', '<ListBucketResult></ListBucketResult>'),
  raw('list', 'a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'),
  raw('list', 'two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 500\r\n\r\nhello'),
  raw(
    'list',
    'a length and chunks',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  ),
  raw('list', 'a length beyond all numbers', `HTTP/1.1 200 OK\r\ncontent-length: ${'9'.repeat(40)}\r\n\r\nx`),
  raw('list', 'chunks that are none', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n'),
  raw('list', 'a chunk of 16 EiB', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\nx'),
  raw('list', 'a header with a line break in it', 'HTTP/1.1 200 OK\r\nx: a\rb\r\n\r\n'),
  raw('list', 'a header without a name', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'),
  raw('list', 'an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n'),
  on('list', 'a header of a megabyte', (socket) => write(socket, 200, '', { x: 'y'.repeat(1_000_000) })),
  on(
    'list',
    'endless headers',
    (socket) => (socket.write('HTTP/1.1 200 OK\r\n'), pour(socket, `x-${'h'.repeat(1000)}: y\r\n`)),
  ),
  on('list', 'endless "continue"', (socket) => pour(socket, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100))),
  on(
    'list',
    'endless elements',
    (socket) => (
      socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${OPEN}`),
      pour(socket, '<A>b</A>'.repeat(8192))
    ),
  ),
  on(
    'list',
    'an endless body',
    (socket) => (socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n'), pour(socket, Buffer.alloc(65_536, 32))),
  ),
  on(
    'list',
    'a drip without end',
    (socket) => (socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${OPEN}`), pour(socket, ' ', 40)),
  ),
  on('list', 'headers that drip', (socket) => (socket.write('HTTP/1.1 200 OK\r\nx: '), pour(socket, 'y', 40))),
  on('list', 'silence', () => undefined),
  on(
    'list',
    'a body that is shorter than said',
    (socket, _request, honest) => (
      write(socket, 200, honest.page().slice(0, 60), { 'content-length': '100000' }),
      socket.end()
    ),
  ),
  on('list', 'a body that never ends as said', (socket, _request, honest) =>
    write(socket, 200, honest.page(), { 'content-length': '100000' }),
  ),
  on('list', 'a reset', (socket) => void socket.resetAndDestroy()),
  on(
    'list',
    'a second answer nobody asked for',
    (socket, _request, honest) => (write(socket, 200, honest.page(), XML), write(socket, 200, page(''), XML)),
  ),
];

const bodies: readonly HostileAnswer[] = [
  on('get', 'another range than asked for', (socket, { key }, { objects }) =>
    write(socket, 206, objects.get(key) ?? '', { etag: tag(objects.get(key)), 'content-range': 'bytes 5-9/100' }),
  ),
  on('get', 'a range that is none', (socket, { key }, { objects }) =>
    write(socket, 206, objects.get(key) ?? '', { etag: tag(objects.get(key)), 'content-range': 'bytes */*' }),
  ),
  on('get', 'a part with no range', (socket, { key }, { objects }) =>
    write(socket, 206, objects.get(key) ?? '', { etag: tag(objects.get(key)) }),
  ),
  on('get', 'other bytes under the same ETag', (socket, { key }, { objects }) =>
    write(socket, 200, 'X'.repeat(objects.get(key)?.length ?? 0), { etag: tag(objects.get(key)) }),
  ),
  on('get', 'another version', (socket) => write(socket, 200, 'other', { etag: tag('other') })),
  on('get', 'no ETag', (socket, { key }, { objects }) => write(socket, 200, objects.get(key) ?? '')),
  on('get', 'fewer bytes than listed', (socket, { key }, { objects }) =>
    write(socket, 200, (objects.get(key) ?? '').slice(1), { etag: tag(objects.get(key)) }),
  ),
  on('get', 'more bytes than listed', (socket, { key }, { objects }) =>
    write(socket, 200, `${objects.get(key) ?? ''}more`, { etag: tag(objects.get(key)) }),
  ),
  on(
    'get',
    'bytes without end',
    (socket, { key }, { objects }) => (
      socket.write(`HTTP/1.1 200 OK\r\netag: ${tag(objects.get(key))}\r\nconnection: close\r\n\r\n`),
      pour(socket, Buffer.alloc(65_536, 65))
    ),
  ),
  on(
    'get',
    'a drip',
    (socket, { key }, { objects }) => (
      socket.write(
        `HTTP/1.1 200 OK\r\netag: ${tag(objects.get(key))}\r\ncontent-length: ${objects.get(key)?.length}\r\n\r\n`,
      ),
      pour(socket, '', 40)
    ),
  ),
  on('get', 'a gzip bomb', (socket, { key }, { objects }) =>
    write(socket, 200, GZIP_BOMB, {
      etag: tag(objects.get(key)),
      'content-encoding': 'gzip',
    }),
  ),
  on('get', 'an error in a web page', (socket) => write(socket, 502, '<html>Bad gateway</html>')),
  on('get', 'a recorded time that is none', (socket, { key }, { objects }) =>
    write(socket, 200, objects.get(key) ?? '', { etag: tag(objects.get(key)), 'x-amz-meta-mtime': '1e999' }),
  ),
  on('get', 'a recorded time of words', (socket, { key }, { objects }) =>
    write(socket, 200, objects.get(key) ?? '', { etag: tag(objects.get(key)), 'x-amz-meta-mtime': '../../x' }),
  ),
  on('get', '403 with a bomb', (socket) => write(socket, 403, `${bomb}<Error><Code>&j;</Code></Error>`)),
  on('get', '404 for what was listed', (socket) => write(socket, 404, '')),
  on(
    'head',
    'a length that is negative',
    (socket) => void socket.write('HTTP/1.1 200 OK\r\netag: "x"\r\ncontent-length: -5\r\n\r\n'),
  ),
  on('head', '404 for everything', (socket) => write(socket, 404, '')),
  on('put', 'a web page with status 200', (socket) => write(socket, 200, '<html>ok</html>')),
  on('put', 'an error with status 200', (socket) => write(socket, 200, '<Error><Code>InternalError</Code></Error>')),
  on(
    'put',
    'endless bytes with status 200',
    (socket) => (socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n'), pour(socket, Buffer.alloc(65_536, 65))),
  ),
  on(
    'put',
    'a drip with status 200',
    (socket) => (socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n'), pour(socket, 'a', 40)),
  ),
  on('put', 'silence', () => undefined),
  on('put', '412 with a bomb', (socket) => write(socket, 412, `${bomb}<Error><Code>&j;</Code></Error>`)),
];

function tag(content: string | undefined): string {
  return `"${md5(content ?? '')}"`;
}

/** Every way that is known here. Redirects have a test of their own, because they are about where secrets go. */
export const HOSTILE_ANSWERS: readonly HostileAnswer[] = [...documents, ...wires, ...bodies];
