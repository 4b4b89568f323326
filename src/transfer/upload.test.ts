import { describe, expect, it } from 'vitest';
import { TransferWorld } from '../../test/transfer/transfer-world.js';
import { upload } from './upload.js';

const MD5_NEW = 'md5:22af645d1859cb5ca6da0c484f1f37ea';

describe('upload', () => {
  it('carries a new file over, and records what both sides have now', async () => {
    const world = new TransferWorld();
    world.put('local', 'a', 'new', 1000);
    const local = await world.entry('local', 'a');
    expect(await upload(world.context(), 'R11', local, null)).toEqual({
      type: 'done',
      rule: 'R11',
      change: { path: 'a', operation: 'added', origin: 'local' },
    });
    expect(world.text('remote', 'a')).toBe('new');
    expect(world.rows.get('a')).toEqual({
      path: 'a',
      sizeBytes: 3,
      local: local.fingerprint,
      remote: (await world.entry('remote', 'a')).fingerprint,
      digest: MD5_NEW,
      recordedAtMs: world.nowMs,
    });
    expect(world.trace).toEqual(['write remote a', 'up a 3', 'record a']);
    expect(world.openSources).toBe(0);
  });

  describe('tells the remote side of the parts of the version that it replaces', () => {
    const PARTS = { partSizeBytes: 2, md5s: ['0'.repeat(32), '1'.repeat(32)] };

    /** The parts that the remote side is told of. */
    async function told(sizeBytes: number, isNew = false): Promise<unknown[]> {
      const world = new TransferWorld();
      world.put('local', 'a', 'new');
      world.put('remote', 'a', new Uint8Array(sizeBytes));
      const remote = await world.entry('remote', 'a');
      if (isNew) world.remote.delete('a');
      world.parts.set(`a ${remote.fingerprint}`, PARTS);
      const parts: unknown[] = [];
      const write = world.remote.write.bind(world.remote);
      world.remote.write = async (path, source, precondition, options) => {
        parts.push(options?.replacedParts);
        return await write(path, source, precondition, options);
      };
      await upload(world.context(), 'R03', await world.entry('local', 'a'), isNew ? null : remote);
      return parts;
    }

    it('where it was sent in parts', async () => {
      expect(await told(8_388_609)).toEqual([PARTS]);
    });

    it('and does not look for any of a small one, nor where nothing is replaced', async () => {
      expect(await told(8_388_608)).toEqual([undefined]);
      expect(await told(8_388_609, true)).toEqual([undefined]);
    });
  });

  it('remembers the parts that were sent', async () => {
    const world = new TransferWorld();
    const parts = { partSizeBytes: 1, md5s: ['0', '1', '2'].map((digit) => digit.repeat(32)) };
    world.put('local', 'a', 'new');
    const write = world.remote.write.bind(world.remote);
    world.remote.write = async (...rest) => ({ ...(await write(...rest)), parts });
    await upload(world.context(), 'R11', await world.entry('local', 'a'), null);
    expect([...world.parts]).toEqual([[`a ${(await world.entry('remote', 'a')).fingerprint}`, parts]]);
  });

  it('replaces exactly the version that was seen', async () => {
    const world = new TransferWorld();
    world.put('local', 'a', 'new');
    world.put('remote', 'a', 'old');
    const [local, remote] = [await world.entry('local', 'a'), await world.entry('remote', 'a')];
    expect(await upload(world.context(), 'R03', local, remote)).toMatchObject({
      type: 'done',
      change: { path: 'a', operation: 'modified', origin: 'local' },
    });
    expect(world.text('remote', 'a')).toBe('new');
  });

  it.each([
    ['replaces', 'old'],
    ['creates', undefined],
  ])('is decided again, and records nothing, where somebody wrote the object that it %s', async (_, old) => {
    const world = new TransferWorld();
    world.put('local', 'a', 'new');
    if (old !== undefined) world.put('remote', 'a', old);
    const remote = old === undefined ? null : await world.entry('remote', 'a');
    const digest = world.remote.digest.bind(world.remote);
    world.remote.digest = async (...args) => {
      const answer = await digest(...args);
      return answer;
    };
    const write = world.remote.write.bind(world.remote);
    world.remote.write = async (...args) => {
      world.put('remote', 'a', 'theirs');
      return await write(...args);
    };
    const outcome = await upload(world.context(), 'R03', await world.entry('local', 'a'), remote);
    expect(outcome).toEqual({
      type: 'again',
      paths: ['a'],
      message: expect.stringMatching(/^"a" was expected to be .+, and is v\d+\.$/),
    });
    expect(world.text('remote', 'a')).toBe('theirs');
    expect(world.rows.size).toBe(0);
    expect(world.openSources).toBe(0);
  });

  it('sends nothing when the object has the same content already', async () => {
    const world = new TransferWorld();
    world.put('local', 'a', 'new');
    world.put('remote', 'a', 'new');
    const [local, remote] = [await world.entry('local', 'a'), await world.entry('remote', 'a')];
    expect(await upload(world.context(), 'R03', local, remote)).toEqual({ type: 'done', rule: 'R03' });
    expect(world.trace).toEqual(['record a']);
    expect(world.rows.get('a')).toMatchObject({
      local: local.fingerprint,
      remote: remote.fingerprint,
      digest: MD5_NEW,
    });
  });

  it('lets go of the file when the store fails', async () => {
    const world = new TransferWorld();
    world.put('local', 'a', 'new');
    world.remote.write = async () => {
      throw new Error('the store is away');
    };
    await expect(upload(world.context(), 'R11', await world.entry('local', 'a'), null)).rejects.toThrow('away');
    expect(world.openSources).toBe(0);
    expect(world.rows.size).toBe(0);
  });

  it('passes on that it is to stop', async () => {
    const world = new TransferWorld();
    world.put('local', 'a', 'new');
    const signal = AbortSignal.abort();
    const write = world.remote.write.bind(world.remote);
    let passed: AbortSignal | undefined;
    world.local.open = async (entry) => {
      const { memorySource } = await import('../replica/memory/memory-source.js');
      return memorySource(entry, new TextEncoder().encode('new'));
    };
    world.remote.write = async (path, source, precondition, options) => {
      passed = options?.signal;
      return await write(path, source, precondition, options);
    };
    await expect(upload(world.context({ signal }), 'R11', await world.entry('local', 'a'), null)).rejects.toMatchObject(
      {
        name: 'AbortError',
      },
    );
    expect(passed).toBe(signal);
  });
});
