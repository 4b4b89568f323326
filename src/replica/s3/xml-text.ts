import { isUtf8 } from 'node:buffer';
import { xmlError } from './xml-error.js';

const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/**
 * Resolves the five named entities of XML and numeric ones; refuses every other, so that nothing can be expanded.
 *
 * Control characters are let through, though XML 1.0 forbids them: stores write them when a key holds them.
 */
export function decodeXmlText(text: string, position: number): string {
  if (!text.includes('&')) return text;
  return text.replaceAll(/&([^;&]{0,12})(;?)/g, (_whole, name: string, end: string) => {
    const named = NAMED.get(name);
    if (end === ';' && named !== undefined) return named;
    const number = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
    if (end !== ';' || number === null) throw xmlError('an entity that is not allowed', position);
    const point = number[1] === undefined ? Number(number[2]) : Number.parseInt(number[1], 16);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
      throw xmlError('a character that does not exist', position);
    return String.fromCodePoint(point);
  });
}

/** Turns the bytes of an answer into text; refuses what is not UTF-8. */
export function decodeXmlBytes(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw xmlError('bytes that are not UTF-8', 0);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Where the root element begins: after a byte order mark, an XML declaration and white space. */
export function skipProlog(xml: string): number {
  const prolog = /^\uFEFF?\s*(?:<\?xml\s[^<>]{0,200}\?>)?\s*/.exec(xml);
  return prolog?.[0].length ?? 0;
}
