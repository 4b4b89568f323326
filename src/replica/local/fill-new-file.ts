import type { FileHandle, FileStat, NewFile } from './file-system.js';

/** Gives a file that was just created all of its content, durably, step by step. */
export async function fillNewFile(file: FileHandle, { bytes, modifiedMs }: NewFile, mode?: number): Promise<FileStat> {
  await file.write(bytes, 0);
  if (modifiedMs !== undefined) await file.setModified(modifiedMs);
  if (mode !== undefined) await file.setMode(mode);
  await file.sync();
  return await file.stat();
}
