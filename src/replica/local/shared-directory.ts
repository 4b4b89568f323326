import type { DirectoryHandle } from './file-system.js';
import { Leased } from './leased.js';

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

/** Makes a {@link SharedDirectory}. With the last user the directory is closed, so that nothing is held between two uses. */
export function createSharedDirectory(open: () => Promise<DirectoryHandle>): SharedDirectory {
  let current: Leased<DirectoryHandle> | undefined;
  const begin = (): Leased<DirectoryHandle> => {
    const begun = new Leased(
      open(),
      (handle) => handle.close(),
      () => {
        if (current === begun) current = undefined;
      },
    );
    return begun;
  };
  return {
    async take() {
      const { value, joined, release } = await (current ??= begin()).take();
      return { directory: value, joined, release };
    },
    forget() {
      current = undefined;
    },
  };
}
