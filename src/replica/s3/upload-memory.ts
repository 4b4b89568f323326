/** A multipart upload that was begun by this machine. */
export interface RememberedUpload {
  readonly path: string;
  readonly uploadId: string;
  /** Fingerprint of the file it sends. */
  readonly fingerprint: string;
  readonly partSizeBytes: number;
  readonly startedAtMs: number;
}

/** Where begun uploads are remembered, so that a later run goes on with them or aborts them. The state store's `uploads` fits. */
export interface UploadMemory {
  get(path: string): Promise<RememberedUpload | undefined>;
  put(record: RememberedUpload): Promise<void>;
  delete(path: string, uploadId: string): Promise<void>;
  list(): Promise<RememberedUpload[]>;
}

/** Where small facts are kept between runs. The state store's `facts` fits. */
export interface FactMemory {
  get<T>(name: string): Promise<T | undefined>;
  put(name: string, value: unknown): Promise<void>;
}
