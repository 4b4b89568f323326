import { describe, expect, it } from 'vitest';
import type { BaselineRow } from './baseline.js';
import type { Decision } from './decision.js';
import { halvesOf, isGoneHalf, isMadeHalf, pairFiled, renameOf, sharedKeys, type Filed } from './rename.js';

const file = (path: string) =>
  ({ kind: 'file', path, sizeBytes: 1, fingerprint: `f ${path}`, modifiedMs: 0, modifiedSource: 'mtime' }) as const;

const row = (path: string): BaselineRow => ({
  path,
  sizeBytes: 1,
  local: `f ${path}`,
  remote: `f ${path}`,
  digest: 'md5:1',
  recordedAtMs: 0,
});

function decision(
  path: string,
  rule: Decision['rule'],
  action: Decision['action'],
  more: Partial<Decision> = {},
): Decision {
  return { path, rule, action, local: null, remote: null, baseline: undefined, ...more };
}

const gone = (path: string): Decision =>
  decision(path, 'R07', 'delete-remote', { remote: file(path), baseline: row(path) });
const made = (path: string): Decision => decision(path, 'R11', 'upload', { local: file(path) });

describe('isGoneHalf and isMadeHalf', () => {
  it.each([
    ['R07: deleted here, as agreed there', gone('x'), 'local', 'gone'],
    ['R11: written here', made('y'), 'local', 'made'],
    [
      'R06: deleted there, as agreed here',
      decision('x', 'R06', 'delete-local', { local: file('x'), baseline: row('x') }),
      'remote',
      'gone',
    ],
    ['R12: written there', decision('y', 'R12', 'download', { remote: file('y') }), 'remote', 'made'],
    [
      'R14: on both sides already, after a rename here was cut off',
      decision('y', 'R14', 'compare', { local: file('y'), remote: file('y') }),
      'local',
      'made',
    ],
    [
      'R14: the same after one there',
      decision('y', 'R14', 'compare', { local: file('y'), remote: file('y') }),
      'remote',
      'made',
    ],
    ['R07 that nothing is known of any more', { ...gone('x'), baseline: undefined }, 'local', undefined],
    ['R07 for a rename there', gone('x'), 'remote', undefined],
    ['R11 for a rename there', made('y'), 'remote', undefined],
    ['R15: a deletion that makes room', { ...gone('x'), rule: 'R15', makesRoom: true }, 'local', undefined],
    [
      'R03: an edit of a known file',
      decision('y', 'R03', 'upload', { local: file('y'), baseline: row('y') }),
      'local',
      undefined,
    ],
    [
      'R08: an edit of a file that was deleted there',
      decision('y', 'R08', 'upload', { local: file('y'), baseline: row('y') }),
      'local',
      undefined,
    ],
    [
      'R09: a deletion that an edit beats',
      decision('x', 'R09', 'download', { remote: file('x'), baseline: row('x') }),
      'remote',
      undefined,
    ],
    [
      'R12 after a download that was cut off',
      decision('y', 'R12', 'download', { remote: file('y'), baseline: { ...row('y'), replacing: true } }),
      'remote',
      undefined,
    ],
    ['R07 under readonly', { ...gone('x'), action: 'hold', hold: 'readonly' }, 'local', undefined],
    ['R11 under readonly', { ...made('y'), action: 'hold', hold: 'readonly' }, 'local', undefined],
  ] as const)('tell %s', (_, candidate: Decision, origin, half) => {
    expect(isGoneHalf(candidate, origin)).toBe(half === 'gone');
    expect(isMadeHalf(candidate, origin)).toBe(half === 'made');
  });
});

describe('of all rules and actions', () => {
  const rules = Array.from({ length: 18 }, (_, i) => `R${String(i + 1).padStart(2, '0')}` as Decision['rule']);
  const actions: readonly Decision['action'][] = [
    'nothing',
    'upload',
    'download',
    'compare',
    'delete-local',
    'delete-remote',
    'set-aside',
    'forget',
    'move-local',
    'move-remote',
    'hold',
  ];

  /** The rules and actions of what is a half, where the path is known or not. */
  function halves(isHalf: typeof isGoneHalf, origin: 'local' | 'remote', isKnown: boolean): string[] {
    const baseline = isKnown ? row('x') : undefined;
    return rules.flatMap((rule) =>
      actions
        .filter((action) => isHalf(decision('x', rule, action, { baseline }), origin))
        .map((action) => `${rule} ${action}`),
    );
  }

  it('only the deletion of a known file is the half that goes', () => {
    expect(halves(isGoneHalf, 'local', true)).toEqual(['R07 delete-remote']);
    expect(halves(isGoneHalf, 'remote', true)).toEqual(['R06 delete-local']);
    expect([...halves(isGoneHalf, 'local', false), ...halves(isGoneHalf, 'remote', false)]).toEqual([]);
  });

  it('only the arrival of an unknown file is the half that comes', () => {
    expect(halves(isMadeHalf, 'local', false)).toEqual(['R11 upload', 'R14 compare']);
    expect(halves(isMadeHalf, 'remote', false)).toEqual(['R12 download', 'R14 compare']);
    expect([...halves(isMadeHalf, 'local', true), ...halves(isMadeHalf, 'remote', true)]).toEqual([]);
  });
});

describe('renameOf', () => {
  it('makes one decision of a rename there, of which halvesOf makes two again', () => {
    const left = decision('x', 'R06', 'delete-local', { local: file('x'), baseline: row('x') });
    const come = decision('y', 'R12', 'download', { remote: file('y') });
    const rename = renameOf(left, come, 'remote');
    expect(rename).toMatchObject({ path: 'y', rule: 'R12', action: 'move-local', from: { path: 'x', rule: 'R06' } });
    expect(halvesOf(rename)).toEqual([come, left]);
  });

  it('makes one decision of two, of which halvesOf makes two again', () => {
    const rename = renameOf(gone('x'), made('y'), 'local');
    expect(rename).toMatchObject({ path: 'y', rule: 'R11', action: 'move-remote', from: { path: 'x', rule: 'R07' } });
    expect(halvesOf(rename)).toEqual([made('y'), gone('x')]);
    expect(halvesOf(made('y'))).toBeUndefined();
  });
});

describe('pairFiled', () => {
  it.each([
    ['nothing with nothing', '', '', ''],
    ['one with one', '1x', '1y', 'x>y'],
    ['by key', '1x 2u', '1y 2v', 'x>y u>v'],
    ['not what has another key', '1x', '2y', 'x> >y'],
    ['copies in the order of their paths', '1a 1b', '1c 1d', 'a>c b>d'],
    ['as many copies as there are on both sides', '1a 1b 1c', '1x', 'a>x b> c>'],
    ['the first of more copies that came', '1a', '1x 1y', 'a>x >y'],
    ['what follows on what is alone', '1a 3c 5e', '2b 3d 4f', 'a> >b c>d >f e>'],
  ])('pairs %s', async (_, goneText, madeText, expected) => {
    const found: string[] = [];
    for await (const pair of pairFiled(filed(goneText, gone), filed(madeText, made)))
      found.push(`${pair.gone?.path ?? ''}>${pair.made?.path ?? ''}`);
    expect(found.join(' ')).toBe(expected);
  });
});

describe('sharedKeys', () => {
  it('gives what has a counterpart, the gone of a key before the made', async () => {
    const found: string[] = [];
    for await (const pair of sharedKeys(filed('1a 2b 2c 4d', gone), filed('2x 3y 4z 4zz', made)))
      found.push(pair.gone === undefined ? `+${pair.made?.path}` : `-${pair.gone.path}`);
    expect(found).toEqual(['-b', '-c', '+x', '-d', '+z', '+zz']);
  });
});

describe.each([
  ['pairFiled', pairFiled],
  ['sharedKeys', sharedKeys],
])('%s', (_, walk) => {
  /** Notes that it was let go of. */
  async function* watched(text: string, make: (path: string) => Decision, name: string, closed: string[]) {
    try {
      yield* filed(text, make);
    } finally {
      closed.push(name);
    }
  }
  const all = async (goneText: string, madeText: string, closed: string[] = [], most = Infinity): Promise<string[]> => {
    const found: string[] = [];
    for await (const pair of walk(watched(goneText, gone, 'gone', closed), watched(madeText, made, 'made', closed))) {
      found.push(`${pair.gone?.path ?? ''}>${pair.made?.path ?? ''}`);
      if (found.length >= most) break;
    }
    return found;
  };

  it('says which file is out of order', async () => {
    await expect(all('2a 1b 3c', '1x 2y 3z')).rejects.toThrow('The gone stream is out of order');
    await expect(all('1a 2b 3c', '2x 1y 3z')).rejects.toThrow('The made stream is out of order');
  });

  it('tells of one half at least', async () => {
    const found = await all('1a 2b 2c', '2x 3y');
    expect(found).not.toEqual([]);
    expect(found).not.toContain('>');
  });

  it('lets go of both files when it is left early', async () => {
    const closed: string[] = [];
    expect(await all('1a 2b 3c 4d 5e', '1v 2w 3x 4y 5z', closed, 1)).toHaveLength(1);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(closed.toSorted()).toEqual(['gone', 'made']);
  });
});

/** `1a 2b`: two pages of one row each, with the keys 1 and 2. */
async function* filed(text: string, make: (path: string) => Decision): AsyncGenerator<readonly Filed[]> {
  for (const each of text.split(' ')) {
    if (each !== '') yield [{ key: each.slice(0, 1), decision: make(each.slice(1)) }];
  }
}
