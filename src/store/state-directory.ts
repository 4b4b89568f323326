import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import envPaths from 'env-paths';

/** Variables of the environment, as a caller passes them in. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Answers where the state lives, as an absolute path, without creating it:
 * `stateDir` when given, else `FILECLOUDSYNC_STATE_DIR`, else the platform's place
 * (Linux: `$XDG_STATE_HOME/filecloudsync` or `~/.local/state/filecloudsync`; macOS: `~/Library/Application Support/filecloudsync`;
 * Windows: `%LOCALAPPDATA%\filecloudsync\Data`).
 */
export function stateDirectoryOf(options: { readonly stateDir?: string; readonly environment: Environment }): string {
  const { stateDir, environment } = options;
  if (stateDir !== undefined && stateDir !== '') return path.resolve(stateDir);
  const fromEnvironment = environment['FILECLOUDSYNC_STATE_DIR'];
  if (fromEnvironment !== undefined && fromEnvironment !== '') return path.resolve(fromEnvironment);
  if (process.platform === 'darwin' || process.platform === 'win32')
    return envPaths('filecloudsync', { suffix: '' }).data;
  const xdg = environment['XDG_STATE_HOME'];
  // The XDG specification: a relative path is invalid and to be ignored.
  if (xdg !== undefined && path.isAbsolute(xdg)) return path.join(xdg, 'filecloudsync');
  const home = environment['HOME'];
  if (home !== undefined && path.isAbsolute(home)) return path.join(home, '.local', 'state', 'filecloudsync');
  // On Linux `log` is the XDG state directory.
  return envPaths('filecloudsync', { suffix: '' }).log;
}

/** Where the state of one pair lives below the state directory. */
export interface PairPaths {
  readonly directory: string;
  /** The LevelDB database. */
  readonly database: string;
  /** The directory whose lock is the pair's lock. */
  readonly lock: string;
  /** Who holds the lock. */
  readonly holder: string;
  /** Which pair it is. */
  readonly identity: string;
}

/** The paths of one pair; creates nothing. */
export function pairPathsOf(stateDirectory: string, pairId: string): PairPaths {
  const directory = path.join(pairsDirectoryOf(stateDirectory), pairId);
  return {
    directory,
    database: path.join(directory, 'db'),
    lock: path.join(directory, 'lock'),
    holder: path.join(directory, 'holder.json'),
    identity: path.join(directory, 'identity.json'),
  };
}

/** The directory that holds one directory per pair. */
export function pairsDirectoryOf(stateDirectory: string): string {
  return path.join(stateDirectory, 'pairs');
}

/** Creates a directory of the state for its owner alone. */
export async function createPrivateDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
}
