import { beforeEach, describe, expect, it } from 'vitest';
import { TransferWorld } from '../../test/transfer/transfer-world.js';
import type { BaselineRow } from '../core/baseline.js';
import type { FileEntry } from '../core/entry.js';
import { PathError } from '../errors.js';
import { md5Digest } from '../replica/memory/md5.js';
import type { MoveOptions, Replica } from '../replica/replica.js';
import { moveLocal, moveRemote, type MovedFile } from './move.js';
import type { PathOutcome } from './path-outcome.js';

const MIB = 1024 * 1024;
const WHOLE = { partSizeBytes: undefined };
let world: TransferWorld;
beforeEach(() => {
  world = new TransferWorld();
});

const md5Of = (text: string, scheme: { partSizeBytes: number | undefined } = WHOLE): string =>
  md5Digest(new TextEncoder().encode(text), scheme);

/** Both sides have agreed on `old`. */
async function agreedOn(text: string, more: Partial<BaselineRow> = {}): Promise<BaselineRow> {
  world.put('local', 'old', text);
  world.put('remote', 'old', text);
  const baseline: BaselineRow = {
    path: 'old',
    sizeBytes: text.length,
    local: (await world.entry('local', 'old')).fingerprint,
    remote: (await world.entry('remote', 'old')).fingerprint,
    digest: md5Of(text),
    recordedAtMs: 0,
    ...more,
  };
  world.rows.set('old', baseline);
  return baseline;
}

/** What each move of one side was asked, in order. */
function movesOf(replica: Replica): MoveOptions[] {
  const asked: MoveOptions[] = [];
  const move = replica.move.bind(replica);
  replica.move = async (path, to, precondition, options = {}) => {
    asked.push(options);
    return await move(path, to, precondition, options);
  };
  return asked;
}

/** What digests one side was asked for; it cannot name any. */
function mute(replica: Replica): (number | undefined)[] {
  const asked: (number | undefined)[] = [];
  replica.digest = async (_entry, scheme) => {
    asked.push(scheme.partSizeBytes);
    return undefined;
  };
  return asked;
}

describe('moveRemote', () => {
  async function run(baseline: BaselineRow, more: Partial<MovedFile> = {}): Promise<PathOutcome> {
    const local = await world.entry('local', 'new');
    const from: MovedFile = { rule: 'R07', file: await world.entry('remote', 'old'), baseline, ...more };
    return await moveRemote(world.context(), await world.decision('R11', 'move-remote', 'new'), local, from);
  }

  it('moves the object, records the new path, and forgets the old one', async () => {
    const baseline = await agreedOn('text');
    world.local.rename('old', 'new');
    const asked = movesOf(world.remote);
    expect(await run(baseline)).toEqual({
      type: 'done',
      rule: 'R11',
      change: { path: 'new', operation: 'added', origin: 'local', from: 'old' },
      gone: { rule: 'R07', change: { path: 'old', operation: 'deleted', origin: 'local', to: 'new' } },
    });
    expect(world.remote.paths()).toEqual(['new']);
    expect(world.trace).toEqual(['move remote old', 'record new', 'forget old']);
    expect(world.rows.get('new')).toMatchObject({ digest: md5Of('text'), sizeBytes: 4 });
    expect(world.hashed).toEqual(['new']);
    // The very file: its time stays as the bucket has it. A copy of the content stands in the folder.
    expect(asked).toEqual([{ signal: undefined, keepsCopy: true }]);
  });

  it('takes the time of a file that was written anew at the new path', async () => {
    const baseline = await agreedOn('text');
    world.local.delete('old');
    world.put('local', 'new', 'text', 12_345_000);
    const asked = movesOf(world.remote);
    expect(await run(baseline)).toMatchObject({ type: 'done' });
    expect(asked).toEqual([{ signal: undefined, keepsCopy: true, modifiedMs: 12_345_000 }]);
  });

  it.each([
    ['the baseline knows no local file', { local: null }, undefined],
    ['the folder names no file twice the same', {}, () => undefined],
  ])('takes the time of the file where %s', async (_, more, identityOf) => {
    const baseline = await agreedOn('text', more);
    world.local.rename('old', 'new');
    if (identityOf !== undefined) Object.assign(world.local, { identityOf });
    const asked = movesOf(world.remote);
    expect(await run(baseline)).toMatchObject({ type: 'done' });
    expect(asked[0]).toHaveProperty('modifiedMs', world.nowMs);
  });

  it.each([
    ['another content of the same size', 'tex!', ['new']],
    ['another size', 'longer text', []],
  ])('moves nothing onto a file of %s', async (_, text, hashed) => {
    const baseline = await agreedOn('text');
    world.local.delete('old');
    world.put('local', 'new', text);
    expect(await run(baseline)).toEqual({
      type: 'again',
      paths: ['old', 'new'],
      message: 'new is not the file of old.',
    });
    expect(world.trace).toEqual([]);
    expect(world.hashed).toEqual(hashed);
  });

  it.each([
    ['no digest', undefined],
    ['no digest that can be made here', 'sha256:00'],
  ])('asks the object itself where %s was agreed on', async (_, digest) => {
    const baseline = await agreedOn('text', { digest });
    world.local.rename('old', 'new');
    expect(await run(baseline)).toMatchObject({ type: 'done' });
    expect(world.rows.get('new')?.digest).toBe(md5Of('text'));
  });

  it('moves nothing where nobody can say what the content is', async () => {
    const baseline = await agreedOn('text', { digest: undefined });
    world.local.rename('old', 'new');
    mute(world.remote);
    expect(await run(baseline)).toMatchObject({ type: 'again' });
    expect(world.trace).toEqual([]);
  });

  it('moves nothing when a file stands at the old path again', async () => {
    const baseline = await agreedOn('text');
    world.put('local', 'new', 'text');
    expect(await run(baseline)).toEqual({
      type: 'again',
      paths: ['old', 'new'],
      message: 'old exists again in the folder.',
    });
    expect(world.trace).toEqual([]);
  });

  it('moves the object of a file that made room for a directory', async () => {
    const baseline = await agreedOn('text');
    world.local.rename('old', 'new');
    world.put('local', 'old/below', 'else');
    expect(await run(baseline)).toMatchObject({ type: 'done' });
  });

  it('records nothing when the object is another one by now', async () => {
    const baseline = await agreedOn('text');
    world.local.rename('old', 'new');
    const file = await world.entry('remote', 'old');
    world.put('remote', 'old', 'else');
    expect(await run(baseline, { file })).toEqual({
      type: 'again',
      paths: ['old', 'new'],
      message: expect.stringContaining('"old" was expected to be'),
    });
    expect(world.trace).toEqual(['move remote old']);
  });

  it('leaves the halves to be carried apart where the bucket cannot move it', async () => {
    const baseline = await agreedOn('text');
    world.local.rename('old', 'new');
    world.remote.move = async () => {
      throw new PathError('ERR_FILE_TOO_LARGE', 'too large to be copied', { data: { path: 'old' } });
    };
    expect(await run(baseline)).toEqual({ type: 'apart' });
    expect(world.rows.has('old')).toBe(true);
  });

  it('passes on what concerns the whole side', async () => {
    const baseline = await agreedOn('text');
    world.local.rename('old', 'new');
    world.remote.move = async () => {
      throw new Error('the bucket is gone');
    };
    await expect(run(baseline)).rejects.toThrow('the bucket is gone');
  });
});

describe('moveLocal', () => {
  async function run(baseline: BaselineRow, seen?: FileEntry): Promise<PathOutcome> {
    const from: MovedFile = { rule: 'R08', file: await world.entry('local', 'old'), baseline };
    const remote = seen ?? (await world.entry('remote', 'new'));
    return await moveLocal(world.context(), await world.decision('R12', 'move-local', 'new'), remote, from);
  }

  /** The remote side tells of every file this as well. */
  function observedWith(more: Partial<FileEntry>): void {
    const observe = world.remote.observe.bind(world.remote);
    world.remote.observe = async (path, signal) => {
      const entry = await observe(path, signal);
      return entry?.kind === 'file' ? { ...entry, ...more } : entry;
    };
  }

  it('moves the file, records the new path, and forgets the old one', async () => {
    const baseline = await agreedOn('text');
    world.remote.rename('old', 'new');
    const asked = movesOf(world.local);
    expect(await run(baseline)).toEqual({
      type: 'done',
      rule: 'R12',
      change: { path: 'new', operation: 'added', origin: 'remote', from: 'old' },
      gone: { rule: 'R08', change: { path: 'old', operation: 'deleted', origin: 'remote', to: 'new' } },
    });
    expect(world.local.paths()).toEqual(['new']);
    expect(world.trace).toEqual(['move local old', 'record new', 'forget old']);
    expect(world.rows.get('new')).toMatchObject({ digest: md5Of('text'), sizeBytes: 4 });
    expect(asked).toEqual([{ signal: undefined, keepsCopy: true }]);
    // What was agreed on need not be read again.
    expect(world.hashed).toEqual([]);
  });

  it('moves nothing while the old object still stands, whatever a list said', async () => {
    const baseline = await agreedOn('text');
    world.put('remote', 'new', 'text');
    expect(await run(baseline)).toEqual({
      type: 'again',
      paths: ['old', 'new'],
      message: 'old is in the bucket, though its list did not say so.',
    });
    expect(world.trace).toEqual([]);
  });

  it.each([
    ['another one', () => world.put('remote', 'new', 'text')],
    ['gone', () => world.remote.delete('new')],
  ])('moves nothing when the new object is %s by now', async (_, change) => {
    const baseline = await agreedOn('text');
    world.remote.rename('old', 'new');
    const seen = await world.entry('remote', 'new');
    change();
    expect(await run(baseline, seen)).toEqual({
      type: 'again',
      paths: ['old', 'new'],
      message: 'new changed in the bucket after it was looked at.',
    });
    expect(world.trace).toEqual([]);
  });

  it.each([
    ['content of the same size', 'tex!'],
    ['size', 'longer text'],
  ])('moves nothing to an object of another %s', async (_, text) => {
    const baseline = await agreedOn('text');
    world.remote.delete('old');
    world.put('remote', 'new', text);
    expect(await run(baseline)).toEqual({
      type: 'again',
      paths: ['old', 'new'],
      message: 'new is not known to be old renamed.',
    });
    expect(world.trace).toEqual([]);
    expect(world.hashed).toEqual([]);
  });

  it('believes the digest that the object shows, and asks for no other', async () => {
    const baseline = await agreedOn('text');
    world.remote.rename('old', 'new');
    observedWith({ digest: md5Of('text') });
    const asked = mute(world.remote);
    expect(await run(baseline)).toMatchObject({ type: 'done' });
    expect(asked).toEqual([]);
  });

  it('asks for the digest of the agreed kind where the object shows one of parts', async () => {
    const baseline = await agreedOn('text');
    world.remote.rename('old', 'new');
    observedWith({ digest: md5Of('text', { partSizeBytes: 5 * MIB }) });
    expect(await run(baseline)).toMatchObject({ type: 'done' });
    expect(world.rows.get('new')?.digest).toBe(md5Of('text'));
    expect(world.hashed).toEqual([]);
  });

  it.each([
    ['no digest', undefined],
    ['no digest that can be made here', 'sha256:00'],
  ])('reads the file in the folder where %s was agreed on', async (_, digest) => {
    const baseline = await agreedOn('text', { digest });
    world.remote.rename('old', 'new');
    expect(await run(baseline)).toMatchObject({ type: 'done' });
    expect(world.rows.get('new')?.digest).toBe(md5Of('text'));
    expect(world.hashed).toEqual(['old']);
  });

  it('reads the file in the folder where the object has only a digest of other parts', async () => {
    const baseline = await agreedOn('text');
    world.remote.rename('old', 'new');
    const ofParts = md5Of('text', { partSizeBytes: 5 * MIB });
    observedWith({ digest: ofParts });
    mute(world.remote);
    expect(await run(baseline)).toMatchObject({ type: 'done' });
    expect(world.rows.get('new')?.digest).toBe(ofParts);
    expect(world.hashed).toEqual(['old']);
  });

  it.each([
    ['later', 2001, 'apart'],
    ['earlier', -2001, 'apart'],
    ['as much later as a clock may be wrong', 2000, 'done'],
    ['as much earlier as a clock may be wrong', -2000, 'done'],
  ])('leaves a time that is %s to a download where it must', async (_, byMs, type) => {
    const baseline = await agreedOn('text');
    world.remote.rename('old', 'new');
    observedWith({ modifiedMs: world.nowMs + byMs });
    expect(await run(baseline)).toMatchObject({ type });
    expect(world.local.paths()).toEqual([type === 'done' ? 'new' : 'old']);
  });

  it.each([
    ['is that of its upload', { modifiedMs: 1, modifiedSource: 'server' }],
    ['is not known', { modifiedMs: undefined }],
  ] as const)('does not mind a time of the object that %s', async (_, time) => {
    const baseline = await agreedOn('text');
    world.remote.rename('old', 'new');
    observedWith(time);
    expect(await run(baseline)).toMatchObject({ type: 'done' });
  });

  it('does not mind a file whose time is not known', async () => {
    const baseline = await agreedOn('text');
    world.remote.rename('old', 'new');
    const file = { ...(await world.entry('local', 'old')), modifiedMs: undefined };
    const from: MovedFile = { rule: 'R08', file, baseline };
    const decision = await world.decision('R12', 'move-local', 'new');
    const outcome = await moveLocal(world.context(), decision, await world.entry('remote', 'new'), from);
    expect(outcome).toMatchObject({ type: 'done' });
  });

  it('records nothing when the file in the folder is another one by now', async () => {
    const baseline = await agreedOn('text');
    world.remote.rename('old', 'new');
    const file = await world.entry('local', 'old');
    const move = world.local.move.bind(world.local);
    world.local.move = async (...rest) => {
      world.put('local', 'old', 'edited');
      return await move(...rest);
    };
    const decision = await world.decision('R12', 'move-local', 'new');
    const remote = await world.entry('remote', 'new');
    expect(await moveLocal(world.context(), decision, remote, { rule: 'R08', file, baseline })).toEqual({
      type: 'again',
      paths: ['old', 'new'],
      message: expect.stringContaining('"old" was expected to be'),
    });
    expect(world.text('local', 'old')).toBe('edited');
    expect(world.trace).toEqual(['move local old']);
  });

  it('leaves the halves to be carried apart where the folder cannot move it', async () => {
    const baseline = await agreedOn('text');
    world.remote.rename('old', 'new');
    world.local.move = async () => {
      throw new PathError('ERR_ACCESS_DENIED', 'not permitted', { data: { path: 'old' } });
    };
    expect(await run(baseline)).toEqual({ type: 'apart' });
    expect(world.rows.has('old')).toBe(true);
  });
});
