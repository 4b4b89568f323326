import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder with canaries all around it: above, beside, in look-alikes of its private folder, and under names to which a key
 * that climbs would lead. `outside()` tells everything about them: names, kinds, contents, modes, times, link counts.
 */
export class CanaryWorld {
  readonly base: string;
  readonly above: string;
  readonly folder: string;
  readonly outsideFolder: string;

  /** @param place - where it is made. Default: the system's place for temporary files. */
  constructor(place = tmpdir()) {
    this.base = fs.mkdtempSync(join(place, 'fcs-canary-'));
    this.above = join(this.base, 'above');
    this.folder = join(this.above, 'folder');
    this.outsideFolder = join(this.base, 'outside');
    fs.mkdirSync(this.folder, { recursive: true });
    for (const path of [
      'canary',
      'x',
      'etc/passwd',
      'above/canary',
      'above/x',
      'above/b',
      'above/folder-sibling/x',
      'above/.filecloudsync/tmp/x',
      'above/.filecloudsync/trash/x/content',
      'outside/canary',
      'outside/sub/canary',
      'outside/sub/deeper/victim.txt',
      ...Array.from({ length: 8 }, (_, i) => `outside/f${i}.txt`),
    ]) {
      const file = join(this.base, path);
      fs.mkdirSync(join(file, '..'), { recursive: true });
      fs.writeFileSync(file, `canary at ${path}`);
      fs.utimesSync(file, 1_500_000_000, 1_500_000_000);
    }
  }

  outside(): Record<string, string> {
    const found: Record<string, string> = {};
    const walk = (directory: string): void => {
      for (const name of fs.readdirSync(directory)) {
        const path = join(directory, name);
        const stat = fs.lstatSync(path, { bigint: true });
        const kind = stat.isDirectory()
          ? 'directory'
          : stat.isSymbolicLink()
            ? `-> ${fs.readlinkSync(path)}`
            : fs.readFileSync(path, 'utf8');
        // The folder itself changes within; its own place, kind and mode do not.
        if (path === this.folder) found[path] = `the folder ${stat.ino} ${stat.mode}`;
        else {
          found[path] = `${kind} ${stat.ino} ${stat.mode} ${stat.nlink} ${stat.mtimeNs} ${stat.ctimeNs}`;
          if (stat.isDirectory()) walk(path);
        }
      }
    };
    walk(this.base);
    return found;
  }

  dispose(): void {
    fs.rmSync(this.base, { recursive: true, force: true });
  }
}

/** All files of a folder by their paths, as bytes of UTF-8 say them; the private folder left out. */
export function filesIn(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (prefix: string): void => {
    for (const item of fs.readdirSync(join(folder, prefix), { withFileTypes: true })) {
      const path = prefix === '' ? item.name : `${prefix}/${item.name}`;
      if (path === '.filecloudsync') continue;
      if (item.isDirectory()) walk(path);
      else if (item.isFile()) found.set(path, fs.readFileSync(join(folder, path), 'utf8'));
      else found.set(path, 'no file');
    }
  };
  walk('');
  return found;
}
