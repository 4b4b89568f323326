/** What one layer may know. Every module under `src/` belongs to exactly one layer: the one with the longest matching `path`. */
export interface Layer {
  /** A folder (`core/`) or a single module (`errors.ts`), relative to `src/`. */
  readonly path: string;
  /** Paths of the other layers it may import from; its own is always allowed. */
  readonly imports: readonly string[];
  /** Packages it may import, by name; `@scope/*` stands for a whole scope. */
  readonly packages: readonly string[];
  /** Which of Node's own modules: none, all but the file system, or all. */
  readonly node: 'none' | 'no-fs' | 'all';
  /** It may speak of one product by name, in imports and identifiers. */
  readonly products: boolean;
  /** It may read the clock, draw random numbers and set timers itself, instead of through the ports of `core/runtime.ts`. */
  readonly ambient: boolean;
}

const port = { packages: [], node: 'no-fs', products: false, ambient: false } as const;
const disk = { packages: [], node: 'all', products: false, ambient: true } as const;
const face = { packages: [], node: 'all', products: true, ambient: true } as const;

/** The one table of layers; the test and the lint configuration are both held to it. */
export const layers: readonly Layer[] = [
  { ...port, path: 'errors.ts', imports: [], node: 'none', products: true },
  { ...port, path: 'index.ts', imports: ['errors.ts', 'core/', 's3/'], node: 'none', products: true },
  { ...port, path: 'core/', imports: [], node: 'none' },
  { ...port, path: 'replica/', imports: ['core/', 'errors.ts'] },
  { ...disk, path: 'replica/local/', imports: ['core/', 'errors.ts', 'replica/'], packages: ['ignore'] },
  { ...port, path: 'replica/memory/', imports: ['core/', 'errors.ts', 'replica/'] },
  {
    ...port,
    path: 'replica/s3/',
    imports: ['core/', 'errors.ts', 'replica/'],
    packages: ['mrmime'],
    products: true,
    ambient: true,
  },
  {
    ...port,
    path: 'store/',
    imports: ['core/', 'errors.ts'],
    packages: ['classic-level', 'env-paths', 'snappyjs'],
    node: 'all',
  },
  { ...port, path: 'transfer/', imports: ['core/', 'errors.ts', 'replica/'], node: 'all' },
  {
    ...port,
    path: 'session/',
    imports: ['core/', 'errors.ts', 'replica/', 'replica/local/', 'replica/memory/', 'store/', 'transfer/'],
  },
  {
    ...face,
    path: 's3/',
    // The place where a folder, a bucket and the state between them are put together, so it sees both replicas.
    imports: ['core/', 'errors.ts', 'replica/', 'replica/local/', 'replica/s3/', 'store/', 'session/'],
    packages: ['@aws-sdk/*', '@smithy/*', 'yaml'],
    node: 'no-fs',
  },
  {
    ...face,
    path: 'cli/',
    imports: ['core/', 'errors.ts', 'session/', 's3/'],
    packages: ['commander'],
  },
  {
    ...disk,
    path: 'testing/',
    imports: [
      'core/',
      'errors.ts',
      'replica/',
      'replica/local/',
      'replica/memory/',
      'replica/s3/',
      'store/',
      'testing/s3/',
    ],
    products: true,
  },
  {
    ...disk,
    path: 'testing/s3/',
    imports: ['core/', 'errors.ts', 'testing/', 'replica/', 'replica/s3/'],
    products: true,
  },
];

/** One edge that the table forbids and that stands all the same. */
export interface Exception {
  /** Start of the importing module's path, relative to `src/`. */
  readonly from: string;
  /** Path of the layer that is imported. */
  readonly to: string;
  readonly why: string;
}

/** Every exception there is; the test fails for one that no module needs any more. */
export const exceptions: readonly Exception[] = [
  {
    from: 'cli/demo',
    to: 'testing/s3/',
    why: 'the demo runs against the embedded server, so that it needs no account',
  },
];

/** Modules that are the real clock and the real randomness, and are handed to the engine, or work on the real disk alone. */
export const ambientModules: readonly string[] = ['store/atomic-file.ts', 'store/level-database-home.ts'];

/** Words that name one product; as a whole word of an identifier, in any spelling. */
export const productWords: readonly string[] = [
  's3',
  'aws',
  'amazon',
  'minio',
  'ceph',
  'rgw',
  'r2',
  'cloudflare',
  'wasabi',
  'backblaze',
  'b2',
  'seaweed',
  'seaweedfs',
  'gcs',
  'azure',
  'versity',
  'versitygw',
  'digitalocean',
  'scaleway',
  'ovh',
];

/**
 * How many modules (tests apart) and imports between them the test must have seen at least. A test below holds these to
 * nine tenths of the real numbers: when it asks for it, raise them.
 */
export const minimum = { modules: 410, edges: 1850 };
