/** A pair of keys, with the token that belongs to temporary ones. */
export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When temporary keys end. */
  readonly expiration?: Date;
}

/** What the configuration of AWS on this machine answers. */
export interface AwsIdentity {
  /** Gives the keys; asked again when temporary ones end. */
  readonly keys: () => Promise<Keys>;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
}

/** Asks the configuration of AWS for keys: the default chain, or one profile alone. Rejects when there are none. */
export type AwsChain = (profile: string | undefined) => Promise<AwsIdentity>;

/** The configuration of AWS as the SDK reads it: environment, shared profiles, SSO, container, instance. */
export const awsChain: AwsChain = async (profile) => {
  const keys = await providerOf(profile);
  await keys();
  const ofProfile = profile === undefined ? {} : { profile };
  const [ignored, endpoint, region] = await Promise.all([
    setting(['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'], 'ignore_configured_endpoint_urls', ofProfile),
    setting(['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'], 'endpoint_url', ofProfile),
    setting(['AWS_REGION', 'AWS_DEFAULT_REGION'], 'region', ofProfile),
  ]);
  return { keys, endpoint: ignored?.toLowerCase() === 'true' ? undefined : endpoint, region };
};

async function providerOf(profile: string | undefined): Promise<() => Promise<Keys>> {
  if (profile === undefined) {
    const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
    return defaultProvider();
  }
  // Not the default chain: it would go on to other sources when the profile has no keys.
  const { fromIni } = await import('@aws-sdk/credential-provider-ini');
  return fromIni({ profile });
}

/** One setting, from the first variable that has it, else from the profile. */
async function setting(
  variables: readonly string[],
  field: string,
  ofProfile: { readonly profile?: string },
): Promise<string | undefined> {
  const { loadConfig } = await import('@smithy/core/config');
  const found = await loadConfig<string>(
    {
      environmentVariableSelector: (env) =>
        variables.map((name) => env[name]).find((value) => value !== undefined && value !== ''),
      configFileSelector: (section) => section[field],
      // The loader takes `undefined` for "fail", an empty text for an answer.
      default: '',
    },
    ofProfile,
  )();
  return found === '' ? undefined : found;
}
