/** Shows a value in an error, shortened, without ever running its own code. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined)
    return String(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Checks that a value is text with at least one character. */
export function text(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return undefined;
  return `must be a text that is not empty, not ${shown(value)}`;
}

/** Checks that a value is text with at least one character, and never shows it. */
export function secretText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? undefined : 'must be a text that is not empty';
}

/** Checks that a value is a list of texts that are not empty. */
export function texts(value: unknown): string | undefined {
  if (!Array.isArray(value)) return `must be a list of texts, not ${shown(value)}`;
  const wrong = value.findIndex((item) => text(item) !== undefined);
  return wrong === -1
    ? undefined
    : `must be a list of texts that are not empty; item ${wrong} is ${shown(value[wrong])}`;
}

/** Checks that a value can be walked and gives texts (a list or a set). */
export function textIterable(value: unknown): string | undefined {
  if (value instanceof Set) return texts([...value]);
  return texts(value);
}

/** Checks that a value is `true` or `false`. */
export function flag(value: unknown): string | undefined {
  return typeof value === 'boolean' ? undefined : `must be true or false, not ${shown(value)}`;
}

/** Makes a check for a number between two limits, both allowed. */
export function numberBetween(min: number, max: number, unit: string): (value: unknown) => string | undefined {
  return (value) =>
    typeof value === 'number' && value >= min && value <= max
      ? undefined
      : `must be ${unit} from ${min} to ${max}, not ${shown(value)}`;
}

/** Makes a check for a whole number between two limits, both allowed. */
export function integerBetween(min: number, max: number, unit: string): (value: unknown) => string | undefined {
  const inRange = numberBetween(min, max, `a whole number of ${unit}`);
  return (value) =>
    Number.isInteger(value)
      ? inRange(value)
      : `must be a whole number of ${unit} from ${min} to ${max}, not ${shown(value)}`;
}

/** Makes a check for one of several values. */
export function oneOf(...allowed: readonly unknown[]): (value: unknown) => string | undefined {
  const list = allowed.map((item) => shown(item)).join(', ');
  return (value) => (allowed.includes(value) ? undefined : `must be one of ${list}, not ${shown(value)}`);
}

/** Checks that a value is an address with `http://` or `https://`, without user, password, query or fragment. */
export function httpAddress(value: unknown): string | undefined {
  const form = 'must be an address such as "https://storage.example.com"';
  if (typeof value !== 'string' || !URL.canParse(value)) return form;
  const url = new URL(value);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `${form}, with http:// or https:// in front`;
  if (url.username !== '' || url.password !== '') return `${form}, without a user name or password in it`;
  return url.search === '' && url.hash === '' ? undefined : `${form}, without "?" and "#"`;
}
