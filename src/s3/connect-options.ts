/** Options of {@link getCredentials}: where to look, and what to take from the call itself. */
export interface CredentialOptions {
  /**
   * Access key id. Given together with {@link CredentialOptions.secretAccessKey}; one without the other is a usage error.
   *
   * Default: the next source that has both keys. Consequence: no file and no environment variable is asked for keys.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * export const connect = () => s3.connect({ accessKeyId: 'AKIA…', secretAccessKey: '…' });
   * ```
   */
  readonly accessKeyId?: string;
  /**
   * Secret access key, given together with {@link CredentialOptions.accessKeyId}.
   *
   * Default: the next source that has both keys. It is never logged, stored or put into an error. The command has no
   * flag for it, because other users of the machine can see the flags of a running program.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * export const connect = () => s3.connect({ accessKeyId: 'AKIA…', secretAccessKey: '…' });
   * ```
   */
  readonly secretAccessKey?: string;
  /**
   * Session token of temporary keys, given together with both keys.
   *
   * Default: none. Without it temporary keys (those that begin with `ASIA`) are refused by AWS.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * export const connect = () =>
   *   s3.connect({ accessKeyId: 'ASIA…', secretAccessKey: '…', sessionToken: '…' });
   * ```
   */
  readonly sessionToken?: string;
  /**
   * Name of a profile in the shared files of AWS (`~/.aws/config`, `~/.aws/credentials`).
   *
   * Default: none. Consequence: only this profile is asked; when it has no keys, the call fails and nothing else is tried.
   * Cannot be combined with keys.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * export const connect = () => s3.connect({ profile: 'backup' });
   * ```
   */
  readonly profile?: string;
  /**
   * Address of the service, with scheme: `https://storage.example.com` or `http://127.0.0.1:9000`.
   *
   * Default: the environment (`S3_ENDPOINT`), else the source that gave the keys (`endpoint_url`), else AWS.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * export const connect = () => s3.connect({ endpoint: 'https://storage.example.com' });
   * ```
   */
  readonly endpoint?: string;
  /**
   * Region of the service.
   *
   * Default: the environment (`S3_REGION`), else the source that gave the keys (`region_name`), else what the AWS
   * configuration says, else `us-east-1`.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * export const connect = () => s3.connect({ region: 'eu-central-1' });
   * ```
   */
  readonly region?: string;
}

/** Options of {@link connect}. */
export interface ConnectOptions extends CredentialOptions {
  /**
   * Bucket to ask for when the connection is checked.
   *
   * Default: none; then the service is asked for its buckets, and a refusal of that right counts as a good answer.
   * Consequence: a bucket that is absent or forbidden fails the call.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * export const connect = () => s3.connect({ bucket: 'photos' });
   * ```
   */
  readonly bucket?: string;
  /**
   * Writes the bucket into the path of an address (`host/bucket/key`) instead of the host name (`bucket.host/key`).
   *
   * Default: `true` when an endpoint other than AWS's own is used, else `false`.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * export const connect = () =>
   *   s3.connect({ endpoint: 'https://storage.example.com', forcePathStyle: false });
   * ```
   */
  readonly forcePathStyle?: boolean;
  /**
   * How long the service may take to answer, in seconds.
   *
   * Default: 30 while connecting, 60 afterwards. Consequence: a service that stays silent longer fails the request with
   * `ERR_S3_TIMEOUT`; requests that may be repeated are, a few times.
   *
   * @example
   * ```ts
   * import { s3 } from 'filecloudsync';
   * export const connect = () => s3.connect({ timeoutSeconds: 5 });
   * ```
   */
  readonly timeoutSeconds?: number;
}
