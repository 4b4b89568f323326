import { homedir } from 'node:os';
import type { ConfigFile } from '../store/config-file.js';
import type { AwsChain } from './aws-chain.js';
import { readConfigFile } from '../store/config-file.js';
import { awsChain } from './aws-chain.js';

/** What of the process and the machine the search for credentials looks at. */
export interface Surroundings {
  readonly cwd: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a file of settings; `undefined`: there is none. Throws `ConfigFileError`. */
  readonly readConfigFile: (path: string) => Promise<ConfigFile | undefined>;
  /** Tells a person something once that is no failure. */
  readonly warn: (message: string, code: string) => void;
  readonly awsChain: AwsChain;
}

const warned = new Set<string>();

/** The surroundings of this process, as they are now. */
export function processSurroundings(): Surroundings {
  return {
    cwd: process.cwd(),
    home: homedir(),
    env: process.env,
    readConfigFile,
    warn: (message, code) => {
      if (warned.has(message)) return;
      warned.add(message);
      process.emitWarning(message, { type: 'FileCloudSyncWarning', code });
    },
    awsChain,
  };
}
