import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareDemoPlace, readTree } from '../../src/cli/demo/demo-place.js';
import { startDemoWorld } from '../../src/cli/demo/start-demo-world.js';
import { sideBySide } from '../../src/cli/demo/side-by-side.js';
import { systemRuntime } from '../../src/s3/system-runtime.js';
import { cycle, run, temporaryFolder } from './harness.js';

const { clock } = systemRuntime;
const world = (options: { readonly directory: string; readonly port: number }): ReturnType<typeof startDemoWorld> =>
  startDemoWorld({ ...options, clock });

describe('the bucket as the demo sees it', () => {
  it('keeps what is written, over a restart of the server', async () => {
    const directory = temporaryFolder();
    const first = await world({ directory, port: 0 });
    await first.bucket.create();
    await first.bucket.create();
    await first.bucket.write("a b/ü(1)&<'*.txt", 'hello');
    await first.bucket.write('.filecloudsync/probe', 'not shown');
    await first.bucket.write('gone', 'x');
    await first.bucket.remove('gone');
    await first.stop();
    const second = await world({ directory, port: 0 });
    expect(await second.bucket.list()).toEqual(new Map([["a b/ü(1)&<'*.txt", 5]]));
    expect(String(await second.bucket.read("a b/ü(1)&<'*.txt"))).toBe('hello');
    expect(await second.bucket.read('gone')).toBeUndefined();
    await second.stop();
  });
});

describe('the place of the demo', () => {
  it('is never a folder of somebody else', async () => {
    const root = temporaryFolder();
    writeFileSync(join(root, 'mine.txt'), 'mine');
    const ran = await run(['demo', '--dir', root]);
    expect([ran.code, ran.stderr.includes('is no demo')]).toEqual([2, true]);
    expect([...(await readTree(root)).keys()]).toEqual(['mine.txt']);
  });

  it('holds a copy of a named folder, and never a copy of itself', async () => {
    const source = temporaryFolder();
    mkdirSync(join(source, '.filecloudsync'));
    writeFileSync(join(source, '.filecloudsync', 'x'), '');
    writeFileSync(join(source, 'a.txt'), 'a');
    const place = await prepareDemoPlace(join(temporaryFolder(), 'demo'), source);
    expect([...(await readTree(place.folder)).keys()]).toEqual(['a.txt']);
    await expect(prepareDemoPlace(join(source, 'demo'), source)).rejects.toThrow(
      'would lie in the folder that it copies',
    );
    await expect(prepareDemoPlace(join(temporaryFolder(), 'demo'), join(source, 'none'))).rejects.toThrow(
      'does not exist',
    );
  });

  it('keeps what an earlier demo left', async () => {
    const root = join(temporaryFolder(), 'demo');
    const place = await prepareDemoPlace(root, undefined);
    writeFileSync(join(place.folder, 'readme.txt'), 'edited');
    await prepareDemoPlace(root, undefined);
    expect(readFileSync(join(place.folder, 'readme.txt'), 'utf8')).toBe('edited');
  });
});

describe('demo', () => {
  it('ends with 1 when what it claims is not so', async () => {
    const cwd = temporaryFolder();
    // A pair that says it has done its work, and has not.
    const ran = await run(['demo', '--port', '0', '--json'], {
      cwd,
      overrides: { startDemoWorld: world },
      pair: { sync: async () => cycle() },
    });
    expect(ran.code).toBe(1);
    expect(ran.lines.at(-1)).toMatchObject({ type: 'step', name: 'upload', ok: false });
    expect(ran.opened[0]?.options.stateDir).toBe(join(cwd, 'filecloudsync-demo', 'state'));
  });

  it('takes any free port when its usual one is taken', async () => {
    const ports: number[] = [];
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const options = {
      overrides: {
        startDemoWorld: (given: { readonly directory: string; readonly port: number }) => {
          ports.push(given.port);
          return world({ ...given, port: given.port === 9000 ? port : given.port });
        },
      },
      pair: { sync: async () => cycle() },
    };
    await run(['demo'], options);
    expect(ports).toEqual([9000, 0]);
    // A port that was asked for is not changed.
    const asked = await run(['demo', '--port', String(port)], options);
    expect([asked.code, asked.stderr.includes('ERR_S3_SERVER_PORT')]).toEqual([2, true]);
    taken.close();
  });
});

describe('sideBySide', () => {
  it('puts the same paths beside each other', () => {
    const left = {
      title: 'folder/',
      files: new Map([
        ['a', 1],
        ['b\u001B', 2048],
      ]),
    };
    const right = {
      title: 's3://demo/',
      files: new Map([
        ['a', 1],
        ['c', 3],
      ]),
    };
    expect(sideBySide(left, right)).toBe(
      [
        '  folder/            |  s3://demo/',
        '       1 B  a        |       1 B  a',
        '   2.0 KiB  b\\u{1b}  |  -',
        '  -                  |       3 B  c',
      ].join('\n'),
    );
  });
});
