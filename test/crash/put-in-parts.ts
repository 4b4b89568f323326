import { createHash } from 'node:crypto';
import { encodePartHints, HINTS_HEADER } from '../../src/replica/s3/part-hints.js';
import { createS3Api, type Answer, type HeldPart } from '../../src/replica/s3/s3-api.js';
import type { S3Transport } from '../../src/replica/s3/transport.js';
import { createBackoff } from '../../src/replica/wrap/backoff.js';
import { systemRuntime } from '../../src/s3/system-runtime.js';

/** Puts an object there as another machine does with a large file: in parts, with word of what they are. */
export async function putInParts(
  transport: S3Transport,
  bucket: string,
  key: string,
  content: string,
  { partBytes, modifiedMs }: { readonly partBytes: number; readonly modifiedMs: number },
): Promise<void> {
  const api = createS3Api(transport, bucket, createBackoff(systemRuntime));
  const bodies = Array.from({ length: Math.ceil(content.length / partBytes) }, (_, i) =>
    Buffer.from(content.slice(i * partBytes, (i + 1) * partBytes)),
  );
  const md5s = bodies.map((body) => createHash('md5').update(body).digest('hex'));
  const hints = encodePartHints({ partSizeBytes: partBytes, md5s }) ?? '';
  const headers = { 'x-amz-meta-mtime': String(modifiedMs / 1000), [HINTS_HEADER]: hints };
  const uploadId = valueOf(await api.createUpload(key, headers));
  const parts: HeldPart[] = [];
  for (const [index, body] of bodies.entries()) {
    const number = index + 1;
    const etag = valueOf(await api.uploadPart({ key, uploadId, number }, body, {}));
    parts.push({ number, etag, sizeBytes: body.length });
  }
  valueOf(await api.complete(key, uploadId, parts, {}));
}

function valueOf<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new Error(`the store answered ${answer.failure.status} ${answer.failure.code}`);
  return answer.value;
}
