/** What a dialect does with a conditional header on one operation. */
export type ConditionSupport = 'honoured' | 'ignored' | 'not-implemented' | 'invalid';

/** How one operation treats `If-None-Match` and `If-Match`. */
export interface ConditionRules {
  readonly ifNoneMatch: ConditionSupport;
  readonly ifMatch: ConditionSupport;
  /** Status when `If-None-Match: *` finds something. */
  readonly existsStatus: 304 | 404 | 409 | 412;
  /** Status when `If-Match` names another ETag than the current one. */
  readonly mismatchStatus: 304 | 404 | 409 | 412;
  /** Status when `If-Match` finds nothing; `200`: the write is carried out. */
  readonly missingStatus: 200 | 304 | 404 | 409 | 412;
}

/** How a service answers LIST. */
export interface ListingRules {
  readonly order: 'utf8' | 'utf16' | 'unsorted';
  /** `encoding-type=url` is understood; otherwise it is ignored. */
  readonly encodingType: boolean;
  /** What a truncated page offers to go on with: a token, none, or for ever the same one. */
  readonly token: 'moves' | 'absent' | 'repeats';
  /** The prefix selects; otherwise it is ignored and foreign keys appear. */
  readonly prefix: boolean;
  readonly startAfter: boolean;
  /** Entries of a page at most. */
  readonly pageSize: number;
  /** `list-type=2` is understood; otherwise it is answered as version 1, without a token. */
  readonly version2: boolean;
  /** Every key of a page boundary appears on both pages. */
  readonly repeatsBoundary: boolean;
}

/** How an S3 service deviates from the others, as data. */
export interface Dialect {
  readonly name: string;
  /** Where this is seen. */
  readonly note: string;
  readonly conditions: {
    readonly put: ConditionRules;
    readonly complete: ConditionRules;
    readonly copy: ConditionRules;
    readonly delete: ConditionRules;
  };
  /** Conditions on GET and HEAD. */
  readonly readConditions: 'honoured' | 'ignored';
  /** What `If-Match` and `If-None-Match` must look like to match. */
  readonly conditionEtag: 'any' | 'unquoted';
  /** How long after its condition was checked a write takes effect, without a second check. 0: at once. */
  readonly conditionWindowMs: number;
  readonly putEtag: 'md5' | 'random';
  readonly multipartEtag: 'md5-of-md5s' | 'random';
  readonly completeEtag: 'given' | 'empty';
  /** `x-amz-checksum-*`: stored and verified, accepted and forgotten, or refused with 501. */
  readonly checksums: 'full' | 'ignored' | 'not-implemented';
  readonly contentMd5: 'verified' | 'ignored';
  /** The `x-amz-content-sha256` of a signed body. */
  readonly signedPayload: 'verified' | 'ignored';
  readonly deleteObjectsNeedsMd5: boolean;
  readonly deleteObjects: boolean;
  readonly attributes: boolean;
  readonly partNumberGet: boolean;
  readonly versioning: boolean;
  readonly tagging: boolean;
  /** UploadPartCopy: as it should be, its conditions refused or ignored, its range ignored, or not there at all. */
  readonly partCopy: 'full' | 'no-precondition' | 'ignores-precondition' | 'ignores-range' | 'not-implemented';
  /** All parts but the last must have one size. */
  readonly equalParts: boolean;
  /** What every part but the last has at least; 5 MiB everywhere, less for simulations. */
  readonly leastPartBytes: number;
  readonly ranges: 'honoured' | 'ignored';
  /** Precision of LastModified in lists; HEAD has whole seconds in any case. */
  readonly lastModified: 'seconds' | 'milliseconds';
  /** Whether answers carry a `Date` header. */
  readonly date: boolean;
  readonly metadata: 'kept' | 'lost';
  readonly listing: ListingRules;
}

const HONOURED: ConditionRules = {
  ifNoneMatch: 'honoured',
  ifMatch: 'honoured',
  existsStatus: 412,
  mismatchStatus: 412,
  missingStatus: 404,
};
const IGNORED: ConditionRules = { ...HONOURED, ifNoneMatch: 'ignored', ifMatch: 'ignored' };
const REFUSED: ConditionRules = { ...HONOURED, ifNoneMatch: 'not-implemented', ifMatch: 'not-implemented' };
const INVALID: ConditionRules = { ...HONOURED, ifNoneMatch: 'invalid', ifMatch: 'invalid' };
const everywhere = (rules: ConditionRules): Dialect['conditions'] => ({
  put: rules,
  complete: rules,
  copy: rules,
  delete: rules,
});
const only = (part: Partial<Dialect['conditions']>): Dialect['conditions'] => ({ ...everywhere(IGNORED), ...part });

const AWS: Dialect = {
  name: 'aws',
  note: 'What AWS documents for general purpose buckets; conditional PUT and Complete since 2024, DELETE and Copy since 2025.',
  conditions: everywhere(HONOURED),
  readConditions: 'honoured',
  conditionEtag: 'any',
  conditionWindowMs: 0,
  putEtag: 'md5',
  multipartEtag: 'md5-of-md5s',
  completeEtag: 'given',
  checksums: 'full',
  contentMd5: 'verified',
  signedPayload: 'verified',
  deleteObjectsNeedsMd5: false,
  deleteObjects: true,
  attributes: true,
  partNumberGet: true,
  versioning: true,
  tagging: true,
  partCopy: 'full',
  equalParts: false,
  leastPartBytes: 5 * 1024 ** 2,
  ranges: 'honoured',
  lastModified: 'seconds',
  date: true,
  metadata: 'kept',
  listing: {
    order: 'utf8',
    encodingType: true,
    token: 'moves',
    prefix: true,
    startAfter: true,
    pageSize: 1000,
    version2: true,
    repeatsBoundary: false,
  },
};

/** Without what only AWS and few others have. */
const PLAIN: Dialect = { ...AWS, lastModified: 'milliseconds', attributes: false, partNumberGet: false };

type Deviation = Partial<Omit<Dialect, 'name' | 'listing'>> & { readonly listing?: Partial<ListingRules> };

function dialect<const Name extends string>(
  name: Name,
  base: Dialect,
  deviation: Deviation,
): Dialect & { readonly name: Name } {
  return { ...base, ...deviation, name, listing: { ...base.listing, ...deviation.listing } };
}

const ALL = [
  dialect('aws', AWS, {}),
  dialect('aws-2024', AWS, {
    note: 'AWS before 2025-09: conditions on PUT and Complete alone.',
    conditions: only({ put: HONOURED, complete: HONOURED }),
  }),
  dialect('aws-kms', AWS, {
    note: 'A bucket encrypted with KMS keys: no ETag is a digest.',
    putEtag: 'random',
    multipartEtag: 'random',
  }),
  dialect('ceph-16', PLAIN, {
    note: 'Ceph RGW 16.2: If-Match without quotes only, missing key 412, nothing on the other operations, no checksums, empty ETag from Complete.',
    conditions: only({ put: { ...HONOURED, missingStatus: 412 } }),
    conditionEtag: 'unquoted',
    completeEtag: 'empty',
    checksums: 'ignored',
  }),
  dialect('minio-2024-03', PLAIN, {
    note: 'MinIO before 2024-04: a failed If-None-Match is answered 304; DELETE ignores conditions.',
    conditions: only({ put: { ...HONOURED, existsStatus: 304 } }),
    attributes: true,
  }),
  dialect('minio-2025-08', PLAIN, {
    note: 'MinIO before its issue 21526 was fixed: If-Match on a missing key creates it; DELETE ignores conditions.',
    conditions: only({ put: { ...HONOURED, missingStatus: 200 }, complete: { ...HONOURED, missingStatus: 200 } }),
    attributes: true,
  }),
  dialect('r2', PLAIN, {
    note: 'Cloudflare R2: conditions on PUT only, parts of one size, no versions, no tags, no precondition on UploadPartCopy.',
    conditions: only({ put: { ...HONOURED, missingStatus: 412 } }),
    multipartEtag: 'random',
    versioning: false,
    tagging: false,
    equalParts: true,
    partCopy: 'no-precondition',
  }),
  dialect('r2-2025-01', PLAIN, {
    note: 'Cloudflare R2 in January 2025: a checksum header is answered 501.',
    conditions: only({ put: { ...HONOURED, missingStatus: 412 } }),
    multipartEtag: 'random',
    checksums: 'not-implemented',
    versioning: false,
    tagging: false,
    equalParts: true,
    partCopy: 'no-precondition',
  }),
  dialect('garage-1.2', PLAIN, {
    note: 'Garage 1.2: conditions on writes are ignored; no versions, no tags.',
    conditions: everywhere(IGNORED),
    versioning: false,
    tagging: false,
  }),
  dialect('seaweedfs-3.96', PLAIN, {
    note: 'SeaweedFS up to 3.96: conditions on writes are ignored; multipart ETags are not to be relied on.',
    conditions: everywhere(IGNORED),
    multipartEtag: 'random',
  }),
  dialect('seaweedfs-3.97', PLAIN, {
    note: 'SeaweedFS from 3.97 to 2026-03: conditions are checked, but not atomically with the write.',
    conditionWindowMs: 20,
    multipartEtag: 'random',
  }),
  dialect('gcs-xml', PLAIN, {
    note: 'Google Cloud Storage, XML API: conditions go by generation; ETag conditions on writes have no effect.',
    conditions: everywhere(IGNORED),
    multipartEtag: 'random',
    checksums: 'ignored',
    tagging: false,
    deleteObjects: false,
  }),
  dialect('oss', PLAIN, {
    note: 'Alibaba OSS: conditional writes are answered 501; DeleteObjects wants Content-MD5.',
    conditions: { ...everywhere(REFUSED), delete: IGNORED },
    deleteObjectsNeedsMd5: true,
    checksums: 'ignored',
  }),
  dialect('ontap', PLAIN, {
    note: 'FSx for ONTAP S3 access points: every condition on a write is answered 501.',
    conditions: everywhere(REFUSED),
    versioning: false,
  }),
  dialect('incus-7', PLAIN, {
    note: 'Incus 7.2 buckets: conditions are ignored, few extras.',
    conditions: everywhere(IGNORED),
    checksums: 'ignored',
    versioning: false,
    tagging: false,
    partCopy: 'not-implemented',
  }),
  dialect('versitygw-2025', PLAIN, {
    note: 'versitygw of late 2025: honours conditions, but If-Match on a missing key is ignored; Copy knows those of the source only.',
    conditions: { ...everywhere({ ...HONOURED, missingStatus: 200 }), copy: IGNORED },
    attributes: true,
  }),
  dialect('coreweave', PLAIN, {
    note: 'CoreWeave: a lost race is answered 409.',
    conditions: { ...everywhere({ ...HONOURED, existsStatus: 409, mismatchStatus: 409 }), delete: IGNORED },
  }),
  dialect('selectel', PLAIN, {
    note: 'Selectel: PUT, Complete and DELETE honour conditions, Copy those of the source only.',
    conditions: { ...everywhere(HONOURED), copy: IGNORED },
  }),
  dialect('create-only', PLAIN, {
    note: 'Honours If-None-Match alone: a file can be created safely, not replaced.',
    conditions: only({ put: { ...HONOURED, ifMatch: 'ignored' }, complete: { ...HONOURED, ifMatch: 'ignored' } }),
  }),
  dialect('match-only', PLAIN, {
    note: 'Honours If-Match alone.',
    conditions: only({
      put: { ...HONOURED, ifNoneMatch: 'ignored' },
      complete: { ...HONOURED, ifNoneMatch: 'ignored' },
    }),
  }),
  dialect('complete-ignores', PLAIN, {
    note: 'Many emulators: PUT honours conditions, CompleteMultipartUpload ignores them.',
    conditions: { ...everywhere(HONOURED), complete: IGNORED },
  }),
  dialect('delete-ignores', PLAIN, {
    note: 'Conditions on every write but DELETE.',
    conditions: { ...everywhere(HONOURED), delete: IGNORED },
  }),
  dialect('copy-ignores-match', PLAIN, {
    note: 'UploadPartCopy takes x-amz-copy-source-if-match and ignores it.',
    partCopy: 'ignores-precondition',
  }),
  dialect('payload-unchecked', PLAIN, {
    note: 'Stores that check the signature, but not that the body is the one that was signed.',
    signedPayload: 'ignored',
  }),
  dialect('copy-ignores-range', PLAIN, {
    note: 'UploadPartCopy copies the whole object, whatever range is asked for.',
    partCopy: 'ignores-range',
  }),
  dialect('equal-parts', PLAIN, { note: 'All that AWS does, with parts of one size only.', equalParts: true }),
  dialect('conditions-400', PLAIN, { note: 'Conditional writes are answered 400.', conditions: everywhere(INVALID) }),
  dialect('conditions-304', PLAIN, {
    note: 'Every failed condition is answered 304.',
    conditions: everywhere({ ...HONOURED, existsStatus: 304, mismatchStatus: 304, missingStatus: 304 }),
  }),
  dialect('conditions-404', PLAIN, {
    note: 'Every failed condition is answered 404.',
    conditions: everywhere({ ...HONOURED, existsStatus: 404, mismatchStatus: 404, missingStatus: 404 }),
  }),
  dialect('conditions-409', PLAIN, {
    note: 'Every failed condition is answered 409.',
    conditions: everywhere({ ...HONOURED, existsStatus: 409, mismatchStatus: 409, missingStatus: 409 }),
  }),
  dialect('bare', PLAIN, {
    note: 'The least a store can be: no condition anywhere, random ETags, no ranges, no metadata, no dates.',
    conditions: everywhere(IGNORED),
    readConditions: 'ignored',
    putEtag: 'random',
    multipartEtag: 'random',
    checksums: 'ignored',
    contentMd5: 'ignored',
    ranges: 'ignored',
    metadata: 'lost',
    date: false,
    versioning: false,
    tagging: false,
    deleteObjects: false,
    partCopy: 'not-implemented',
    lastModified: 'seconds',
    listing: { encodingType: false },
  }),
  dialect('list-v1', PLAIN, { note: 'Knows the first version of LIST only.', listing: { version2: false } }),
  dialect('list-no-token', AWS, { note: 'Truncated pages without a token.', listing: { token: 'absent' } }),
  dialect('list-same-token', AWS, { note: 'A token that never moves.', listing: { token: 'repeats' } }),
  dialect('list-utf16', AWS, { note: 'Lists in the order of UTF-16 units.', listing: { order: 'utf16' } }),
  dialect('list-unsorted', AWS, {
    note: 'Lists in no order, as directory buckets do.',
    listing: { order: 'unsorted' },
  }),
  dialect('list-foreign-keys', AWS, { note: 'Ignores the prefix.', listing: { prefix: false } }),
  dialect('list-no-encoding', AWS, { note: 'Ignores encoding-type=url.', listing: { encodingType: false } }),
  dialect('list-no-start-after', AWS, { note: 'Ignores start-after.', listing: { startAfter: false } }),
  dialect('list-pages-of-100', AWS, {
    note: 'Pages hold 100 entries at most, whatever is asked.',
    listing: { pageSize: 100 },
  }),
  dialect('list-boundary-twice', AWS, {
    note: 'The last key of a page comes again on the next.',
    listing: { repeatsBoundary: true },
  }),
] as const;

/** The name of a dialect. */
export type DialectName = (typeof ALL)[number]['name'];

/** All dialects by name. */
export const DIALECTS: Readonly<Record<DialectName, Dialect>> = Object.fromEntries(
  ALL.map((each) => [each.name, each]),
) as Record<DialectName, Dialect>;

/** Looks a dialect up, or takes one that was made by hand. */
export function resolveDialect(given: DialectName | Dialect | undefined): Dialect {
  return typeof given === 'object' ? given : DIALECTS[given ?? 'aws'];
}
