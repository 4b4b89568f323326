import type { ByteName } from './file-system.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
// oxlint-disable-next-line no-control-regex
const ASCII = /^[\u0000-\u007f]*$/;

/** Decodes a name from its bytes; `undefined` when they are not valid UTF-8. */
export function decodeByteName(name: ByteName): string | undefined {
  if (ASCII.test(name)) return name;
  try {
    return decoder.decode(Buffer.from(name, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Encodes a name to its UTF-8 bytes. */
export function encodeByteName(name: string): ByteName {
  return ASCII.test(name) ? name : Buffer.from(name, 'utf8').toString('latin1');
}

/** A name for messages: valid parts as they are, other bytes as `\xNN`. Two different names never look the same. */
export function printableByteName(name: ByteName): string {
  const decoded = decodeByteName(name);
  if (decoded !== undefined) return decoded;
  return name.replace(/[^\u0020-\u007e]|\\/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
