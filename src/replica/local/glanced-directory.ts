import type { FileLook } from './file-system.js';

/** What is said of one name: `null` when nothing stands there, an error when it could not be looked at. */
export type Glance = FileLook | null | Error;

/** A path under which the names of a directory are found as long as the directory at it is this one. Ends in a separator. */
export interface GlancePlace {
  readonly prefix: string;
  readonly inode: bigint;
  readonly device: bigint;
}

/** A directory in which many names are looked at. */
export interface GlancedDirectory {
  /** Where its names are looked at quickly now; `undefined` when no path is known to lead there. */
  fastPath(): GlancePlace | undefined;
  /** Looks at one name in this very directory, below `prefix` first where one is given. Follows no link. */
  glance(name: string, prefix?: string): Glance;
}

/** Where the names of a directory are looked at quickly now; `undefined` also when that cannot be found out. */
export function placeOf(directory: GlancedDirectory): GlancePlace | undefined {
  try {
    return directory.fastPath();
  } catch {
    return undefined;
  }
}
