import { throwIfAborted } from '../../errors.js';
import { forgetUpload, isUnheard } from './create-upload.js';
import type { S3Context } from './s3-context.js';
import type { RememberedUpload } from './upload-memory.js';

/** Aborts the uploads that earlier runs of this pair began and nobody will go on with. Those of others are not looked at. */
export async function cleanUpUploads(
  context: S3Context,
  keep: (upload: RememberedUpload) => boolean | Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const upload of await context.uploads.list()) {
    throwIfAborted(signal);
    if (isUnheard(upload) || !(await keep(upload))) await forgetUpload(context, upload, true);
  }
}
