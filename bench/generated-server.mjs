// A bucket that nobody filled: answers LIST with generated keys, computed page by page and held nowhere, after a delay.
//   node generated-server.mjs OBJECTS DELAY_MS
// Over IPC: answers 'counts' with what it was asked so far; 'stop' ends it.
import { createServer } from 'node:http';
import { nameOf } from './lib/data.mjs';

const [objects, delayMs] = process.argv.slice(2).map(Number);
const HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">';
const OBJECT =
  '<LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>0</Size><StorageClass>STANDARD</StorageClass></Contents>';
const counter = { requests: 0, bytesIn: 0, bytesOut: 0, byOperation: {} };

/** How many keys are not greater than this one. */
function countUpTo(key) {
  let least = 0;
  let most = objects;
  while (least < most) {
    const middle = (least + most) >> 1;
    if (nameOf(middle) <= key) least = middle + 1;
    else most = middle;
  }
  return least;
}

function listPage(query) {
  const after = query.get('start-after') ?? query.get('marker');
  const token = query.get('continuation-token');
  const from = token === null ? (after === null ? 0 : countUpTo(after)) : Number(token);
  const to = Math.min(objects, from + Math.min(1000, Number(query.get('max-keys') ?? 1000)));
  let xml = `${HEAD}<Name>generated</Name><Prefix></Prefix><KeyCount>${to - from}</KeyCount><MaxKeys>1000</MaxKeys>`;
  if (query.get('encoding-type') === 'url') xml += '<EncodingType>url</EncodingType>';
  xml += `<IsTruncated>${to < objects}</IsTruncated>`;
  if (to < objects) xml += `<NextContinuationToken>${to}</NextContinuationToken>`;
  for (let n = from; n < to; n++) xml += `<Contents><Key>${nameOf(n)}</Key>${OBJECT}`;
  return `${xml}</ListBucketResult>`;
}

function answer(response, status, body) {
  counter.bytesOut += body.length;
  response.writeHead(status, { 'content-type': 'application/xml', 'content-length': body.length });
  response.end(body);
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const isList = request.method === 'GET' && url.pathname.split('/').filter(Boolean).length === 1;
  const operation = isList ? 'ListObjectsV2' : `${request.method} other`;
  counter.requests++;
  counter.byOperation[operation] = (counter.byOperation[operation] ?? 0) + 1;
  request.resume();
  if (!isList) return answer(response, 404, Buffer.from('<Error><Code>NoSuchKey</Code></Error>'));
  const give = () => answer(response, 200, Buffer.from(listPage(url.searchParams)));
  if (delayMs > 0) setTimeout(give, delayMs);
  else give();
});

process.on('message', (message) => {
  if (message === 'counts') process.send(counter);
  if (message === 'stop') process.exit();
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => process.send({ endpoint: `http://127.0.0.1:${server.address().port}` }));
