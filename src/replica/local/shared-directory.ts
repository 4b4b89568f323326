import type { DirectoryHandle } from './file-system.js';
import { Leased, type Lease } from './leased.js';

/** A directory that is open for as long as somebody uses it. `joined`: it may be gone from its place. */
export type DirectoryLease = Lease<DirectoryHandle>;

/** Opens one directory for all who use it at the same time. */
export interface SharedDirectory {
  /** At once where it is open. */
  take(): DirectoryLease | Promise<DirectoryLease>;
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
    take: () => (current ??= begin()).take(),
    forget() {
      current = undefined;
    },
  };
}
