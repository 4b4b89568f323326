import { beforeEach, describe, expect, it } from 'vitest';
import { TransferWorld } from '../../test/transfer/transfer-world.js';
import type { FileEntry } from '../core/entry.js';
import { recordAgreement } from './record.js';

let world: TransferWorld;
let local: FileEntry;
let remote: FileEntry;
beforeEach(async () => {
  world = new TransferWorld();
  world.put('local', 'a', 'same');
  world.put('remote', 'a', 'same');
  local = await world.entry('local', 'a');
  remote = await world.entry('remote', 'a');
});

/** The fingerprint that is recorded of a file, when it now looks so. */
async function recorded(before: FileEntry, now?: FileEntry | null): Promise<string | null | undefined> {
  if (now !== undefined) world.local.observe = async () => now;
  await recordAgreement(world.context(), before, remote, 'md5:00');
  return world.rows.get('a')?.local;
}

describe('recordAgreement', () => {
  it('records both fingerprints, the size, the digest and the time', async () => {
    await recordAgreement(world.context(), local, remote, 'md5:00');
    expect([...world.rows.values()]).toEqual([
      {
        path: 'a',
        sizeBytes: 4,
        local: local.fingerprint,
        remote: remote.fingerprint,
        digest: 'md5:00',
        recordedAtMs: world.nowMs,
      },
    ]);
  });

  it.each([
    ['remembers the parts of the remote version of three parts', 3, true],
    ['remembers none of two parts: what differs would be most of the file', 2, false],
  ])('%s', async (_, count, isRemembered) => {
    const parts = { partSizeBytes: 2, md5s: Array.from({ length: count }, (_each, i) => `${i}`.padStart(32, '0')) };
    await recordAgreement(world.context(), local, remote, 'md5:00', parts);
    expect([...world.parts]).toEqual(isRemembered ? [[`a ${remote.fingerprint}`, parts]] : []);
  });

  it('believes a file that was old enough when it was seen, without another look: it shows every change since', async () => {
    world.local.observe = async () => {
      throw new Error('not to be looked at');
    };
    expect(await recorded(local)).toBe(local.fingerprint);
  });

  it('believes a file that was racy when it was seen and is so no more', async () => {
    expect(await recorded({ ...local, racy: true }, local)).toBe(local.fingerprint);
  });

  it('does not believe a file that is still racy', async () => {
    expect(await recorded({ ...local, racy: true }, { ...local, racy: true })).toBeNull();
  });

  it('does not believe a racy file that visibly changed, went, or is something else since', async () => {
    const racy = { ...local, racy: true };
    expect(await recorded(racy, { ...local, fingerprint: 'another' })).toBeNull();
    expect(await recorded(racy, null)).toBeNull();
    world.local.observe = async () => ({ kind: 'symlink', path: 'a' });
    expect(await recorded(racy)).toBeNull();
  });
});
