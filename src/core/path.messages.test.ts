import { describe, expect, it } from 'vitest';
import { conflictName, problemOfPath, showPath, type NameRules } from './path.js';

const WHAT_TO_DO = ' It is left alone; rename it where it stands to have it synchronised.';

describe('the message of problemOfPath', () => {
  it.each<[string, NameRules, string]>([
    ['', 'linux', '"" is empty.'],
    ['/a', 'linux', '"/a" begins with a slash.'],
    ['a//b', 'linux', '"a//b" has two slashes in a row.'],
    ['a/', 'linux', '"a/" ends in a slash, as folder markers of some programs do.'],
    ['a/../b', 'linux', '"a/../b" has a segment "." or "..".'],
    ['a\0b', 'linux', '"a\\u{0}b" contains a NUL character.'],
    ['a\uD800b', 'linux', '"a\\u{d800}b" is not valid Unicode (half of a pair).'],
    ['.filecloudsync/x', 'linux', '".filecloudsync/x" lies in ".filecloudsync", which belongs to this program.'],
    ['a\tb', 'win32', '"a\\u{9}b" contains a control character.'],
    ['a:b', 'win32', '"a:b" contains :, which Windows does not allow.'],
    ['a./b', 'win32', '"a./b" has a name that ends in a dot or a space, which Windows drops.'],
    ['x/con.txt', 'win32', '"x/con.txt" has the name "con.txt", which means a device on Windows.'],
  ])('tells of %j (%s) what is wrong and what to do', (path, rules, message) => {
    expect(problemOfPath(path, rules)?.message).toBe(message + WHAT_TO_DO);
  });

  it('counts the bytes of a key that is too long, and says how many there may be', () => {
    expect(problemOfPath('é'.repeat(6), 'linux', 11)?.message).toBe(
      `"éééééé" has 12 bytes where the bucket takes 11.${WHAT_TO_DO}`,
    );
    expect(problemOfPath('é'.repeat(6), 'linux', 12)).toBeUndefined();
  });

  it('counts a name in the units of the disk', () => {
    const name = 'é'.repeat(200);
    const shown = showPath(name);
    expect(problemOfPath(`a/${name}`, 'linux')?.message).toBe(
      `${showPath(`a/${name}`)} has the name ${shown} of 400 bytes where the disk takes 255.${WHAT_TO_DO}`,
    );
    for (const rules of ['darwin', 'win32'] as const) {
      expect(problemOfPath(`a/${name}`, rules)).toBeUndefined();
      const long = 'é'.repeat(256);
      expect(problemOfPath(long, rules)?.message).toBe(
        `${showPath(long)} has the name ${showPath(long)} of 256 characters where the disk takes 255.${WHAT_TO_DO}`,
      );
      expect(problemOfPath('é'.repeat(255), rules)).toBeUndefined();
    }
  });
});

describe('problemOfPath on Windows', () => {
  it.each(['xfilecl~1', 'filecl~1x', 'fi1a2b~12', 'fi1g2b~1'])(
    'knows what %s is, or is not, a short name of',
    (name) => {
      const isOurs = name === 'fi1a2b~12';
      expect(problemOfPath(`${name}/x`, 'win32')?.code).toBe(isOurs ? 'ERR_KEY_RESERVED' : undefined);
    },
  );

  it.each(['.filecloudsync. .', '.filecloudsync...'])(
    'finds its own folder behind %j, whose end Windows drops',
    (name) => {
      expect(problemOfPath(`${name}/x`, 'win32')?.code).toBe('ERR_KEY_RESERVED');
      expect(problemOfPath(`x${name}`, 'darwin')).toBeUndefined();
    },
  );

  it('finds its own folder in letters of which only the large form is the same', () => {
    // The long s and the dotless i have no small form of their own in ASCII, but a large one.
    expect(problemOfPath('.filecloud\u017Fync', 'win32')?.code).toBe('ERR_KEY_RESERVED');
    expect(problemOfPath('.f\u0131lecloudsync', 'win32')?.code).toBe('ERR_KEY_RESERVED');
  });

  it('takes a device name for one only when the whole stem is', () => {
    expect(problemOfPath('falcon', 'win32')).toBeUndefined();
    expect(problemOfPath('my.con', 'win32')).toBeUndefined();
    expect(problemOfPath('con.my', 'win32')?.code).toBe('ERR_NAME_DEVICE');
  });
});

describe('showPath', () => {
  it('shows an ordinary path in quotes', () => {
    expect(showPath('a/é \u{1F600}.txt')).toBe('"a/é \u{1F600}.txt"');
  });

  it('shows quotes and backslashes so that the end can be told', () => {
    expect(showPath('a"b\\c')).toBe('"a\\"b\\\\c"');
  });

  it('shows no character that a terminal acts on, or that turns the line around', () => {
    expect(showPath('\u001b[31m\n\u202E\u2028\u2029\u00AD\u{E0001}')).toBe(
      '"\\u{1b}[31m\\u{a}\\u{202e}\\u{2028}\\u{2029}\\u{ad}\\u{e0001}"',
    );
  });

  it('shows a path of up to 120 characters whole, and of a longer one the beginning and the end', () => {
    const path = `${'a'.repeat(80)}${'b'.repeat(10)}${'c'.repeat(30)}`;
    expect(showPath(path)).toBe(`"${path}"`);
    expect(showPath(`${'a'.repeat(80)}${'b'.repeat(11)}${'c'.repeat(30)}`)).toBe(
      `"${'a'.repeat(80)}…${'c'.repeat(30)}"`,
    );
  });
});

describe('conflictName', () => {
  const options = { machine: 'laptop', timeMs: Date.UTC(2026, 10, 22), id: 'x7f3', rules: 'linux' } as const;

  it('falls back to a short mark, then to the folder above, where a prefix leaves hardly any room', () => {
    const path = `${'d'.repeat(20)}/${'f'.repeat(20)}.txt`;
    const named = (maxKeyBytes: number): string => conflictName(path, { ...options, maxKeyBytes });
    expect(named(48)).toBe('ffffffffff (conflict 2026-11-22 laptop x7f3).txt');
    // The extension goes before the last letter of the name does.
    expect(named(39)).toBe('f (conflict 2026-11-22 laptop x7f3).txt');
    expect(named(38)).toBe('ffff (conflict 2026-11-22 laptop x7f3)');
    expect(named(26)).toBe('fffffffffffffffff~x7f3.txt');
    expect(named(5)).toBe('~x7f3');
  });

  it('names a day that nobody knows undated, and a machine without a harmless letter unknown', () => {
    expect(conflictName('a.txt', { ...options, timeMs: Number.NaN, machine: '../..' })).toBe(
      'a (conflict undated unknown x7f3).txt',
    );
  });

  it('makes one dash of any run of characters that are not harmless', () => {
    expect(conflictName('a', { ...options, machine: '-- my "own" / host --' })).toBe(
      'a (conflict 2026-11-22 my-own-host x7f3)',
    );
  });

  it('takes an extension for one only at the end, without a space, and never at the beginning', () => {
    const named = (path: string): string =>
      conflictName(path, options).replace(' (conflict 2026-11-22 laptop x7f3)', '|');
    expect(named('a.tar.gz')).toBe('a|.tar.gz');
    expect(named('.profile')).toBe('.profile|');
    expect(named('a. b')).toBe('a. b|');
    expect(named('line\nbreak.txt')).toBe('line\nbreak|.txt');
    expect(named('dir.d/noext')).toBe('dir.d/noext|');
    expect(named(`a.${'e'.repeat(17)}`)).toBe(`a.${'e'.repeat(17)}|`);
    expect(named(`a.${'e'.repeat(16)}`)).toBe(`a|.${'e'.repeat(16)}`);
  });
});
