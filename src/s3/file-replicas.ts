import type { S3Client } from '@aws-sdk/client-s3';
import type { NameRules } from '../core/path.js';
import { PathError } from '../errors.js';
import { createDefaultFileSystem } from '../replica/local/default-file-system.js';
import { createLocalReplica } from '../replica/local/local-replica.js';
import type { Outcome, Precondition, Replica, Source, Written } from '../replica/replica.js';
import { createS3Replica, type FactMemory, type UploadMemory } from '../replica/s3/index.js';
import { optionTable } from './option-table.js';
import { systemRuntime } from './system-runtime.js';

/** The rules for names on this machine. */
export const nameRules: NameRules =
  process.platform === 'win32' || process.platform === 'darwin' ? process.platform : 'linux';

/** How often a file that keeps changing is tried again. */
const ATTEMPTS = 5;

const noUploads: UploadMemory = {
  get: () => Promise.resolve(undefined),
  put: () => Promise.resolve(),
  delete: () => Promise.resolve(),
  list: () => Promise.resolve([]),
};

const noFacts: FactMemory = { get: () => Promise.resolve(undefined), put: () => Promise.resolve() };

/** The replicas of a folder and a whole bucket for a single file, without any memory. The caller closes both. */
export function fileReplicas(
  client: S3Client,
  bucket: string,
  root: string,
): { readonly local: Replica; readonly remote: Replica } {
  return {
    local: createLocalReplica({
      root,
      fileSystem: createDefaultFileSystem(),
      runtime: systemRuntime,
      pathRules: nameRules,
      runId: systemRuntime.random.id(12),
    }),
    remote: createS3Replica({
      client,
      bucket,
      uploads: noUploads,
      facts: noFacts,
      runtime: systemRuntime,
      pathRules: nameRules,
      partSizeBytes: optionTable.partSizeMiB.default * 1024 * 1024,
      // A single file is not worth the requests of a probe: it is checked before and after instead.
      probe: false,
    }),
  };
}

/**
 * Carries one file over, on top of whatever stands there now; what changes meanwhile is looked at again.
 *
 * @throws PathError `ERR_STILL_CHANGING` when it changes each time.
 */
export async function carryFile(from: Replica, fromPath: string, to: Replica, toPath: string): Promise<Written> {
  let message = '';
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const source = await openFile(from, fromPath);
    try {
      const outcome = await writeOver(to, toPath, source);
      if (outcome.outcome === 'done') return outcome;
      ({ message } = outcome);
    } finally {
      await source.close();
    }
  }
  throw new PathError(
    'ERR_STILL_CHANGING',
    `"${fromPath}" was not carried over, because it changed each of ${ATTEMPTS} times: ${message} Try again when it is quiet.`,
    {
      retryable: true,
      data: { path: fromPath },
    },
  );
}

async function openFile(from: Replica, path: string): Promise<Source> {
  const entry = await from.observe(path);
  if (entry === null) {
    const place = from.side === 'local' ? 'file' : 'object';
    throw new PathError(
      from.side === 'local' ? 'ERR_FILE_NOT_FOUND' : 'ERR_OBJECT_NOT_FOUND',
      `There is no ${place} "${path}". Check its name.`,
      { data: { path } },
    );
  }
  if (entry.kind === 'file') return from.open(entry);
  if (entry.kind === 'problematic') throw new PathError(entry.problem.code, entry.problem.message, { data: { path } });
  throw new PathError(
    'ERR_NOT_A_FILE',
    `"${path}" is no regular file (${entry.kind}). Name a regular file; links are not followed.`,
    { data: { path } },
  );
}

async function writeOver(to: Replica, path: string, source: Source): Promise<Outcome<Written>> {
  const standing = await to.observe(path);
  if (standing !== null && standing.kind !== 'file') {
    if (standing.kind === 'problematic')
      throw new PathError(standing.problem.code, standing.problem.message, { data: { path } });
    throw new PathError(
      'ERR_FILE_IN_THE_WAY',
      `"${path}" cannot be written, because something else stands there (${standing.kind}). Move it away.`,
      { data: { path } },
    );
  }
  const precondition: Precondition = standing === null ? null : { fingerprint: standing.fingerprint, entry: standing };
  return to.write(path, source, precondition);
}
