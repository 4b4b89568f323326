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

/** The fingerprint that is recorded of a file. */
async function recorded(seen: FileEntry): Promise<string | null | undefined> {
  world.local.observe = async () => {
    throw new Error('not to be looked at: what it is by now says nothing');
  };
  await recordAgreement(world.context(), seen, remote, 'md5:00');
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

  it('believes a file that was old enough when it was seen: it shows every change since', async () => {
    expect(await recorded(local)).toBe(local.fingerprint);
  });

  it('does not believe a racy file, however it looks by now: it may have been changed unseen after it was read', async () => {
    expect(await recorded({ ...local, racy: true })).toBeNull();
  });
});
