import { contentTypeOf } from './content-type.js';

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
