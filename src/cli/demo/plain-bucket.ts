import { request } from 'node:http';
import { FileCloudSyncError } from '../../errors.js';
import type { DemoBucket } from './demo-world.js';
import { encode, signedHeaders } from './signed-request.js';

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** Makes a bucket that is reached by plain signed requests of `node:http`, so that the demo checks with other eyes than it syncs. */
export function plainBucket(options: {
  readonly endpoint: string;
  readonly name: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly nowMs: () => number;
}): DemoBucket {
  const call = async (
    method: string,
    key: string,
    body = new Uint8Array(),
    query: Record<string, string> = {},
  ): Promise<Answer> => {
    const url = new URL(
      `/${options.name}${key === '' ? '' : `/${key.split('/').map(encode).join('/')}`}`,
      options.endpoint,
    );
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const headers = signedHeaders({ ...options, method, url, body, region: 'us-east-1', timeMs: options.nowMs() });
    return send(method, url, { ...headers, 'content-length': String(body.length) }, body);
  };
  return {
    name: options.name,
    async create() {
      const found = await call('HEAD', '');
      if (found.status === 404) expectStatus(await call('PUT', ''), 'the bucket could not be made', 200);
    },
    async list() {
      const answer = await call('GET', '', undefined, { 'list-type': '2', 'max-keys': '1000' });
      expectStatus(answer, 'the bucket could not be listed', 200);
      const files = new Map<string, number>();
      for (const [, item = ''] of answer.body.toString('utf8').matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
        const key = decodeXml(/<Key>(.*?)<\/Key>/s.exec(item)?.[1] ?? '');
        if (!key.startsWith('.filecloudsync/')) files.set(key, Number(/<Size>(\d+)<\/Size>/.exec(item)?.[1]));
      }
      return files;
    },
    async read(key) {
      const answer = await call('GET', key);
      if (answer.status === 404) return undefined;
      expectStatus(answer, `${key} could not be read`, 200);
      return answer.body;
    },
    async write(key, content) {
      expectStatus(await call('PUT', key, Buffer.from(content)), `${key} could not be written`, 200);
    },
    async remove(key) {
      expectStatus(await call('DELETE', key), `${key} could not be deleted`, 204);
    },
  };
}

function send(method: string, url: URL, headers: Record<string, string>, body: Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // No kept connection: the server would wait for it when it stops.
    const sent = request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function expectStatus(answer: Answer, failure: string, expected: number): void {
  if (answer.status === expected) return;
  throw new FileCloudSyncError(
    'ERR_DEMO_SERVER',
    `In the demo, ${failure}: its server answered ${answer.status} where ${expected} was expected.`,
    {
      data: { status: answer.status },
    },
  );
}

function decodeXml(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return text.replaceAll(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      return named[name ?? ''] ?? whole;
    },
  );
}
