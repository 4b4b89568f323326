import { describe, expect, it } from 'vitest';
import { SimulatedFileSystem } from '../../testing/fs/simulated-file-system.js';
import { SeededRandom } from '../../testing/simulation/seeded-random.js';
import type { Source } from '../replica.js';
import { createLocalReplica } from './local-replica.js';

const START_MS = 1_700_000_000_000;

function sourceOf(text: string): Source {
  const bytes = new TextEncoder().encode(text);
  return {
    entry: {
      kind: 'file',
      path: 'a',
      sizeBytes: bytes.length,
      fingerprint: 'f',
      modifiedMs: START_MS - 1e6,
      modifiedSource: 'mtime',
    },
    async *read(start, end) {
      yield bytes.subarray(start, end);
    },
    verify: async () => undefined,
    close: async () => undefined,
  };
}

describe('writeFile', () => {
  it.each(['back', 'now'] as const)(
    'does not take for its own what somebody wrote to the file it had just put in place, with the time of %s',
    async (time) => {
      let nowMs = START_MS;
      const clock = { nowMs: () => nowMs++, sleep: async () => undefined };
      const disk = new SimulatedFileSystem({ clock });
      const replica = createLocalReplica({
        root: disk.root,
        fileSystem: disk,
        runtime: { clock, random: new SeededRandom(1) },
        pathRules: 'linux',
        runId: 'r1',
      });
      await replica.prepare({ readonly: false });
      let edited = false;
      let unlinked = false;
      disk.step = (operation) => {
        if (unlinked && !edited) {
          edited = true;
          disk.user.writeFile('a', 'edited!', time === 'back' ? { modifiedMs: START_MS - 5e6 } : {});
        }
        unlinked ||= operation.startsWith('unlink /folder/.filecloudsync/tmp/');
      };
      const result = await replica.write('a', sourceOf('content'), null);
      expect(edited).toBe(true);
      expect(disk.user.readText('a')).toBe('edited!');
      const now = await replica.observe('a');
      if (result.outcome !== 'done' || now?.kind !== 'file') throw new Error('the file was not written');
      expect(result.entry.fingerprint === now.fingerprint && result.entry.racy !== true).toBe(false);
    },
  );
});
