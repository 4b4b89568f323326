import { crc32 } from 'node:zlib';

const CHECKSUM_LENGTH = 8;

/** Joins a key and a text to one value that shows when either was altered. */
export function sealValue(key: string, text: string): string {
  return (
    crc32(key + text)
      .toString(16)
      .padStart(CHECKSUM_LENGTH, '0') + text
  );
}

/** The text of a sealed value, unchecked. */
export function textOf(value: string): string {
  return value.slice(CHECKSUM_LENGTH);
}

/** The text of a sealed value, or `undefined` when it is not what was written under this key. */
export function unsealValue(key: string, value: string): string | undefined {
  const text = textOf(value);
  return checksumOf(value) === crc32(key + text) ? text : undefined;
}

/** The checksum that a sealed value carries; `NaN` when it carries none. Does not check it. */
export function checksumOf(value: string): number {
  return Number.parseInt(value.slice(0, CHECKSUM_LENGTH), 16);
}
