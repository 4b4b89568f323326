import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';

/** The client library of AWS. Loaded when it is first needed, because it takes longer than all the rest together. */
export function loadSdk(): Promise<typeof import('@aws-sdk/client-s3')> {
  return import('@aws-sdk/client-s3');
}

const NOTICE_SWITCH = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

/**
 * Makes a client without the SDK's notice about coming versions of Node.js, which is no concern of the people who run a
 * command. The SDK's own switch is set for just this call; every other warning of it is shown as ever.
 */
export async function createClient(config: S3ClientConfig): Promise<S3Client> {
  const { S3Client: Client } = await loadSdk();
  const before = process.env[NOTICE_SWITCH];
  process.env[NOTICE_SWITCH] = 'true';
  try {
    return new Client(config);
  } finally {
    if (before === undefined) delete process.env[NOTICE_SWITCH];
    else process.env[NOTICE_SWITCH] = before;
  }
}
