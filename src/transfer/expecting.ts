import type { FileEntry } from '../core/entry.js';
import type { Precondition } from '../replica/replica.js';

/** The condition under which a file may be replaced or removed: it is still the one that was seen. */
export function expecting(entry: FileEntry): NonNullable<Precondition> {
  return { fingerprint: entry.fingerprint, entry };
}

/** The same for a path that may have been seen empty. */
export function expectingOrNothing(entry: FileEntry | null): Precondition {
  return entry === null ? null : expecting(entry);
}
