import ignore from 'ignore';
import type { Ignore } from 'ignore';
import { RESERVED_NAME, showPath } from '../../core/path.js';
import { UsageError } from '../../errors.js';
import type { PathFilter } from '../replica.js';

/** Name of the file in the folder that holds patterns of paths to leave out. */
export const IGNORE_FILE_NAME = '.filecloudsyncignore';

/** What {@link createPathFilter} is made of. Patterns are those of gitignore; case counts. */
export interface PathFilterOptions {
  /** Only paths that match take part; default: all. An empty list selects nothing. */
  readonly include?: readonly string[];
  /** Paths that match do not take part, whatever `include` says. */
  readonly exclude?: readonly string[];
  /** Text of a `.filecloudsyncignore` file. Its patterns come before those of `exclude`. */
  readonly ignoreFile?: string;
  /** Exact paths: only these take part. An empty list selects nothing. */
  readonly files?: readonly string[];
}

/**
 * Builds the filter of a pair. `.filecloudsync/` never takes part.
 *
 * As in gitignore, a file cannot be brought back (`!`) when a folder above it is left out.
 * Throws `UsageError` `ERR_PATTERN_INVALID` for patterns that are not strings or make no sense.
 */
export function createPathFilter(options: PathFilterOptions = {}): PathFilter {
  const excluded = matcherOf([...lines(options.ignoreFile), ...(options.exclude ?? [])]);
  const included = options.include === undefined ? undefined : matcherOf(options.include);
  const { files } = options;
  const exact = files === undefined ? undefined : new Set(files);
  const parents = files === undefined ? undefined : parentsOf(files);
  return {
    includesFile(path) {
      if (isReserved(path) || (exact !== undefined && !exact.has(path))) return false;
      return !excluded(path) && (included === undefined || included(path));
    },
    mayContain(directoryPath) {
      if (isReserved(directoryPath) || (parents !== undefined && !parents.has(directoryPath))) return false;
      return !excluded(`${directoryPath}/`);
    },
  };
}

const DOT = 0x2e;
const RESERVED_FOLDER = `${RESERVED_NAME}/`;

function isReserved(path: string): boolean {
  return path.charCodeAt(0) === DOT && (path === RESERVED_NAME || path.startsWith(RESERVED_FOLDER));
}

function lines(text: string | undefined): string[] {
  return text === undefined ? [] : text.replace(/^\uFEFF/, '').split(/\r?\n/);
}

/** The library remembers each path it was asked about; it is made anew before that grows large. */
const REMEMBERED_PATHS = 20_000;

function matcherOf(patterns: readonly string[]): (path: string) => boolean {
  const useful = patterns.filter((pattern) => {
    if (typeof pattern !== 'string') {
      throw new UsageError(
        'ERR_PATTERN_INVALID',
        `A pattern has to be a string, but ${typeof pattern} was given. Write it as in a .gitignore file.`,
      );
    }
    return pattern.trim() !== '' && !pattern.startsWith('#');
  });
  if (useful.length === 0) return () => false;
  const make = (): Ignore => ignore({ ignorecase: false, allowRelativePaths: true }).add([...useful]);
  let matcher = make();
  let asked = 0;
  try {
    matcher.ignores('a');
  } catch (error) {
    throw new UsageError(
      'ERR_PATTERN_INVALID',
      `The patterns ${showPath(useful.join(' '))} cannot be used. Write them as in a .gitignore file.`,
      { cause: error },
    );
  }
  return (path) => {
    if (++asked > REMEMBERED_PATHS) {
      matcher = make();
      asked = 0;
    }
    return matcher.ignores(path);
  };
}

function parentsOf(files: readonly string[]): ReadonlySet<string> {
  const parents = new Set<string>();
  for (const path of files) {
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) parents.add(path.slice(0, at));
  }
  return parents;
}
