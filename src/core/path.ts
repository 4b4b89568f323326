import { utf8Length } from './utf8-length.js';

/** Whose rules for names hold: those of the disk on which the folder lies. */
export type NameRules = 'linux' | 'darwin' | 'win32';

/** Why a path cannot be used. */
export interface PathProblem {
  /** `ERR_KEY_…`: no disk or store takes it; `ERR_NAME_…`: this disk does not. */
  readonly code: string;
  readonly message: string;
}

/** The longest key that S3 takes, in bytes of UTF-8 (Amazon S3 User Guide, "Naming Amazon S3 objects"). */
export const MAX_KEY_BYTES = 1024;

/** The longest name of one segment: bytes on Linux (NAME_MAX), UTF-16 units on macOS and Windows. */
export const MAX_NAME_LENGTH = 255;

/** The folder inside the synchronised folder that belongs to this program, and the same first segment of a key. */
export const RESERVED_NAME = '.filecloudsync';

/**
 * Tells why a relative path cannot stand on such a disk or be a key; `undefined` when it can.
 *
 * @param path - segments separated by `/`.
 * @param rules - rules of the disk.
 * @param maxKeyBytes - what is left for the path when the bucket's prefix has taken its share of 1024 bytes.
 * @returns a stable code of its own for each reason, and a message to show. Cost: about 0.3 µs for an ordinary path.
 */
export function problemOfPath(path: string, rules: NameRules, maxKeyBytes = MAX_KEY_BYTES): PathProblem | undefined {
  return problemOfKey(path, maxKeyBytes) ?? problemOfReserved(path, rules) ?? problemOfNames(path, rules);
}

/** Shows a hostile path in a message: quoted, control characters escaped, not longer than a line. */
export function showPath(path: string): string {
  const shown = path.length > 120 ? `${path.slice(0, 80)}…${path.slice(-30)}` : path;
  const escaped = shown.replaceAll(/[\\"\p{C}\p{Zl}\p{Zp}]/gu, (c) =>
    c === '\\' || c === '"' ? `\\${c}` : `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return `"${escaped}"`;
}

/** What is wrong on every disk. */
function problemOfKey(path: string, maxKeyBytes: number): PathProblem | undefined {
  if (path === '') return problem('ERR_KEY_EMPTY', path, 'is empty');
  if (path.startsWith('/')) return problem('ERR_KEY_LEADING_SLASH', path, 'begins with a slash');
  if (path.includes('//')) return problem('ERR_KEY_EMPTY_SEGMENT', path, 'has two slashes in a row');
  if (path.endsWith('/')) {
    return problem('ERR_KEY_DIRECTORY_MARKER', path, 'ends in a slash, as folder markers of some programs do');
  }
  if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(path)) return problem('ERR_KEY_DOT_SEGMENT', path, 'has a segment "." or ".."');
  if (path.includes('\0')) return problem('ERR_KEY_NUL', path, 'contains a NUL character');
  if (!path.isWellFormed()) return problem('ERR_KEY_NOT_UNICODE', path, 'is not valid Unicode (half of a pair)');
  if (path.length * 3 > maxKeyBytes) {
    const bytes = utf8Length(path);
    if (bytes > maxKeyBytes) {
      return problem('ERR_KEY_TOO_LONG', path, `has ${bytes} bytes where the bucket takes ${maxKeyBytes}`);
    }
  }
  return undefined;
}

function problemOfReserved(path: string, rules: NameRules): PathProblem | undefined {
  const slash = path.indexOf('/');
  const first = slash === -1 ? path : path.slice(0, slash);
  if (!isReserved(first, rules)) return undefined;
  return problem('ERR_KEY_RESERVED', path, `lies in "${RESERVED_NAME}", which belongs to this program`);
}

function isReserved(first: string, rules: NameRules): boolean {
  if (first === RESERVED_NAME) return true;
  if (rules === 'linux') return false;
  if (foldName(first) === RESERVED_NAME) return true;
  // Windows reaches the same folder by its short name as well (and by a hash of it after four collisions).
  return rules === 'win32' && /^fi(?:lecl|[0-9a-f]{4})~\d+$/i.test(first);
}

/** What a disk that ignores case, form and invisible characters may take for the same name. Folds rather too much. */
function foldName(name: string): string {
  const visible = name.replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '');
  // Trailing dots and spaces are dropped by Windows.
  return visible
    .normalize('NFKD')
    .toUpperCase()
    .toLowerCase()
    .replace(/[. ]+$/, '');
}

function problemOfNames(path: string, rules: NameRules): PathProblem | undefined {
  // Three bytes a unit at most: shorter paths cannot hold a long name.
  if (rules !== 'win32' && path.length * 3 <= MAX_NAME_LENGTH) return undefined;
  for (const name of path.split('/')) {
    const length = nameLength(name, rules);
    if (length > MAX_NAME_LENGTH) {
      const unit = rules === 'linux' ? 'bytes' : 'characters';
      const what = `has the name ${showPath(name)} of ${length} ${unit} where the disk takes ${MAX_NAME_LENGTH}`;
      return problem('ERR_NAME_TOO_LONG', path, what);
    }
    const found = rules === 'win32' ? problemOfWindowsName(name, path) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function nameLength(name: string, rules: NameRules): number {
  return rules === 'linux' ? utf8Length(name) : name.length;
}

/** Microsoft Learn, "Naming Files, Paths, and Namespaces". */
function problemOfWindowsName(name: string, path: string): PathProblem | undefined {
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001F]/.test(name)) return problem('ERR_NAME_CONTROL', path, 'contains a control character');
  const bad = /[<>:"|?*\\]/.exec(name);
  if (bad !== null) return problem('ERR_NAME_CHARACTER', path, `contains ${bad[0]}, which Windows does not allow`);
  if (/[. ]$/.test(name)) {
    return problem('ERR_NAME_TRAILING', path, 'has a name that ends in a dot or a space, which Windows drops');
  }
  if (/^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00B9\u00B2\u00B3]) *(?:\.|$)/i.test(name)) {
    return problem('ERR_NAME_DEVICE', path, `has the name ${showPath(name)}, which means a device on Windows`);
  }
  return undefined;
}

function problem(code: string, path: string, what: string): PathProblem {
  return {
    code,
    message: `${showPath(path)} ${what}. It is left alone; rename it where it stands to have it synchronised.`,
  };
}

/** What a conflict name is made of; the same inputs give the same name. */
export interface ConflictNameOptions {
  /** The machine whose version gets the name; whatever cannot stand in a file name is replaced. */
  readonly machine: string;
  /** When the conflict was met, in milliseconds since 1970; the day in UTC is shown. */
  readonly timeMs: number;
  /** Random characters, so that two machines never choose the same name. */
  readonly id: string;
  /** The name is legal under any rules; given so that a caller says which disk it is for. */
  readonly rules: NameRules;
  /** As in {@link problemOfPath}. */
  readonly maxKeyBytes?: number;
}

/**
 * Gives the name under which the losing version of a conflict is kept: `photo (conflict 2026-11-22 laptop x7f3).jpg`.
 *
 * The name is legal wherever `path` is: the stem is shortened by whole code points; where even a bare mark has no room
 * in its folder, the copy goes to the nearest folder above.
 */
export function conflictName(path: string, options: ConflictNameOptions): string {
  const id = token(options.id, 16);
  const mark = ` (conflict ${day(options.timeMs)} ${token(options.machine, 32)} ${id})`;
  const maxKeyBytes = options.maxKeyBytes ?? MAX_KEY_BYTES;
  // The short mark is for a bucket prefix that leaves hardly anything of a key.
  return placeMark(path, mark, maxKeyBytes) ?? placeMark(path, `~${id}`, maxKeyBytes) ?? `~${id}`;
}

function placeMark(path: string, mark: string, maxKeyBytes: number): string | undefined {
  const slash = path.lastIndexOf('/');
  const [stem, extension] = splitExtension(path.slice(slash + 1));
  let folder = path.slice(0, slash + 1);
  for (;;) {
    const room = Math.min(MAX_NAME_LENGTH, maxKeyBytes - utf8Length(folder)) - utf8Length(mark);
    const tail = utf8Length(extension) < room ? extension : '';
    const head = shorten(stem, room - utf8Length(tail));
    if (head !== '') return `${folder}${head}${mark}${tail}`;
    if (folder === '') return undefined;
    folder = folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1);
  }
}

function day(timeMs: number): string {
  const time = new Date(timeMs);
  return Number.isNaN(time.getTime()) ? 'undated' : time.toISOString().slice(0, 10);
}

/** Letters, digits, dots, dashes and underlines only: harmless on every disk, in every shell and in every listing. */
function token(text: string, maxBytes: number): string {
  const harmless = text.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-').replaceAll(/^[.-]+|[.-]+$/g, '');
  return harmless === '' ? 'unknown' : shorten(harmless, maxBytes);
}

/** `['archive', '.tar.gz']`; a leading dot begins no extension. */
function splitExtension(name: string): readonly [stem: string, extension: string] {
  const match = /^(.+?)((?:\.tar)?\.[^. ]{1,16})$/su.exec(name);
  return match === null ? [name, ''] : [match[1] ?? name, match[2] ?? ''];
}

function shorten(text: string, maxBytes: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += utf8Length(character);
    if (bytes > maxBytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}
