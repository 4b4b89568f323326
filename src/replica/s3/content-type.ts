import { lookup } from 'mrmime';

/** The media type of a path by its extension; `application/octet-stream` when it is not known. */
export function contentTypeOf(path: string): string {
  // Names that every object of JavaScript knows (`constructor`, `x.__proto__`) are found in the table as well, as no text.
  const found: unknown = lookup(path);
  return typeof found === 'string' ? found : 'application/octet-stream';
}
