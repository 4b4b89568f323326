import type { S3Client } from '@aws-sdk/client-s3';
import { withDefaults } from '../../src/s3/default-options.js';
import { openPairOn, type PairPorts } from '../../src/s3/open-pair.js';
import type { Pair } from '../../src/s3/pair.js';
import type { SyncOptions } from '../../src/s3/sync-options.js';

/** One thing that a person asks for. */
export type Command =
  | { readonly do: 'sync' | 'plan' | 'purge' | 'forget' | 'remove-folder' | 'restore-oldest' }
  | { readonly do: 'resolve'; readonly path: string; readonly answer: 'local' | 'bucket' | 'keep-both' };

/** Where a command is carried out, and how. Goes to another process as JSON. */
export interface CommandInput {
  readonly endpoint: string;
  readonly bucket: string;
  readonly folder: string;
  readonly stateDir: string;
  readonly command: Command;
  readonly options: SyncOptions;
  /** See `PairPorts`. */
  readonly pieceBytes?: number | undefined;
  /** Whether the store is tried out; else it is taken for one that is known. */
  readonly probes: boolean;
}

/** How a command ended. */
export interface CommandOutcome {
  readonly changes: number;
  readonly conflicts: number;
  readonly problems: readonly string[];
  readonly rebuilt: boolean;
  readonly hashed: number;
  /** The folder is not there any more, which is how `remove-folder` ends. */
  readonly folderGone: boolean;
}

/** Keys of the servers of these tests. */
export const KEYS = { accessKeyId: 'crash-key', secretAccessKey: 'crash-secret' };

/** Its conditions are known, so that no probe is needed. */
const KNOWN_SERVICE = 'https://s3.us-east-1.amazonaws.com';

const NOTHING: CommandOutcome = {
  changes: 0,
  conflicts: 0,
  problems: [],
  rebuilt: false,
  hashed: 0,
  folderGone: false,
};

/** Opens the pair, does one thing, closes it: what a call of the command line does. */
export async function runCommand(input: CommandInput, ports: PairPorts = {}): Promise<CommandOutcome> {
  const { endpoint, bucket, folder, stateDir, command, probes, pieceBytes } = input;
  const service = probes ? {} : { service: KNOWN_SERVICE };
  const options = withDefaults({ partSizeMiB: 5, concurrency: 1, ...input.options, stateDir });
  let pair: Pair;
  try {
    pair = await openPairOn(
      { ...ports, ...service, ...(pieceBytes !== undefined && { pieceBytes }) },
      plainClient(endpoint),
      bucket,
      folder,
      options,
    );
  } catch (error) {
    if (command.do === 'remove-folder' && codeOf(error) === 'ERR_FOLDER_MISSING')
      return { ...NOTHING, folderGone: true };
    throw error;
  }
  try {
    return await carryOut(pair, command);
  } finally {
    await pair.close();
  }
}

async function carryOut(pair: Pair, command: Command): Promise<CommandOutcome> {
  switch (command.do) {
    case 'sync':
      return outcomeOf(await pair.sync());
    case 'resolve':
      return pair.resolve(command.path, command.answer).then(outcomeOf, async (error: unknown) => {
        // Settled by the run that was killed.
        if (codeOf(error) === 'ERR_CONFLICT_NOT_FOUND') return outcomeOf(await pair.sync());
        throw error;
      });
    case 'plan':
      await pair.plan();
      return NOTHING;
    case 'purge':
      await pair.purgeTrash(() => true);
      return outcomeOf(await pair.sync());
    case 'restore-oldest': {
      const [oldest] = await pair.trash();
      if (oldest === undefined) throw new Error('there is nothing in the trash to restore');
      await pair.restore({ ids: [oldest.id] });
      return NOTHING;
    }
    case 'forget':
      await pair.forget();
      return NOTHING;
    case 'remove-folder':
      await pair.sync();
      await pair.removeFolder({ unsynced: false });
      return { ...NOTHING, folderGone: true };
    default:
      return command satisfies never;
  }
}

function outcomeOf(result: Awaited<ReturnType<Pair['sync']>>): CommandOutcome {
  return {
    changes: result.changes.length,
    conflicts: result.conflicts.length,
    problems: result.problems.map(({ code, message }) => `${code}: ${message}`),
    rebuilt: result.rebuilt,
    hashed: result.hashedFiles,
    folderGone: false,
  };
}

/** What the engine asks of an SDK client, without the SDK: it takes longer to load than all the rest. */
export function plainClient(endpoint: string): Pick<S3Client, 'config'> {
  const { protocol, hostname, port } = new URL(endpoint);
  const config = {
    region: async () => 'us-east-1',
    credentials: async () => KEYS,
    endpoint: async () => ({ protocol, hostname, port: Number(port), path: '/' }),
    useDualstackEndpoint: async () => false,
    useFipsEndpoint: async () => false,
    forcePathStyle: true,
    useAccelerateEndpoint: false,
    endpointProvider: ({ Bucket = '' }: { Bucket?: string }) => ({ url: new URL(`/${Bucket}`, endpoint) }),
  };
  return { config: config as unknown as S3Client['config'] };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
