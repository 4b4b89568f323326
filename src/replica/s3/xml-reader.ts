import { xmlError } from './xml-error.js';
import { decodeXmlText, skipProlog } from './xml-text.js';

/** An element of a small answer. */
export interface XmlElement {
  readonly name: string;
  /** Text of an element without children, decoded; `''` otherwise. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

const MAX_DEPTH = 8;
const MAX_ELEMENTS = 20_000;

/**
 * Reads one of the small documents of S3: errors, upload ids, parts, results of copies.
 *
 * Strict: no DOCTYPE, comment, CDATA, processing instruction or unknown entity; attributes only skipped over;
 * at most 8 levels and 20,000 elements.
 *
 * @throws S3ConnectionError `ERR_S3_BAD_ANSWER`.
 */
export function readXml(xml: string): XmlElement {
  let at = skipProlog(xml);
  let count = 0;

  const element = (depth: number): XmlElement => {
    if (depth > MAX_DEPTH) throw xmlError('elements nested too deep', at);
    if (++count > MAX_ELEMENTS) throw xmlError('too many elements', at);
    const tag = readTag();
    if (tag.closed) return { name: tag.name, text: '', children: [] };
    const children: XmlElement[] = [];
    for (;;) {
      const start = at;
      const next = xml.indexOf('<', at);
      if (next === -1) throw xmlError('the document is cut short', xml.length);
      if (xml.startsWith(`</${tag.name}>`, next)) {
        at = next + tag.name.length + 3;
        return {
          name: tag.name,
          text: children.length === 0 ? decodeXmlText(xml.slice(start, next), start) : '',
          children,
        };
      }
      if (/\S/.test(xml.slice(start, next))) throw xmlError('text between elements', start);
      at = next;
      children.push(element(depth + 1));
    }
  };

  const readTag = (): { name: string; closed: boolean } => {
    const tag =
      /<([A-Za-z_][\w:.-]{0,63})((?:\s+[\w:.-]{1,64}\s*=\s*(?:"[^"<]{0,512}"|'[^'<]{0,512}')){0,8})\s*(\/?)>/y;
    tag.lastIndex = at;
    const match = tag.exec(xml);
    if (match === null) throw xmlError('something that is not an element', at);
    at = tag.lastIndex;
    return { name: match[1] ?? '', closed: match[3] === '/' };
  };

  const root = element(1);
  if (/\S/.test(xml.slice(at))) throw xmlError('something after the end', at);
  return root;
}

/** Text of the first child of that name. */
export function childText(element: XmlElement, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text;
}
