import { ServiceError } from './service-error.js';

/** One element of a parsed document. */
export interface XmlElement {
  readonly name: string;
  /** Text directly inside, kept exactly; white space between child elements included. */
  text: string;
  readonly children: XmlElement[];
}

const TOKEN =
  /<\?[^>]*\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<(\/?)([A-Za-z_][\w:.-]*)((?:\s[^<>]*?)?)(\/?)>|([^<]+)/y;
const MAX_DEPTH = 16;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Parses a request document. No DTD, no entities of its own, bounded depth; throws `MalformedXML`. Namespace prefixes are dropped. */
export function parseXml(source: string): XmlElement {
  const root: XmlElement = { name: '', text: '', children: [] };
  const open: XmlElement[] = [root];
  TOKEN.lastIndex = 0;
  let end = source.startsWith('\ufeff') ? 1 : 0;
  while (end < source.length) {
    TOKEN.lastIndex = end;
    const token = TOKEN.exec(source);
    const parent = open.at(-1);
    if (token === null || parent === undefined) throw new ServiceError('MalformedXML');
    end = TOKEN.lastIndex;
    const [, cdata, closing, name, , empty, text] = token;
    if (text !== undefined) parent.text += decodeEntities(text);
    else if (cdata !== undefined) parent.text += cdata;
    else if (name !== undefined) {
      const local = name.slice(name.indexOf(':') + 1);
      if (closing === '/') {
        if (open.length < 2 || open.pop()?.name !== local) throw new ServiceError('MalformedXML');
      } else {
        const element: XmlElement = { name: local, text: '', children: [] };
        parent.children.push(element);
        if (empty !== '/') open.push(element);
        if (open.length > MAX_DEPTH) throw new ServiceError('MalformedXML');
      }
    }
  }
  const [document] = root.children;
  if (open.length !== 1 || document === undefined || root.children.length !== 1 || root.text.trim() !== '')
    throw new ServiceError('MalformedXML');
  return document;
}

/** The text of the first child of that name. */
export function childText(element: XmlElement, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text;
}

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|(\w{1,8}))?;?/g, (whole, decimal, hex, name) => {
    const code = decimal === undefined ? (hex === undefined ? undefined : parseInt(hex, 16)) : Number(decimal);
    const value = code === undefined ? ENTITIES[name ?? ''] : code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
    if (value === undefined || !whole.endsWith(';')) throw new ServiceError('MalformedXML');
    return value;
  });
}
