import type { FileSystem } from './file-system.js';
import { createNodeFileSystem, hasProcDescriptors } from './node-file-system.js';
import { createPortableFileSystem } from './portable-file-system.js';

/** The strongest file system this machine offers: held by descriptors on Linux, by paths elsewhere. */
export function createDefaultFileSystem(): FileSystem {
  return hasProcDescriptors() ? createNodeFileSystem() : createPortableFileSystem();
}
