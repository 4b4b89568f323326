import { contentTypeOf } from './content-type.js';
import type { ObjectState } from './object-state.js';
import type { CopySource } from './s3-api.js';

const CARRIED = /^(?:x-amz-meta-.*|content-(?:type|encoding|disposition|language)|cache-control|expires)$/;

/** Headers of an object that a copy by parts has to set again. */
export function carriedHeaders({ headers }: ObjectState): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => CARRIED.test(name)));
}

/** Headers that may be set on a copy of a source: none that says what is in it, where another version may be copied by then. */
export function trueOfCopy(
  { ifMatch }: CopySource,
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (ifMatch !== undefined) return headers;
  const { 'x-amz-meta-md5chksum': _digest, ...others } = headers;
  return others;
}

/** The headers of an object as its copy gets them; the very same when nothing differs. A type that somebody chose stays. */
export function carriedTo(
  path: string,
  carried: Readonly<Record<string, string>>,
  recorded: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { 'content-type': type, ...others } = recorded;
  const retyped = type !== undefined && carried['content-type'] === contentTypeOf(path);
  const wanted = retyped ? recorded : others;
  return Object.entries(wanted).every(([name, value]) => carried[name] === value) ? carried : { ...carried, ...wanted };
}
