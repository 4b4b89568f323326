import { describe, expect, it } from 'vitest';
import type { Side } from '../../core/side.js';
import { describeReplica, type ReplicaHarness } from '../../testing/describe-replica.js';
import { MemoryReplica } from './memory-replica.js';

const clock = { nowMs: () => Date.now() };

async function makeHarness(side: Side): Promise<ReplicaHarness> {
  const replica = new MemoryReplica({ side, clock, pageSize: 10 });
  return {
    replica,
    ...(side === 'local' ? { trash: replica.trash } : {}),
    async seed(files) {
      for (const [path, content] of Object.entries(files)) replica.put(path, content);
    },
    async put(path, content) {
      replica.put(path, content);
    },
    async remove(path) {
      replica.delete(path);
    },
    async content(path) {
      return replica.content(path);
    },
    async dispose() {},
  };
}

describeReplica('MemoryReplica (local)', () => makeHarness('local'), { describe, it, expect });
describeReplica('MemoryReplica (remote)', () => makeHarness('remote'), { describe, it, expect });

describe('MemoryReplica', () => {
  it('reports hostile keys that somebody put there, and goes on', async () => {
    const replica = new MemoryReplica({ side: 'remote', clock });
    for (const key of ['../x', 'a//b', 'ok', '/root']) replica.put(key, 'x');
    const pages = [];
    for await (const page of replica.scan({ filter: { includesFile: () => true, mayContain: () => true } }))
      pages.push(page);
    expect(pages.flatMap((page) => page.entries.map((entry) => entry.path))).toEqual(['ok']);
    expect(pages.flatMap((page) => page.problems.map((problem) => problem.code))).toEqual([
      'ERR_KEY_DOT_SEGMENT',
      'ERR_KEY_LEADING_SLASH',
      'ERR_KEY_EMPTY_SEGMENT',
    ]);
  });

  it('lets a bucket have an object and another one below its name', async () => {
    const replica = new MemoryReplica({ side: 'remote', clock });
    replica.put('x', '1');
    replica.put('x/y', '2');
    expect(await replica.observe('x')).toMatchObject({ kind: 'file' });
    expect(replica.paths()).toEqual(['x', 'x/y']);
  });
});
