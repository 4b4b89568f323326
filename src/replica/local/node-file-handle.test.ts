import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NodeFileHandle } from './node-file-handle.js';

let folder = '';
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'filecloudsync-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(folder, { recursive: true, force: true });
});

describe('NodeFileHandle', () => {
  /** Writes so much from the sixth byte on; answers whether others had their turn meanwhile. */
  async function write(length: number): Promise<boolean> {
    const place = path.join(folder, 'f');
    const file = new NodeFileHandle(fs.openSync(place, 'w+'));
    const bytes = Uint8Array.from({ length }, (_each, i) => i % 251);
    let turned = false;
    const turn = setImmediate(() => void (turned = true));
    await file.write(bytes, 5);
    clearImmediate(turn);
    file.close();
    expect(fs.readFileSync(place).equals(Buffer.concat([new Uint8Array(5), bytes]))).toBe(true);
    return turned;
  }

  it.each([3, 32 * 1024, 32 * 1024 + 1, 1_000_000])('writes %i bytes at once', async (length) => {
    vi.spyOn(performance, 'now').mockReturnValue(0);
    expect(await write(length)).toBe(false);
  });

  it.each([
    [49, false],
    [50, true],
  ])('leaves the rest to the thread pool on a disk that takes %i ms for a little: %s', async (callMs, isSlow) => {
    let nowMs = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += callMs));
    expect(await write(100_000)).toBe(isSlow);
  });

  it('says why bytes could not be written', async () => {
    const place = path.join(folder, 'f');
    fs.writeFileSync(place, '');
    const file = new NodeFileHandle(fs.openSync(place, 'r'));
    for (const length of [10, 100_000])
      await expect(file.write(new Uint8Array(length), 0)).rejects.toMatchObject({ code: 'EBADF' });
    file.close();
  });
});
