import type { DirectoryHandle } from './file-system.js';

/** A directory that is open for as long as somebody uses it. */
export interface DirectoryLease {
  readonly directory: DirectoryHandle;
  /** Others had it open before: it may be gone from its place. */
  readonly joined: boolean;
  /** Gives it back. To be called once; never throws. */
  release(): Promise<void>;
}

/** Opens one directory for all who use it at the same time. */
export interface SharedDirectory {
  take(): Promise<DirectoryLease>;
  /** The next to take it opens it anew. */
  forget(): void;
}

interface Opened {
  readonly handle: Promise<DirectoryHandle>;
  users: number;
}

/** Makes a {@link SharedDirectory}. With the last user the directory is closed, so that nothing is held between two uses. */
export function createSharedDirectory(open: () => Promise<DirectoryHandle>): SharedDirectory {
  let current: Opened | undefined;
  const leave = async (opened: Opened): Promise<void> => {
    if (--opened.users > 0) return;
    if (current === opened) current = undefined;
    const handle = await opened.handle.catch(() => undefined);
    await handle?.close();
  };
  return {
    async take() {
      const joined = current !== undefined;
      const opened = (current ??= { handle: open(), users: 0 });
      opened.users++;
      try {
        return { directory: await opened.handle, joined, release: () => leave(opened) };
      } catch (error) {
        await leave(opened);
        throw error;
      }
    },
    forget() {
      current = undefined;
    },
  };
}
