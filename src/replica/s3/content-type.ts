import { lookup } from 'mrmime';

/** The media type of a path by its extension; `application/octet-stream` when it is not known. */
export function contentTypeOf(path: string): string {
  return lookup(path) ?? 'application/octet-stream';
}
