import { checkOptions } from './check-options.js';
import type { CredentialOptions } from './connect-options.js';
import { findIdentity } from './find-identity.js';
import { processSurroundings, type Surroundings } from './surroundings.js';

/** What {@link getCredentials} answers. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Address of the service; missing: AWS. */
  readonly endpoint?: string;
  readonly region?: string;
}

/**
 * Finds the keys and the place of the service, without asking the service.
 *
 * The keys come from the first source that has both: the arguments, the environment (`S3_ACCESS_KEY`, `S3_SECRET_KEY`),
 * `./.s3conf.yml`, `~/.s3conf.yml`, the default chain of AWS. Endpoint and region come from the arguments, else the
 * environment (`S3_ENDPOINT`, `S3_REGION`), else the source that gave the keys: a file in the current folder can never
 * send keys from elsewhere to its own host.
 *
 * @throws UsageError `ERR_USAGE` for wrong options.
 * @throws S3ConnectionError `ERR_NO_CREDENTIALS` when no source has both keys, `ERR_CREDENTIALS_FILE` when a file
 * cannot be used; neither holds anything of a secret.
 *
 * @example
 * ```ts
 * import { s3 } from 'filecloudsync';
 * const { accessKeyId, endpoint } = await s3.getCredentials();
 * console.log(`${accessKeyId} at ${endpoint ?? 'AWS'}`);
 * ```
 */
export async function getCredentials(
  options: CredentialOptions = {},
  surroundings: Surroundings = processSurroundings(),
): Promise<Credentials> {
  checkOptions('connect', options);
  const identity = await findIdentity(options, surroundings);
  const { accessKeyId, secretAccessKey, sessionToken } = await identity.keys();
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== undefined && { sessionToken }),
    ...(identity.endpoint !== undefined && { endpoint: identity.endpoint }),
    ...(identity.region !== undefined && { region: identity.region }),
  };
}
