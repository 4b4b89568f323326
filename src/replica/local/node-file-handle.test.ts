import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NodeFileHandle } from './node-file-handle.js';

let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'filecloudsync-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

describe('NodeFileHandle', () => {
  it.each([
    ['few bytes', 3, 10],
    ['many bytes', 7, 40_000],
    ['more pieces than one call takes', 2500, 41],
  ])('writes several pieces one after another: %s', async (_, count, length) => {
    const place = path.join(folder, 'f');
    const file = new NodeFileHandle(fs.openSync(place, 'w+'));
    const pieces = Array.from({ length: count }, (_each, i) => new Uint8Array(length).fill(i % 251));
    await file.write(pieces, 5);
    await file.close();
    expect(fs.readFileSync(place).equals(Buffer.concat([new Uint8Array(5), ...pieces]))).toBe(true);
  });

  it('says why pieces could not be written', async () => {
    const place = path.join(folder, 'f');
    fs.writeFileSync(place, '');
    const file = new NodeFileHandle(fs.openSync(place, 'r'));
    for (const length of [10, 100_000])
      await expect(file.write([new Uint8Array(length), new Uint8Array(1)], 0)).rejects.toMatchObject({ code: 'EBADF' });
    await file.close();
  });
});
