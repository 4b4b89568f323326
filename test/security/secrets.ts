import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The planted secrets. Long, with characters that every encoding writes differently, and none the beginning of another. */
export const SECRETS = Object.fromEntries(
  [
    'secret-key',
    'session-token',
    'endpoint-password',
    'conf-secret',
    'conf-token',
    'conf-bad-line',
    'conf-endpoint-password',
    'aws-secret',
    'aws-token',
    'proxy-password',
    'presigned-signature',
    'process-secret',
  ].map((name, i) => [
    name,
    `Zq${String.fromCharCode(65 + i).repeat(3)}+${name.length}x/Yw${i}~Kp${String(7919 * (i + 3) ** 3)}=vT${i}Rm`,
  ]),
) as Readonly<Record<string, string>>;

/** A secret's value by its name. */
export function secret(name: string): string {
  const value = SECRETS[name];
  if (value === undefined) throw new RangeError(`no secret ${name}`);
  return value;
}

/** The names of the secrets that a text holds, with the form in which it does. */
export function leaksIn(text: string): string[] {
  const found: string[] = [];
  for (const [name, value] of Object.entries(SECRETS)) {
    for (const [form, written] of formsOf(value)) if (text.includes(written)) found.push(`${name} (${form})`);
  }
  return found;
}

function formsOf(value: string): [form: string, written: string][] {
  const bytes = Buffer.from(value);
  const forms: [string, string][] = [
    ['raw', value],
    ['hex', bytes.toString('hex')],
    ['HEX', bytes.toString('hex').toUpperCase()],
    ['url', encodeURIComponent(value)],
    ['half', value.slice(0, Math.ceil(value.length / 2))],
    ['reversed', [...value].reverse().join('')],
  ];
  // As a part of something longer, base64 writes it in one of three ways.
  for (let shift = 0; shift < 3; shift++) {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '')
      .slice(shift === 0 ? 0 : shift + 1, -2);
    forms.push([`base64 at ${shift}`, text], [`base64url at ${shift}`, text.replaceAll('+', '-').replaceAll('/', '_')]);
  }
  return forms;
}

/** All that the files below a folder hold, one byte a character. */
export function contentsOf(folder: string): string {
  const items = readdirSync(folder, { recursive: true, withFileTypes: true });
  return items
    .map((item) => `${item.name}\n${item.isFile() ? readFileSync(join(item.parentPath, item.name), 'latin1') : ''}`)
    .join('\n');
}
