/** What every document of the service begins with. */
export const XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
/** The namespace of S3 documents. */
export const XML_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

// oxlint-disable-next-line no-control-regex -- keys may hold every character, and the service escapes them as AWS does
const SPECIAL = /[<>&"\u0000-\u001f\u007f\ufffe\uffff]/g;
const NAMED: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };

/** Escapes text for an XML element; control characters become references, which XML 1.0 forbids but AWS sends. */
export function escapeXml(text: string): string {
  SPECIAL.lastIndex = 0;
  if (!SPECIAL.test(text)) return text;
  return text.replace(SPECIAL, (char) => NAMED[char] ?? `&#x${char.charCodeAt(0).toString(16).toUpperCase()};`);
}
