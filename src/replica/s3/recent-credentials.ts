import type { Clock } from '../../core/runtime.js';
import { S3ConnectionError } from '../../errors.js';
import type { ConfiguredClient } from './client-config.js';
import { rememberSecrets } from './known-secrets.js';
import type { SigningCredentials } from './request-signer.js';

/** Keys that are exchanged stay good for minutes, so that requests on their way are. */
const RECENT_MS = 5000;

/** The credentials of a client, asked for once for the many requests of a moment. */
export class RecentCredentials {
  readonly #client: ConfiguredClient;
  readonly #clock: Clock;
  #recent: { readonly credentials: SigningCredentials; readonly sinceMs: number } | undefined;

  constructor(client: ConfiguredClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Those that were asked for within the last seconds; `undefined`: they are to be asked for. */
  get atHand(): SigningCredentials | undefined {
    if (this.#recent === undefined) return undefined;
    // A clock that was set back says nothing.
    const ageMs = Math.abs(this.#clock.nowMs() - this.#recent.sinceMs);
    return ageMs < RECENT_MS ? this.#recent.credentials : undefined;
  }

  /** Asks for them. Rejects with `S3ConnectionError` `ERR_S3_CREDENTIALS`. */
  async ask(): Promise<SigningCredentials> {
    try {
      const credentials = await this.#client.config.credentials();
      rememberSecrets(credentials.secretAccessKey, credentials.sessionToken);
      this.#recent = { credentials, sinceMs: this.#clock.nowMs() };
      return credentials;
    } catch (cause) {
      throw new S3ConnectionError(
        'ERR_S3_CREDENTIALS',
        'No credentials could be had for the S3 service. Give an access key and its secret, or configure one of the places where they are looked for.',
        { cause },
      );
    }
  }
}
