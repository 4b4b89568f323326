/** Secrets that requests were signed with, the latest last: a service may say them back in what it answers. */
const known = new Set<string>();

/** Temporary keys are exchanged every hour; only what may still be in flight matters. */
const MOST_KNOWN = 32;

/** Shorter ones are for trying out, and would blot out every text. */
const LEAST_LENGTH = 8;

/** Remembers what must never be shown. Costs next to nothing for what is remembered already. */
export function rememberSecrets(...secrets: readonly (string | undefined)[]): void {
  for (const secret of secrets) {
    if (secret === undefined || secret.length < LEAST_LENGTH || known.has(secret)) continue;
    known.add(secret);
    const [oldest] = known;
    if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest);
  }
}

/** Blots out the secrets in a text from outside. To be called before the text is shortened, so that no half of one stays. */
export function withoutSecrets(text: string): string {
  let clean = text;
  for (const secret of known) clean = clean.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***');
  return clean;
}
