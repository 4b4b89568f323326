import { existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandWorld } from './command-world.js';

let world: CommandWorld;

beforeEach(async () => {
  world = await CommandWorld.open();
  for (const name of ['a.txt', 'b.txt', 'c.txt', 'd.txt']) write(name, `content of ${name}`);
  expect(await world.run('sync')).toMatchObject({ code: 0 });
});

afterEach(async () => {
  await world.close();
});

/** A file that is old enough to be believed by its times. */
function write(name: string, content: string): void {
  writeFileSync(join(world.folder, name), content);
  utimesSync(join(world.folder, name), 1_600_000_000, 1_600_000_000);
}

type Line = Readonly<Record<string, unknown>>;

/** What the log says about one path, newest first, with the run in which it happened. */
function about(path: string): { readonly runId: unknown; readonly line: Line }[] {
  let runId: unknown;
  const found: { runId: unknown; line: Line }[] = [];
  for (const line of world.log()) {
    if (line['type'] === 'begin') runId = line['runId'];
    if (line['path'] === path) found.unshift({ runId, line });
  }
  return found;
}

describe('the log answers who deleted a file', () => {
  it('names the rule and what was seen on all three sides before the file went to the trash', async () => {
    await world.bucket.remove('a.txt');
    expect(await world.run('sync')).toMatchObject({ code: 0 });
    expect(existsSync(join(world.folder, 'a.txt'))).toBe(false);

    const [done, start, decision] = about('a.txt');
    expect(done?.line).toMatchObject({ type: 'done', rule: 'R06', change: { operation: 'deleted', origin: 'remote' } });
    expect(start?.line).toMatchObject({ type: 'start' });
    const sizeBytes = 'content of a.txt'.length;
    expect(decision?.line).toMatchObject({
      type: 'decision',
      action: 'delete-local',
      rule: 'R06',
      // It was in the bucket when both sides last agreed, it is not there now, and here it stood unchanged: it was deleted in the bucket.
      seen: { baseline: { sizeBytes }, local: { sizeBytes, modifiedMs: 1_600_000_000_000 }, remote: null },
    });
    expect(decision?.line['atMs']).toBeTypeOf('number');

    const [kept] = JSON.parse(`[${(await world.run('trash', '--json')).stdout.trimEnd().replaceAll('\n', ',')}]`);
    expect(kept).toMatchObject({ type: 'trash', item: { path: 'a.txt', reason: 'deleted', runId: decision?.runId } });
  });

  it('tells a deletion here from one in the bucket', async () => {
    rmSync(join(world.folder, 'b.txt'));
    expect(await world.run('sync')).toMatchObject({ code: 0 });
    const decision = about('b.txt').find(({ line }) => line['type'] === 'decision');
    expect(decision?.line).toMatchObject({
      action: 'delete-remote',
      rule: 'R07',
      seen: { baseline: { sizeBytes: 16 }, local: null, remote: { sizeBytes: 16 } },
    });
  });

  it('says what a guard kept from being done, and that nothing was', async () => {
    for (const name of ['a.txt', 'b.txt', 'c.txt', 'd.txt']) rmSync(join(world.folder, name));
    expect(await world.run('sync')).toMatchObject({ code: 10 });
    expect(about('c.txt').map(({ line }) => line['type'])[0]).toBe('decision');
    expect(world.log().at(-1)).toMatchObject({ type: 'error' });
    expect((await world.bucket.list()).size).toBe(4);
  });

  it('has one decision for each path that asked for something, and none for the others', async () => {
    const before = world.log().length;
    write('a.txt', 'edited, and longer than before');
    await world.bucket.write('e.txt', 'from there');
    await world.run('sync');
    const lines = world
      .log()
      .slice(before)
      .filter(({ type }) => type === 'decision');
    expect(lines.map(({ path, rule, action }) => `${String(path)} ${String(rule)} ${String(action)}`)).toEqual([
      'a.txt R03 upload',
      'e.txt R12 download',
    ]);
  });

  it('follows a file through deletion and restoring, and holds what verify found', async () => {
    await world.bucket.remove('d.txt');
    await world.run('sync');
    expect((await world.run('restore', 'd.txt')).code).toBe(0);
    expect(readFileSync(join(world.folder, 'd.txt'), 'utf8')).toBe('content of d.txt');
    expect(String(await world.bucket.read('d.txt'))).toBe('content of d.txt');
    expect(world.log().at(-1)).toMatchObject({ type: 'restored', path: 'd.txt', item: { reason: 'deleted' } });

    await world.bucket.write('c.txt', 'content of C.TXT');
    const before = {
      folder: readFileSync(join(world.folder, 'c.txt'), 'utf8'),
      bucket: [...(await world.bucket.list())],
    };
    expect((await world.run('verify')).code).toBe(3);
    expect(world.log().slice(-2)).toMatchObject([
      { type: 'divergence', divergence: { path: 'c.txt', type: 'content' } },
      { type: 'verification', comparedFiles: 4, divergences: 1 },
    ]);
    expect({
      folder: readFileSync(join(world.folder, 'c.txt'), 'utf8'),
      bucket: [...(await world.bucket.list())],
    }).toEqual(before);
  });
});
