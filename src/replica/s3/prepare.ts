import type { Capabilities, PrepareOptions } from '../replica.js';
import { clearScratch } from './clear-scratch.js';
import { AWS_DIALECT, isAwsHost, readKeptDialect, UNKNOWN_DIALECT, type Dialect } from './dialect.js';
import { hasKeyWith } from './has-key.js';
import { probeStore } from './probe.js';
import type { S3Api } from './s3-api.js';
import type { S3Context } from './s3-context.js';
import type { FactMemory } from './upload-memory.js';

/** What `prepare` needs beyond the context. */
export interface PrepareSettings {
  /** Scheme, host and port of the service, or another name that stands for it. */
  readonly endpoint: string;
  readonly facts: FactMemory;
  readonly probe: boolean;
  /** For requests that have to be under way together, whatever the bound of requests in flight is. */
  readonly together: S3Api;
}

/**
 * Checks that the bucket can be listed, and finds out what the store can do: known for AWS, else kept from an earlier run,
 * else tried, else nothing is trusted.
 *
 * @throws S3ConnectionError `ERR_S3_BUCKET_NOT_FOUND`, `ERR_S3_WRONG_REGION`, `ERR_S3_FORBIDDEN`, `ERR_S3_CREDENTIALS`, …
 */
export async function prepareBucket(
  context: S3Context,
  settings: PrepareSettings,
  options: PrepareOptions,
): Promise<Capabilities> {
  await hasKeyWith(context, context.keys.prefix, `listing the bucket "${context.api.bucket}"`, options.signal);
  const { dialect, remark } = await findDialect(context, settings, options);
  context.dialect = dialect;
  return capabilitiesOf(dialect, options.readonly ? undefined : remark);
}

/** Begins the names of facts that hold for a store, whoever uses it. */
const DIALECT_FACT = 's3-dialect-1';

/** Tells whether a fact is about the store alone, so that all pairs of a machine may share it. */
export function isAboutStore(factName: string): boolean {
  return factName.startsWith(`${DIALECT_FACT} `);
}

async function findDialect(
  context: S3Context,
  { endpoint, facts, probe, together }: PrepareSettings,
  options: PrepareOptions,
): Promise<{ dialect: Dialect; remark: string | undefined }> {
  if (isAwsHost(hostOf(endpoint))) return { dialect: AWS_DIALECT, remark: undefined };
  const name = `${DIALECT_FACT} ${endpoint} ${context.api.bucket}`;
  const scratchName = `s3-scratch-2 ${endpoint} ${context.api.bucket}`;
  const isClear = options.readonly || (await removeScratch(context, facts, scratchName));
  const kept = readKeptDialect(await facts.get<unknown>(name));
  if (kept !== undefined) return { dialect: kept, remark: undefined };
  if (!probe || options.readonly) {
    return {
      dialect: UNKNOWN_DIALECT,
      remark: 'What this store does with conditions was not tried, so every change is checked before and after.',
    };
  }
  if (!isClear) {
    // Another trial would be noted in the place of the one before, whose objects nobody would take away any more.
    return {
      dialect: UNKNOWN_DIALECT,
      remark:
        'What this store does with conditions was not tried, because what an earlier trial left there could not be removed; every change is checked before and after.',
    };
  }
  const base = `${context.keys.reserved}probe-${context.runtime.random.id(12)}`;
  const result = await probeStore(base, {
    api: context.api,
    together,
    backoff: context.backoff,
    clock: context.runtime.clock,
    signal: options.signal,
    onKeys: (sets) => facts.put(scratchName, { base, sets } satisfies NotedScratch),
  });
  if (result.isClear) await facts.put(scratchName, null);
  if (!result.finished) {
    return {
      dialect: UNKNOWN_DIALECT,
      remark: `What this store does with conditions could not be tried (${result.reason}), so every change is checked before and after.`,
    };
  }
  await facts.put(name, result.dialect);
  return { dialect: result.dialect, remark: undefined };
}

/** The keys that a trial said it would use: the beginning of all, and how many sets of them. */
interface NotedScratch {
  readonly base: string;
  readonly sets: number;
}

/** No trial uses more: a note that says so is none of ours. */
const MOST_SETS = 1000;

/** Removes what a probe that was cut off has left; answers whether nothing is left. */
async function removeScratch(context: S3Context, facts: FactMemory, name: string): Promise<boolean> {
  const noted = readNoted(await facts.get<unknown>(name));
  if (noted === undefined || !noted.base.startsWith(context.keys.reserved)) return true;
  // What stays all the same is noted still, and goes in the next run.
  if (!(await clearScratch(context.api, noted.base, noted.sets, context.backoff))) return false;
  await facts.put(name, null);
  return true;
}

function readNoted(kept: unknown): NotedScratch | undefined {
  if (typeof kept !== 'object' || kept === null || !('base' in kept) || !('sets' in kept)) return undefined;
  const { base, sets } = kept;
  if (typeof base !== 'string' || typeof sets !== 'number' || !Number.isInteger(sets)) return undefined;
  return { base, sets: Math.min(sets, MOST_SETS) };
}

/** What a dialect means for those who use the replica. */
export function capabilitiesOf(dialect: Dialect, remark?: string): Capabilities {
  const remarks = remark === undefined ? [] : [remark];
  const creates = dialect.putCreate && dialect.completeCreate;
  const replaces = dialect.putReplace !== 'none' && dialect.completeReplace !== 'none';
  if (remark === undefined) {
    const ignored: string[] = [];
    if (!dialect.putCreate || dialect.putReplace === 'none') ignored.push('writes');
    else if (!creates || !replaces) ignored.push('files that are sent in parts');
    if (dialect.remove === 'none') ignored.push('deletes');
    if (ignored.length > 0) {
      remarks.push(
        `This store ignores conditions on ${ignored.join(' and ')}: of two machines that change the same file at the same moment, the later one wins. ` +
          'The other version goes to the trash of the machine that wrote it, if it syncs with this program.',
      );
    }
  }
  return {
    conditionalWrite: creates ? (replaces ? 'all' : 'create') : 'none',
    conditionalDelete: dialect.remove !== 'none',
    caseSensitive: true,
    normalizationSensitive: true,
    remarks,
  };
}

function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).host : '';
}
