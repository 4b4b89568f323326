import { createHash } from 'node:crypto';
import path from 'node:path';
import { hasCode, readFileIfPresent, writeFileAtomically } from './atomic-file.js';
import { sealValue, unsealValue } from './sealed-value.js';
import { createPrivateDirectory } from './state-directory.js';

/** Facts that hold for every pair of this machine, such as what a store can do. */
export interface SharedFacts {
  /** `undefined` when it was never noted, or cannot be believed. */
  get<T>(name: string): Promise<T | undefined>;
  /** Whole or not at all; of two processes at once the later one counts. */
  put(name: string, value: unknown): Promise<void>;
}

/** Opens the facts of a state directory: one small file each, in `facts/`. Reads and writes nothing yet. */
export function openSharedFacts(stateDirectory: string): SharedFacts {
  const directory = path.join(stateDirectory, 'facts');
  const fileOf = (name: string): string =>
    path.join(directory, `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.json`);
  return {
    async get<T>(name: string): Promise<T | undefined> {
      const sealed = await readFileIfPresent(fileOf(name));
      const text = sealed === undefined ? undefined : unsealValue(name, sealed);
      return text === undefined ? undefined : (JSON.parse(text) as T);
    },
    async put(name, value) {
      await createPrivateDirectory(stateDirectory);
      await createPrivateDirectory(directory);
      try {
        await writeFileAtomically(fileOf(name), sealValue(name, JSON.stringify(value)));
      } catch (error) {
        // Another process was writing the same fact and took the temporary file along. Were the two mixed, the seal tells.
        if (!hasCode(error, 'ENOENT')) throw error;
      }
    },
  };
}
