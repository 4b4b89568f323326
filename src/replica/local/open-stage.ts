import { createHash } from 'node:crypto';
import type { DirectoryHandle, FileHandle } from './file-system.js';
import { errnoOf } from './file-system.js';
import type { LocalContext } from './local-context.js';
import { StageRecord, type StageIdentity } from './stage-record.js';

/** A file in `.filecloudsync/tmp` that is being filled. */
export interface Stage {
  readonly name: string;
  readonly file: FileHandle;
  /** What has arrived already and is noted from now on; `undefined` for a stage that is not kept. */
  readonly record: StageRecord | undefined;
  /** Ends the record, durably: from then on no run goes on with this file, which may get another name. */
  settle(): Promise<void>;
  /** The name is gone: `discard` need not try. */
  forgetName(): void;
  /** Closes everything; the next run goes on with it. Never throws. */
  keep(): Promise<void>;
  /** Closes everything and takes the names away, unless it is kept. Never throws; `cleanUp` finds what could not be removed. */
  discard(): Promise<void>;
}

/** A name for a stage that no later run will know of. */
export function passingStageName(context: LocalContext): string {
  return `${context.runId}-${context.runtime.random.id(12)}`;
}

/** Opens an empty stage that no later run will know of. */
export async function openPassingStage(context: LocalContext, directory: DirectoryHandle): Promise<Stage> {
  const name = passingStageName(context);
  const file = await directory.createFile(name);
  let names = [name];
  const forgetName = (): void => {
    names = [];
  };
  const discard = (): Promise<void> => discardNames(directory, names, [file]);
  return { name, file, record: undefined, settle: async () => {}, forgetName, keep: discard, discard };
}

/** Opens the stage of one version of a path: that of an earlier run, or an empty one that a later run can go on with. */
export async function openLastingStage(
  context: LocalContext,
  directory: DirectoryHandle,
  identity: StageIdentity,
): Promise<Stage> {
  const name = stageName(context, identity);
  const recordName = recordNameOf(name);
  context.stages.add(name);
  const { file, record } =
    (await reopen(directory, name, identity)) ?? (await createAnew(directory, name, recordName, identity));
  let names = [recordName, name];
  return {
    name,
    file,
    record,
    async settle() {
      await record.close();
      await directory.unlink(recordName);
      names = [name];
      // Otherwise the name in its place could outlive a loss of power together with this record.
      await directory.sync();
    },
    forgetName() {
      names = [];
    },
    async keep() {
      names = [];
      await record.close();
      await file.close();
    },
    discard: () => discardNames(directory, names, [record, file]),
  };
}

/** Whether a name in `tmp` is of a stage that outlives its run, and of which. */
export function lastingStageOf(name: string): string | undefined {
  return /^lasting-[0-9a-f]{8}-[0-9a-f]{32}(?=(?:\.ranges)?$)/.exec(name)?.[0];
}

/** Begins the names of the lasting stages of one pair. */
export function ownStages({ pairId }: LocalContext): string {
  return `lasting-${hashOf(pairId).slice(0, 8)}-`;
}

/** The name of the record beside a stage. */
export function recordNameOf(stage: string): string {
  return `${stage}.ranges`;
}

function stageName(context: LocalContext, { path, fingerprint, sizeBytes }: StageIdentity): string {
  return ownStages(context) + hashOf(JSON.stringify([path, fingerprint, sizeBytes])).slice(0, 32);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

interface Opened {
  readonly file: FileHandle;
  readonly record: StageRecord;
}

async function reopen(directory: DirectoryHandle, name: string, identity: StageIdentity): Promise<Opened | undefined> {
  const record = await StageRecord.open(directory, recordNameOf(name), identity);
  if (record === undefined) return undefined;
  let file: FileHandle | undefined;
  try {
    file = await directory.reopenFile(name);
    const { type, links, sizeBytes } = await file.stat();
    // A file with another name is not ours alone to write to.
    if (type === 'file' && links === 1 && sizeBytes <= identity.sizeBytes) return { file, record };
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
  await file?.close();
  await record.close();
  return undefined;
}

async function createAnew(
  directory: DirectoryHandle,
  name: string,
  recordName: string,
  identity: StageIdentity,
): Promise<Opened> {
  for (const each of [recordName, name]) {
    if ((await directory.lstat(each)) !== null) await directory.unlink(each);
  }
  const file = await directory.createFile(name);
  try {
    return { file, record: await StageRecord.create(directory, recordName, identity) };
  } catch (error) {
    await discardNames(directory, [recordName, name], [file]);
    throw error;
  }
}

async function discardNames(
  directory: DirectoryHandle,
  names: readonly string[],
  open: readonly { close(): Promise<void> | undefined }[],
): Promise<void> {
  for (const each of open) await each.close();
  for (const name of names) {
    try {
      await directory.unlink(name);
    } catch {
      // The staged name is of no use to anybody; `cleanUp` takes it away later.
    }
  }
}
