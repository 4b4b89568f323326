import type * as NodeFs from 'node:fs';
import type { MessagePort } from 'node:worker_threads';

/** One directory of a share, and how many of its names. */
export interface StatPlace {
  readonly prefix: string;
  readonly inode: bigint;
  readonly device: bigint;
  readonly count: number;
}

/** A message to the thread. `names` are joined by `/`, which no name holds. */
export interface StatQuestion {
  readonly places: readonly StatPlace[];
  readonly names: string;
}

/** What the thread says: nothing of a name whose mode is 0. */
export interface StatAnswer {
  /** For each name: mode, size, and mtime and ctime in milliseconds. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** For each name: mtime and ctime in nanoseconds and the inode, joined by `-`; joined by line feeds. */
  readonly exact: string;
}

/**
 * What the thread does. It is sent to the thread as text, so that it is found wherever this package is bundled: it may use
 * nothing from around it.
 */
export function statProgram(port: MessagePort, fs: typeof NodeFs): void {
  const options = { bigint: true, throwIfNoEntry: false } as const;
  const leadsTo = ({ prefix, inode, device }: StatPlace): boolean => {
    try {
      const found = fs.statSync(prefix, options);
      return found !== undefined && found.ino === inode && found.dev === device;
    } catch {
      return false;
    }
  };
  const lookAt = (path: string, numbers: Float64Array, at: number): string => {
    try {
      const stat = fs.lstatSync(path, options);
      if (stat === undefined) return '';
      const { mtimeNs, ctimeNs } = stat;
      numbers[at] = Number(stat.mode);
      numbers[at + 1] = Number(stat.size);
      numbers[at + 2] = Number(mtimeNs) / 1e6;
      numbers[at + 3] = Number(ctimeNs) / 1e6;
      return `${mtimeNs}-${stat.ino}-${ctimeNs}`;
    } catch {
      // Looked at again by whoever asked, who tells what was wrong.
      return '';
    }
  };
  port.on('message', ([asked, { places, names }]: [number, StatQuestion]) => {
    const all = names.split('/');
    const numbers = new Float64Array(all.length * 4);
    const exact: string[] = [];
    for (const place of places) {
      const begin = exact.length;
      const isThere = leadsTo(place);
      for (let i = begin; i < begin + place.count; i++) {
        exact.push(isThere ? lookAt(place.prefix + (all[i] as string), numbers, i * 4) : '');
      }
      if (isThere && !leadsTo(place)) numbers.fill(0, begin * 4, exact.length * 4);
    }
    port.postMessage([asked, { numbers, exact: exact.join('\n') }], [numbers.buffer]);
  });
}
