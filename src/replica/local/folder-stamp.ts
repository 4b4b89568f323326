import type { DirectoryHandle } from './file-system.js';
import { errnoOf } from './file-system.js';
import type { LocalContext } from './local-context.js';
import { pathErrorOf } from './local-error.js';

/** A short text kept in the folder, outside what is synchronised: shows whether the folder and a memory of it belong together. */
export interface FolderStamp {
  /** The text; `undefined` when there is none. What is no text of ours is answered as it is, shortened. */
  read(): Promise<string | undefined>;
  /** Replaces the text, wholly or not at all; durable when it resolves. */
  write(text: string): Promise<void>;
}

/** Longer than any stamp, so that a foreign file of that name is not read whole. */
const MAX_STAMP_BYTES = 256;

/** Keeps a stamp in `.filecloudsync/<name>`. */
export function createFolderStamp(context: LocalContext, name: string): FolderStamp {
  const { folder } = context;
  const path = `.filecloudsync/${name}`;
  return {
    async read() {
      try {
        const own = await folder.ownFolder();
        if (own === undefined) return undefined;
        try {
          return await readText(own, name);
        } finally {
          await own.close();
        }
      } catch (error) {
        throw pathErrorOf(error, path, 'read');
      }
    },

    async write(text) {
      try {
        const tmp = await folder.privateFolder('tmp');
        try {
          const staged = `${context.runId}-${context.runtime.random.id(12)}`;
          const file = await tmp.createFile(staged);
          try {
            await file.write(new TextEncoder().encode(text), 0);
            await file.sync();
          } finally {
            await file.close();
          }
          await putInPlace(context, tmp, staged, name);
        } finally {
          await tmp.close();
        }
      } catch (error) {
        throw pathErrorOf(error, path, 'write');
      }
    },
  };
}

async function putInPlace({ folder }: LocalContext, tmp: DirectoryHandle, staged: string, name: string): Promise<void> {
  const own = await folder.ownFolder();
  // Gone since its part `tmp` was opened: the staged file went with it.
  if (own === undefined) return;
  try {
    await tmp.rename(staged, own, name);
    await own.sync();
  } finally {
    await own.close();
  }
}

async function readText(directory: DirectoryHandle, name: string): Promise<string | undefined> {
  const stat = await directory.lstat(name);
  if (stat === null) return undefined;
  if (stat.type !== 'file') return stat.type;
  try {
    const file = await directory.openFile(name);
    try {
      const bytes = new Uint8Array(Math.min(stat.sizeBytes, MAX_STAMP_BYTES));
      return new TextDecoder().decode(bytes.subarray(0, await file.read(bytes, 0)));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
