import { readdirSync } from 'node:fs';

/** Files of one folder whose names end so, in order. */
const inFolder = (folder, ending, isWanted = () => true) =>
  readdirSync(new URL(`../../${folder}/`, import.meta.url))
    .filter((name) => name.endsWith(ending) && isWanted(name))
    .toSorted()
    .map((name) => `${folder}/${name}`);
const isTest = (name) => name.endsWith('.test.ts');
const isOfPaths = (name) => name.startsWith('path.');
/** Walks that join ordered streams: they have a group of their own, because each of their breaks that hangs would hang in all tests. */
const isOfMerge = (name) => /^(?:merge-join|page-cursor)\./.test(name);
/** Tests of random cases, which are asked last. */
const isSlow = (name) => /^(?:byte-order|merge-join|n1)\./.test(name);

const below = (folder, names, ending = '.ts') => names.split(' ').map((name) => `${folder}/${name}${ending}`);

/**
 * What a mutation run breaks, and the tests that are to notice: those that need no server, no real disk and no other process, and
 * are the same at each run. Each group is one run of Stryker.
 */
export const GROUPS = {
  /** The pure part, but for the rules of names and the joining of streams. */
  core: {
    files: inFolder('src/core', '.ts', (name) => !isTest(name) && !isOfPaths(name) && !isOfMerge(name)),
    tests: [
      ...inFolder('src/core', '.test.ts', (name) => !isOfPaths(name) && !isSlow(name)),
      ...inFolder('src/core', '.test.ts', isSlow),
    ],
  },
  /** How ordered streams are joined. */
  merge: {
    files: inFolder('src/core', '.ts', (name) => !isTest(name) && isOfMerge(name)),
    tests: ['page-cursor', 'rename', 'merge-join'].map((name) => `src/core/${name}.test.ts`),
  },
  /** From a key to a path, to a place on the disk, and back. */
  paths: {
    files: [
      'src/core/path.ts',
      ...below('src/replica/s3', 's3-keys url-decode uri'),
      ...below('src/replica/local', 'byte-name folder shared-places'),
    ],
    tests: [
      ...inFolder('src/core', '.test.ts', isOfPaths),
      ...below('src/replica/s3', 's3-keys url-decode uri', '.test.ts'),
      ...below('src/replica/local', 'byte-name folder shared-places', '.test.ts'),
    ],
  },
  /** What a listing says, and when it is not believed. */
  scanner: {
    files: below('src/replica/s3', 'list-scanner xml-text listing-page'),
    tests: below('src/replica/s3', 'xml-text listing-page list-scanner.messages list-scanner', '.test.ts'),
  },
  /** How a listing is cut into lanes and joined again. */
  lanes: {
    files: below('src/replica/s3', 'list-lane list-in-lanes list-hints scan-bucket'),
    tests: below('src/replica/s3', 'list-lane list-in-lanes.steps list-hints scan-bucket list-in-lanes', '.test.ts'),
  },
  /** How content arrives in a file beside its place, and how a later run goes on with it. */
  stage: {
    files: below(
      'src/replica/local',
      'stage-file stage-content content-in-memory fill-new-file staged-file new-files-program fill-stage version-before parts-not-before early-sync open-stage stage-record',
    ),
    tests: below(
      'src/replica/local',
      'stage-record early-sync open-stage new-files-program fill-stage write-with-others stage-file.steps stage-file',
      '.test.ts',
    ),
  },
  /** How a file takes its place in the folder, is moved in it and leaves it. */
  folder: {
    files: below(
      'src/replica/local',
      'write-file write-with-others remove-file move-file put-back standing directory-syncs',
    ),
    tests: below(
      'src/replica/local',
      'directory-syncs standing remove-file move-file put-back write-file write-file.steps write-with-others',
      '.test.ts',
    ),
  },
  /** How an object is written, moved and removed under its condition. */
  bucket: {
    files: below(
      'src/replica/s3',
      'guarded-change write-condition write-object write-parts send-part remove-object move-object',
    ),
    tests: below(
      'src/replica/s3',
      'guarded-change write-condition write-object write-parts send-part remove-object move-object',
      '.test.ts',
    ),
  },
  /** How parts that have not changed are found and copied within the store. */
  delta: {
    files: below('src/replica/s3', 'combined-etag moved-content part-hints stored-parts'),
    tests: below('src/replica/s3', 'moved-content part-hints stored-parts write-parts', '.test.ts'),
  },
  /** How answers come out of their sockets. */
  answers: {
    files: below('src/replica/s3', 'shared-reads flowing-body receive-memory dispatch read-body'),
    tests: below('src/replica/s3', 'shared-reads flowing-body receive-memory dispatch', '.test.ts'),
  },
  /** How a decision is carried out and recorded. */
  transfer: {
    files: below(
      'src/transfer',
      'carry delete download expecting gather-rows move record run-all same-content set-aside settle upload',
    ),
    tests: inFolder('src/transfer', '.test.ts'),
  },
  /** What is remembered, and when it is not believed. */
  memory: {
    files: ['src/session/stamped-store.ts', ...below('src/store', 'sealed-baseline baseline-tally')],
    tests: [
      'src/session/stamped-store.test.ts',
      ...below('src/store', 'sealed-baseline.steps baseline-tally', '.test.ts'),
    ],
  },
};
