/** How a store wants an ETag in a condition: with its quotes, bare, or not at all (then conditions are ignored or refused). */
export type EtagForm = 'quoted' | 'bare' | 'none';

/** What is known of a store's ways, beyond what every S3 does. Found out by the probe; data, kept between runs. */
export interface Dialect {
  /** `If-None-Match: *` on PUT is honoured. */
  readonly putCreate: boolean;
  /** The form in which `If-Match` on PUT is honoured, also when nothing stands there. */
  readonly putReplace: EtagForm;
  /** The same two for CompleteMultipartUpload. */
  readonly completeCreate: boolean;
  readonly completeReplace: EtagForm;
  /** `If-None-Match: *` on CopyObject keeps what stands at the destination. */
  readonly copyCreate: boolean;
  /** `x-amz-copy-source-if-match` is honoured. */
  readonly copySource: EtagForm;
  /** UploadPartCopy takes a range, says the MD5 of what it copied, and leaves everything else alone. */
  readonly copyPart: boolean;
  /** The ETag of an object of parts is made of the MD5s of its parts, unless its headers say that it is encrypted. */
  readonly partsMakeEtag: boolean;
  readonly remove: EtagForm;
  /** `If-Match` on GET. */
  readonly read: EtagForm;
  /**
   * The ETag of a simple PUT is the MD5 of the content: always, never, or unless the object's headers say that it is
   * encrypted with KMS or a customer's key. `undefined`: not known.
   */
  readonly etagIsMd5: boolean | 'unless-encrypted' | undefined;
  /** A part is refused that is not the one whose SHA-256 came with it. */
  readonly checksSha256: boolean;
  /** `If-None-Match: *` may be sent where it is not known to be honoured; `false`: it is refused. */
  readonly mayTryCreate: boolean;
}

/** Amazon S3, as documented in "Add preconditions to S3 operations". Its ETags are MD5s except under SSE-KMS and SSE-C. */
export const AWS_DIALECT: Dialect = {
  putCreate: true,
  putReplace: 'quoted',
  completeCreate: true,
  completeReplace: 'quoted',
  copyCreate: true,
  copySource: 'quoted',
  copyPart: true,
  partsMakeEtag: true,
  remove: 'quoted',
  read: 'quoted',
  etagIsMd5: 'unless-encrypted',
  checksSha256: true,
  mayTryCreate: true,
};

/** A store of which nothing is known: nothing is trusted, every change is checked before and after. */
export const UNKNOWN_DIALECT: Dialect = {
  putCreate: false,
  putReplace: 'none',
  completeCreate: false,
  completeReplace: 'none',
  copyCreate: false,
  copySource: 'none',
  copyPart: false,
  partsMakeEtag: false,
  remove: 'none',
  read: 'quoted',
  etagIsMd5: undefined,
  checksSha256: false,
  mayTryCreate: true,
};

/** The value of a condition header, or `undefined` when the store takes none. */
export function etagCondition(form: EtagForm, etag: string): string | undefined {
  switch (form) {
    case 'quoted':
      return `"${etag}"`;
    case 'bare':
      return etag;
    case 'none':
      return undefined;
  }
}

/** Tells whether an address belongs to Amazon S3 itself. */
export function isAwsHost(host: string): boolean {
  return /(?:^|\.)amazonaws\.com(?:\.cn)?(?::\d+)?$/.test(host);
}

/** Tells whether ETags that look like MD5s may be taken for them, as far as the headers of the object allow. */
export function mayBeMd5({ etagIsMd5 }: Dialect): boolean {
  return etagIsMd5 === true || etagIsMd5 === 'unless-encrypted';
}

/** A dialect that has learnt from one object, whose content and ETag are both known, what ETags are in this store. */
export function learnEtag(dialect: Dialect, isMd5: boolean): Dialect {
  return dialect.etagIsMd5 === undefined ? { ...dialect, etagIsMd5: isMd5 } : dialect;
}

/** Reads a dialect that was kept; `undefined` when it is not one of this version. */
export function readKeptDialect(kept: unknown): Dialect | undefined {
  if (typeof kept !== 'object' || kept === null) return undefined;
  const values = kept as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(AWS_DIALECT)) {
    const value = values[name];
    const model: unknown = UNKNOWN_DIALECT[name as keyof Dialect];
    const fits =
      typeof model === 'string'
        ? value === 'quoted' || value === 'bare' || value === 'none'
        : typeof value === 'boolean' || (name === 'etagIsMd5' && value === undefined);
    if (!fits) return undefined;
  }
  return kept as Dialect;
}
