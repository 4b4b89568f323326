import { PathError } from '../../errors.js';
import type { Outcome, Precondition, Source, WriteOptions, Written } from '../replica.js';
import { MAX_DAMAGES } from './damage.js';
import { guardedChange } from './guarded-change.js';
import { base64Of, hexOf } from './digest-text.js';
import { fingerprintOf } from './object-state.js';
import { readRange } from '../read-range.js';
import { readState, toEntry, type S3Context } from './s3-context.js';
import { isUnsupported } from './service-error.js';
import { staleOutcome } from './stale-outcome.js';
import { writeCondition } from './write-condition.js';
import { writeParts } from './write-parts.js';
import { metadataOf, stateAfter, written } from './written-object.js';

/**
 * Writes a file to its key: in one PUT, or in parts when it is larger than a part.
 *
 * A source that changed meanwhile makes the outcome `stale`, like a precondition that does not hold.
 *
 * @throws PathError `ERR_S3_CORRUPT_WRITE`, `ERR_SOURCE_LENGTH`, `ERR_S3_…`.
 */
export function writeObject(
  context: S3Context,
  path: string,
  source: Source,
  precondition: Precondition,
  options: WriteOptions,
): Promise<Outcome<Written>> {
  const write = source.entry.sizeBytes > context.partSizeBytes ? writeParts : writeWhole;
  return write(context, path, source, precondition, options).catch(staleOutcome);
}

async function writeWhole(
  context: S3Context,
  path: string,
  source: Source,
  precondition: Precondition,
  options: WriteOptions,
): Promise<Outcome<Written>> {
  const { signal } = options;
  const { sizeBytes } = source.entry;
  const taken = context.memory.take(sizeBytes, signal);
  const lent = taken instanceof Promise ? await taken : taken;
  let isQuiet = false;
  try {
    const body = lent.bytes;
    const reading = readRange(source, 0, body, signal);
    if (reading !== undefined) await reading;
    const hashed = context.hasher.hash('md5', body);
    const md5 = hashed instanceof Promise ? await hashed : hashed;
    const hex = hexOf(md5);
    const ours = (etag: string): Outcome<Written> => written(path, source, { etag, sizeBytes }, `md5:${hex}`);
    let sends = 0;
    const onSend = (): void => void sends++;
    let expected = precondition;
    for (let damages = 0; ; damages++) {
      const outcome = await putOnce(context, { path, source, body, md5, expected, signal, onSend });
      if (outcome.outcome === 'stale') return outcome;
      const etag = outcome.value;
      // The store has it all, and nothing was sent but this.
      isQuiet = sends === 1;
      options.onBytes?.(body.length);
      if (etag === '') return await look(context, path, source, hex, signal);
      if (etag === hex || context.dialect.etagIsMd5 !== true) return ours(etag);
      // The store has MD5s for ETags, and this is not that of our bytes: they were damaged under way or on its disk.
      const damaged = await readState(context, path, signal);
      if (damaged === null || damaged.etag !== etag)
        return { outcome: 'stale', message: `"${path}" was changed right after it was uploaded.` };
      if (damaged.isEtagOpaque) return ours(etag);
      if (damages >= MAX_DAMAGES) throw corrupt(path, hex, etag);
      expected = {
        fingerprint: fingerprintOf(damaged.etag, damaged.sizeBytes),
        entry: toEntry(context, path, damaged),
      };
    }
  } finally {
    lent.release(isQuiet);
  }
}

interface PutInput {
  readonly path: string;
  readonly source: Source;
  readonly body: Uint8Array;
  readonly md5: Uint8Array;
  readonly expected: Precondition;
  readonly signal: AbortSignal | undefined;
  /** Told each time the body is sent. */
  readonly onSend: () => void;
}

function putOnce(
  context: S3Context,
  { path, source, body, md5, expected, signal, onSend }: PutInput,
): Promise<Outcome<{ readonly value: string }>> {
  const { dialect } = context;
  const hex = hexOf(md5);
  const { headers: condition, trusted } = writeCondition(
    expected,
    dialect.putCreate,
    dialect.putReplace,
    dialect.mayTryCreate,
  );
  let conditional = condition;
  /** ETags that our bytes may have. */
  const ourEtags = [hex];
  const headersOf = (): Record<string, string> => {
    const headers = metadataOf(path, source);
    const md5Text = base64Of(md5);
    headers['content-md5'] = md5Text;
    // Where ETags say nothing about the content, the MD5 goes along under rclone's name for it.
    if (context.dialect.etagIsMd5 !== true) headers['x-amz-meta-md5chksum'] = md5Text;
    return Object.assign(headers, conditional);
  };
  return guardedChange<string>(
    context,
    {
      action: `uploading "${path}"`,
      path,
      expected,
      trusted,
      before: () => source.verify(signal),
      async send() {
        const key = context.keys.keyOf(path);
        onSend();
        let answer = await context.api.put(key, body, headersOf(), signal, onSend);
        if (!answer.ok && !trusted && isUnsupported(answer.failure) && 'if-none-match' in conditional) {
          // The store refuses the header instead of ignoring it.
          conditional = {};
          context.dialect = { ...context.dialect, mayTryCreate: false };
          onSend();
          answer = await context.api.put(key, body, headersOf(), signal, onSend);
        }
        if (answer.ok && answer.value !== '' && answer.value !== hex) ourEtags.push(answer.value);
        return answer;
      },
      isOurs: (state) =>
        state !== null && state.sizeBytes === body.length && (ourEtags.includes(state.etag) || state.md5 === hex),
      recover: (state) => state?.etag ?? '',
    },
    signal,
  );
}

/** What stands there after an answer that did not tell the ETag. */
async function look(
  context: S3Context,
  path: string,
  source: Source,
  hex: string,
  signal: AbortSignal | undefined,
): Promise<Outcome<Written>> {
  const { sizeBytes } = source.entry;
  const state = await stateAfter(context, path, signal);
  // Of another version nobody may say that it is ours: the MD5 is its ETag, or was sent along.
  if (state.sizeBytes !== sizeBytes || (state.etag !== hex && state.md5 !== hex))
    return { outcome: 'stale', message: `"${path}" was changed right after it was uploaded.` };
  return written(path, source, state, `md5:${hex}`);
}

function corrupt(path: string, wanted: string, found: string): PathError {
  return new PathError(
    'ERR_S3_CORRUPT_WRITE',
    `Uploading "${path}" failed: the store holds other bytes than were sent (MD5 ${wanted} was sent, ${found} arrived), ${MAX_DAMAGES + 1} times in a row. Look at the network and at the store's disks.`,
    { data: { path, wanted, found } },
  );
}
