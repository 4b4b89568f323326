/** A bucket as the demo itself sees it: over plain requests, without any of the code that synchronises. */
export interface DemoBucket {
  readonly name: string;
  /** Makes the bucket when it is not there. */
  create(): Promise<void>;
  /** Keys and sizes, in the order of the listing; the program's own keys left out. */
  list(): Promise<Map<string, number>>;
  /** The bytes of an object; `undefined` when there is none. */
  read(key: string): Promise<Uint8Array | undefined>;
  write(key: string, content: string): Promise<void>;
  remove(key: string): Promise<void>;
}

/** The server that the demo starts on this machine. */
export interface DemoWorld {
  /** Such as `http://127.0.0.1:9000`. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucket: DemoBucket;
  stop(): Promise<void>;
}

/** The name of the demo's bucket. */
export const DEMO_BUCKET = 'demo';

/** Keys of a server that answers on this machine alone; no secret. */
export const DEMO_KEYS = { accessKeyId: 'demo-access-key', secretAccessKey: 'demo-secret-key' } as const;
