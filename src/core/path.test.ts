import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conflictName, type NameRules, problemOfPath, RESERVED_NAME, showPath } from './path.js';
import { utf8Length } from './utf8-length.js';

const ALL: readonly NameRules[] = ['linux', 'darwin', 'win32'];
const NONE: readonly NameRules[] = [];
const long = (character: string, count: number): string => character.repeat(count);

describe('problemOfPath', () => {
  const rows: readonly (readonly [path: string, code: string, refusedBy: readonly NameRules[]])[] = [
    ['', 'ERR_KEY_EMPTY', ALL],
    ['/a', 'ERR_KEY_LEADING_SLASH', ALL],
    ['/', 'ERR_KEY_LEADING_SLASH', ALL],
    ['//a', 'ERR_KEY_LEADING_SLASH', ALL],
    ['a//b', 'ERR_KEY_EMPTY_SEGMENT', ALL],
    ['a//', 'ERR_KEY_EMPTY_SEGMENT', ALL],
    ['a/', 'ERR_KEY_DIRECTORY_MARKER', ALL],
    ['.', 'ERR_KEY_DOT_SEGMENT', ALL],
    ['..', 'ERR_KEY_DOT_SEGMENT', ALL],
    ['a/../b', 'ERR_KEY_DOT_SEGMENT', ALL],
    ['../../etc/passwd', 'ERR_KEY_DOT_SEGMENT', ALL],
    ['a/.', 'ERR_KEY_DOT_SEGMENT', ALL],
    ['./a', 'ERR_KEY_DOT_SEGMENT', ALL],
    ['a\0b', 'ERR_KEY_NUL', ALL],
    ['a\uD800b', 'ERR_KEY_NOT_UNICODE', ALL],
    ['\uDC00', 'ERR_KEY_NOT_UNICODE', ALL],
    [`${`${long('a', 127)}/`.repeat(8)}b`, 'ERR_KEY_TOO_LONG', ALL],
    ['.filecloudsync', 'ERR_KEY_RESERVED', ALL],
    ['.filecloudsync/tmp/x', 'ERR_KEY_RESERVED', ALL],
    ['.FileCloudSync/tmp/x', 'ERR_KEY_RESERVED', ['darwin', 'win32']],
    ['.filecloud\u017Fync/x', 'ERR_KEY_RESERVED', ['darwin', 'win32']],
    ['.file\u200Ccloudsync/x', 'ERR_KEY_RESERVED', ['darwin', 'win32']],
    ['.\uFB01lecloudsync/x', 'ERR_KEY_RESERVED', ['darwin', 'win32']],
    ['FILECL~1/tmp', 'ERR_KEY_RESERVED', ['win32']],
    ['fi1a2b~1/tmp', 'ERR_KEY_RESERVED', ['win32']],
    [long('a', 256), 'ERR_NAME_TOO_LONG', ALL],
    [`x/${long('é', 128)}`, 'ERR_NAME_TOO_LONG', ['linux']],
    [long('\u{1F600}', 64), 'ERR_NAME_TOO_LONG', ['linux']],
    [long('\u{1F600}', 128), 'ERR_NAME_TOO_LONG', ALL],
    ['a\u0001b', 'ERR_NAME_CONTROL', ['win32']],
    ['tab\there', 'ERR_NAME_CONTROL', ['win32']],
    ...[...'<>:"|?*\\'].map((c) => [`a${c}b`, 'ERR_NAME_CHARACTER', ['win32']] as const),
    ['C:/x', 'ERR_NAME_CHARACTER', ['win32']],
    ['file.txt:stream', 'ERR_NAME_CHARACTER', ['win32']],
    ['dot.', 'ERR_NAME_TRAILING', ['win32']],
    ['space /x', 'ERR_NAME_TRAILING', ['win32']],
    ['...', 'ERR_NAME_TRAILING', ['win32']],
    ['con', 'ERR_NAME_DEVICE', ['win32']],
    ['a/NUL/b', 'ERR_NAME_DEVICE', ['win32']],
    ['Aux.txt', 'ERR_NAME_DEVICE', ['win32']],
    ['com1.tar.gz', 'ERR_NAME_DEVICE', ['win32']],
    ['LPT\u00B2', 'ERR_NAME_DEVICE', ['win32']],
    ['con .txt', 'ERR_NAME_DEVICE', ['win32']],
    ['CONOUT$', 'ERR_NAME_DEVICE', ['win32']],
    ['console', '', NONE],
    ['com10', '', NONE],
    ['..a', '', NONE],
    ['a/..b/c', '', NONE],
    ['.filecloudsync.txt', '', NONE],
    ['.filecloudsyncignore', '', NONE],
    ['a/.filecloudsync/x', '', NONE],
    [long('a', 255), '', NONE],
    ['\u{1F600}/\uFF61', '', NONE],
    ['-rf', '', NONE],
    ['a b/c#d%2Fe&f+g', '', NONE],
  ];

  for (const [path, code, refusedBy] of rows) {
    const by = refusedBy.length === 0 ? 'no disk' : refusedBy.join(', ');
    it(`refuses ${showPath(path)} by ${by} ${code}`, () => {
      for (const rules of ALL) {
        expect(problemOfPath(path, rules)?.code, rules).toBe(refusedBy.includes(rules) ? code : undefined);
      }
    });
  }

  it('says what is wrong in words that are safe to print', () => {
    const found = problemOfPath('a\u001B[2J\u202E\0', 'linux');
    expect(found?.message).toMatch(/^"a\\u\{1b\}\[2J\\u\{202e\}\\u\{0\}" contains a NUL/);
  });

  it('leaves room for the prefix of the bucket', () => {
    expect(problemOfPath(long('a', 100), 'linux', 99)?.code).toBe('ERR_KEY_TOO_LONG');
    expect(problemOfPath(long('a', 100), 'linux', 100)).toBeUndefined();
  });

  it('counts bytes as UTF-8 does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
      }),
    );
    for (const half of ['\uD800', '\uDC00', '\uD800\uD800\uDC00', 'a\uDC00\uD800b']) {
      expect(utf8Length(half)).toBe(new TextEncoder().encode(half).length);
    }
  });
});

describe('conflictName', () => {
  const options = { machine: 'laptop', timeMs: Date.UTC(2026, 10, 22), id: 'x7f3', rules: 'linux' } as const;

  it.each([
    ['photo.jpg', 'photo (conflict 2026-11-22 laptop x7f3).jpg'],
    ['a/b/archive.tar.gz', 'a/b/archive (conflict 2026-11-22 laptop x7f3).tar.gz'],
    ['Makefile', 'Makefile (conflict 2026-11-22 laptop x7f3)'],
    ['.bashrc', '.bashrc (conflict 2026-11-22 laptop x7f3)'],
    ['v1.2 final draft', 'v1.2 final draft (conflict 2026-11-22 laptop x7f3)'],
  ])('names the copy of %s', (path, name) => {
    expect(conflictName(path, options)).toBe(name);
  });

  it('takes nothing from a hostile machine name but letters, digits and dashes', () => {
    const name = conflictName('a.txt', { ...options, machine: '../../\0etc\\pass:wd\u202E\uD800.' });
    expect(name).toBe('a (conflict 2026-11-22 etc-pass-wd x7f3).txt');
    expect(conflictName('a', { ...options, machine: '///' })).toContain(' unknown ');
  });

  it('never cuts a character in half', () => {
    const name = conflictName(`${long('\u{1F600}', 60)}.jpeg`, options);
    expect(name.endsWith(' (conflict 2026-11-22 laptop x7f3).jpeg')).toBe(true);
    expect(utf8Length(name)).toBeGreaterThan(251);
    expect(problemOfPath(name, 'linux')).toBeUndefined();
  });

  it('goes to the folder above when its own has no room left', () => {
    const folder = `${long('a', 250)}/`.repeat(4);
    expect(conflictName(`${folder}deep/x`, options)).toMatch(/^(a{250}\/){3}x \(conflict [^/]*$/);
  });

  it('makes do with a short mark when the prefix of the bucket leaves hardly anything', () => {
    expect(conflictName('dir/photo.jpg', { ...options, maxKeyBytes: 20 })).toBe('dir/photo~x7f3.jpg');
    expect(conflictName('dir/photo.jpg', { ...options, maxKeyBytes: 8 })).toBe('pho~x7f3');
  });

  it('is legal wherever the path is, is another path, and depends on nothing but its inputs', () => {
    const part = fc.oneof(
      fc.constantFrom('con', 'nul.txt', '.', '..', RESERVED_NAME, ' ', '.', 'a', '.tar.gz', '\u{1F600}', '\uFF61', 'ﬁ'),
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: 'grapheme', maxLength: 100 }),
      fc.string({ maxLength: 255, minLength: 200 }),
    );
    const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
    let legal = 0;
    fc.assert(
      fc.property(
        path,
        fc.string({ unit: 'binary' }),
        fc.integer(),
        fc.constantFrom(...ALL),
        (from, machine, timeMs, rules) => {
          if (problemOfPath(from, rules) !== undefined) return;
          legal++;
          const inputs = { machine, timeMs, id: 'x7f3', rules };
          const name = conflictName(from, inputs);
          expect(problemOfPath(name, rules)).toBeUndefined();
          expect(name).not.toBe(from);
          expect(conflictName(from, inputs)).toBe(name);
        },
      ),
      { numRuns: 3000 },
    );
    expect(legal).toBeGreaterThan(300);
  });
});
