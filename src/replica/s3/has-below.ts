import { hasKeyWith } from './has-key.js';
import type { S3Context } from './s3-context.js';

/** Whether any object stands below a path: a LIST of one key. A marker `path/` counts as well. */
export function hasObjectBelow(context: S3Context, path: string, signal: AbortSignal | undefined): Promise<boolean> {
  return hasKeyWith(context, `${context.keys.keyOf(path)}/`, `looking below "${path}" in the bucket`, signal);
}
