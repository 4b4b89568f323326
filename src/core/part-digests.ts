/** MD5s of the parts that one content is divided into, in order. The last part may be shorter. */
export interface PartDigests {
  readonly partSizeBytes: number;
  /** 32 hex digits each. */
  readonly md5s: readonly string[];
}
