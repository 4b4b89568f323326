import { promises as fs, type PathLike } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { plainPath, type OnStep } from './failpoints.js';

/**
 * Names what is done to files of the state directory beside the database: register, locks, marks.
 * They stand behind no port, so the functions of `node:fs/promises` themselves are wrapped, in this process.
 * What LevelDB does inside a batch is its own: it is killed there by chance, when a request is under way.
 */
export function watchStateFiles(stateDir: string, onStep: OnStep): void {
  const told = async (operation: string, path: PathLike): Promise<void> => {
    const text = String(path);
    if (text.startsWith(stateDir)) await onStep(`state:${operation} ${plainPath(text.slice(stateDir.length))}`);
  };
  const { open, rename, rm, mkdir } = fs;
  fs.open = async (path, flags, mode) => {
    const writes = typeof flags === 'string' && flags !== 'r';
    if (writes) await told('create', path);
    const handle = await open(path, flags, mode);
    if (writes) {
      const write = handle.writeFile.bind(handle);
      handle.writeFile = async (...given: Parameters<typeof write>) => {
        await told('write', path);
        await write(...given);
      };
    }
    return handle;
  };
  fs.rename = async (from, to) => {
    await told('rename', to);
    await rename(from, to);
  };
  fs.rm = async (path, options) => {
    await told('remove', path);
    await rm(path, options);
  };
  fs.mkdir = (async (path: PathLike, options: Parameters<typeof mkdir>[1]) => {
    await told('makeDirectory', path);
    return mkdir(path, options);
  }) as typeof mkdir;
  syncBuiltinESMExports();
}
