import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BaselineRow } from './baseline.js';
import { compareByteOrder } from './byte-order.js';
import type { Entry, FileEntry } from './entry.js';
import { mergeJoin, sortKey } from './merge-join.js';
import { StreamOrderError } from './page-cursor.js';
import type { Triple } from './triple.js';

const file = (path: string): FileEntry => ({
  kind: 'file',
  path,
  sizeBytes: 1,
  fingerprint: `f:${path}`,
  modifiedMs: 1,
  modifiedSource: 'mtime',
});
const row = (path: string): BaselineRow => ({
  path,
  sizeBytes: 1,
  local: 'L',
  remote: 'R',
  digest: undefined,
  recordedAtMs: 1,
});
const symlink = (path: string): Entry => ({ kind: 'symlink', path });
const untracked = (path: string, subtree: boolean): Entry => ({ kind: 'untracked', path, reason: 'filter', subtree });
const problematic = (path: string, subtree: boolean): Entry => ({
  kind: 'problematic',
  path,
  subtree,
  problem: { path, side: 'local', code: 'ERR_FILE_UNREADABLE', message: 'cannot be read', severity: 'error' },
});

async function* pages<T>(items: readonly T[], size = 2): AsyncGenerator<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}

async function join(
  local: readonly Entry[],
  remote: readonly Entry[],
  baseline: readonly BaselineRow[],
  size = 2,
): Promise<Triple[]> {
  const triples: Triple[] = [];
  const streams = { local: pages(local, size), remote: pages(remote, size), baseline: pages(baseline, size) };
  for await (const page of mergeJoin(streams, 3)) triples.push(...page);
  return triples;
}

const show = (t: Triple): string =>
  `${t.path}${t.subtree === true ? '/' : ''}: ${t.local?.kind ?? '-'} ${t.remote?.kind ?? '-'} ${t.baseline === undefined ? '-' : 'row'}`;

describe('mergeJoin', () => {
  it('joins what three streams say about one path', async () => {
    const triples = await join([file('a'), file('c')], [file('b'), file('c')], [row('a'), row('d')]);
    expect(triples.map(show)).toEqual(['a: file - row', 'b: - file -', 'c: file file -', 'd: - - row']);
  });

  it('gives nothing for three empty streams', async () => {
    expect(await join([], [], [])).toEqual([]);
  });

  it('walks in the order of UTF-8 bytes, where an emoji comes after a half-width form', async () => {
    const triples = await join([file('\uFF61'), file('\u{1F600}')], [file('\u{1F600}')], []);
    expect(triples.map((t) => t.path)).toEqual(['\uFF61', '\u{1F600}']);
  });

  it('takes nothing below an unreadable directory for deleted, whatever stands in between', async () => {
    const triples = await join(
      [file('dir!'), problematic('dir', true), file('dirt')],
      [file('dir'), file('dir!'), file('dir-1'), file('dir/a'), file('dir0'), file('dirt')],
      [row('dir/a'), row('dir/b/c')],
    );
    expect(triples.map(show)).toEqual([
      'dir: - file -',
      'dir!: file file -',
      'dir-1: - file -',
      'dir/: problematic - -',
      'dir/a: problematic file row',
      'dir/b/c: problematic - row',
      'dir0: - file -',
      'dirt: file file -',
    ]);
    const inherited = triples[4]?.local;
    expect(inherited).toMatchObject({ kind: 'problematic', path: 'dir/a', problem: { path: 'dir' } });
  });

  it('follows no symbolic link: what lies below it is untracked', async () => {
    const triples = await join(
      [symlink('x'), file('x!'), symlink('x-1')],
      [file('x!'), file('x-1/z'), file('x/y'), file('x0')],
      [row('x/y')],
    );
    expect(triples.map(show)).toEqual([
      'x: symlink - -',
      'x!: file file -',
      'x-1: symlink - -',
      'x-1/z: untracked file -',
      'x/y: untracked file row',
      'x0: - file -',
    ]);
  });

  it('believes an entry more than the directory above it', async () => {
    const triples = await join([untracked('d', true), file('d/kept')], [file('d/kept'), file('d/other')], []);
    expect(triples.map(show)).toEqual(['d/: untracked - -', 'd/kept: file file -', 'd/other: untracked file -']);
  });

  it('takes an ignored file on the disk, but not an ignored object, for what bars the way to anything below', async () => {
    const triples = await join([file('b/y'), untracked('x', false)], [untracked('b', false), file('x/y')], []);
    expect(triples.map(show)).toEqual([
      'b: - untracked -',
      'b/y: file - -',
      'x: untracked - -',
      'x/y: untracked file -',
    ]);
  });

  it('meets the same excluded directory on both sides as one', async () => {
    const triples = await join([untracked('d', true)], [untracked('d', true)], [row('d/a')]);
    expect(triples.map(show)).toEqual(['d/: untracked untracked -', 'd/a: untracked untracked row']);
  });

  it.each([
    ['local', [file('b'), file('a')], [], []],
    ['local', [file('a'), file('a')], [], []],
    ['local', [file('\u{1F600}'), file('\uFF61')], [], []],
    ['local', [untracked('dir', true), file('dir!')], [], []],
    ['remote', [], [file('a'), file('b'), file('c'), file('b')], []],
    ['baseline', [], [], [row('b'), row('a')]],
  ] as const)('throws when the %s stream is out of order', async (name, local, remote, baseline) => {
    for (const size of [1, 2, 10]) {
      const failure = await join(local, remote, baseline, size).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(StreamOrderError);
      expect(failure).toMatchObject({ code: 'ERR_STREAM_ORDER', message: expect.stringContaining(name) });
    }
  });

  it('passes on what a stream throws, and stops the others', async () => {
    let stopped = false;
    async function* breaking(): AsyncGenerator<readonly Entry[]> {
      yield [file('a')];
      throw new Error('the listing was cut short');
    }
    async function* endless(): AsyncGenerator<readonly Entry[]> {
      try {
        for (let i = 0; ; i++) yield [file(`b${String(i).padStart(9, '0')}`)];
      } finally {
        stopped = true;
      }
    }
    const run = async (): Promise<void> => {
      for await (const _ of mergeJoin({ local: endless(), remote: breaking(), baseline: pages<BaselineRow>([]) }, 1))
        void _;
    };
    await expect(run()).rejects.toThrow('the listing was cut short');
    await Promise.resolve();
    expect(stopped).toBe(true);
  });

  it('asks for one page ahead and never for more', async () => {
    let asked = 0;
    async function* counted(): AsyncGenerator<readonly Entry[]> {
      for (let i = 0; i < 50; i++) {
        asked++;
        yield [file(`p${String(i).padStart(3, '0')}`)];
      }
    }
    let given = 0;
    for await (const page of mergeJoin(
      { local: counted(), remote: pages<Entry>([]), baseline: pages<BaselineRow>([]) },
      1,
    )) {
      given += page.length;
      expect(asked).toBeLessThanOrEqual(given + 1);
      expect(asked).toBeGreaterThanOrEqual(Math.min(50, given + 1));
    }
    expect(given).toBe(50);
  });

  it('gives the same as a join that looks at everything at once', async () => {
    const name = fc
      .string({ unit: fc.constantFrom('x', '/', '!', '-', '\uFF61', '\u{1F600}'), minLength: 1, maxLength: 5 })
      .filter((path) => !/^\/|\/\/|\/$/.test(path));
    const make = [
      file,
      symlink,
      (p: string) => untracked(p, true),
      (p: string) => untracked(p, false),
      (p: string) => problematic(p, true),
    ];
    const side = fc
      .uniqueArray(fc.tuple(name, fc.constantFrom(...make)), { selector: ([path]) => path, maxLength: 12 })
      .map((parts) => parts.map(([path, of]) => of(path)).sort((a, b) => compareByteOrder(sortKey(a), sortKey(b))));
    const rows = fc.uniqueArray(name, { maxLength: 12 }).map((paths) => paths.sort(compareByteOrder).map(row));
    await fc.assert(
      fc.asyncProperty(side, side, rows, fc.integer({ min: 1, max: 5 }), async (local, remote, baseline, size) => {
        expect((await join(local, remote, baseline, size)).map(show)).toEqual(
          naiveJoin(local, remote, baseline).map(show),
        );
      }),
      { numRuns: 1500 },
    );
  });
});

function naiveJoin(local: readonly Entry[], remote: readonly Entry[], baseline: readonly BaselineRow[]): Triple[] {
  const keys = new Set([...local.map(sortKey), ...remote.map(sortKey), ...baseline.map((r) => r.path)]);
  const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const at = (entries: readonly Entry[], key: string, side: 'local' | 'remote'): Entry | null => {
    const own = entries.find((entry) => sortKey(entry) === key);
    if (own !== undefined) return own;
    const above = entries.filter(
      (e) =>
        key.startsWith(`${e.path}/`) &&
        e.kind !== 'file' &&
        (e.kind === 'symlink' || side === 'local' || ('subtree' in e && e.subtree)),
    );
    // The nearest one speaks.
    const nearest = above.sort((a, b) => a.path.length - b.path.length).at(-1);
    if (nearest === undefined) return null;
    return nearest.kind === 'problematic'
      ? { ...nearest, path: key }
      : { kind: 'untracked', path: key, reason: 'filter', subtree: false };
  };
  return sorted.map((key) => {
    const subtree = key.endsWith('/');
    const triple = {
      path: subtree ? key.slice(0, -1) : key,
      local: at(local, key, 'local'),
      remote: at(remote, key, 'remote'),
      baseline: baseline.find((r) => r.path === key),
    };
    return subtree ? { ...triple, subtree } : triple;
  });
}

describe('the pages of mergeJoin', () => {
  const sizes = async (count: number, pageSize: number): Promise<number[]> => {
    const found: number[] = [];
    const files = Array.from({ length: count }, (_, n) => file(`p${String(n).padStart(4, '0')}`));
    const none = async function* (): AsyncGenerator<readonly never[]> {};
    for await (const page of mergeJoin({ local: pages(files), remote: none(), baseline: none() }, pageSize))
      found.push(page.length);
    return found;
  };

  it('are full but for the last, and none is empty', async () => {
    expect(await sizes(7, 3)).toEqual([3, 3, 1]);
    expect(await sizes(6, 3)).toEqual([3, 3]);
    expect(await sizes(0, 3)).toEqual([]);
  });

  it('are no longer than a thousand', async () => {
    expect(await sizes(1001, 1000)).toEqual([1000, 1]);
  });

  it.each(['local', 'remote', 'baseline'] as const)(
    'come to an end when the %s stream is out of order, which is named',
    async (name) => {
      const none = async function* (): AsyncGenerator<readonly never[]> {};
      const streams = { local: none(), remote: none(), baseline: none() };
      const wrong = name === 'baseline' ? pages([row('b'), row('a')]) : pages([file('b'), file('a')]);
      const walk = async (): Promise<void> => {
        for await (const _page of mergeJoin({ ...streams, [name]: wrong }));
      };
      await expect(walk()).rejects.toThrow(`The ${name} stream is out of order`);
    },
  );
});
