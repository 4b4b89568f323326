import path from 'node:path';
import { S3ConnectionError, UsageError } from '../errors.js';
import type { AwsIdentity, Keys } from './aws-chain.js';
import type { CredentialOptions } from './connect-options.js';
import { httpAddress } from './option-checks.js';
import { missingInS3Conf, readS3Conf } from './s3conf.js';
import type { Surroundings } from './surroundings.js';

/** Keys, where they came from, and the service they belong to. */
export interface Identity {
  /** The source in words, for messages. */
  readonly source: string;
  /** Gives the keys; asked again when temporary ones end. */
  readonly keys: () => Promise<Keys>;
  /** The keys are always the same ones. */
  readonly isFixed: boolean;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
}

/** A place that was asked: an identity, or why it is none. */
type Answer = { readonly identity: Identity } | { readonly why: string; readonly cause?: unknown };

/**
 * Looks for keys in the order of the documentation and takes the first source that has both. The options must have been checked.
 *
 * @throws S3ConnectionError `ERR_NO_CREDENTIALS`, with every place that was looked at and what it lacked;
 * `ERR_CREDENTIALS_FILE` when a file stands in the way.
 */
export async function findIdentity(options: CredentialOptions, surroundings: Surroundings): Promise<Identity> {
  const looked: string[] = [];
  let cause: unknown;
  for (const ask of sources(options, surroundings)) {
    // One after the other: a later source must not even be opened when an earlier one has the keys.
    const answer = await ask();
    if ('identity' in answer) return withPlace(answer.identity, options, surroundings.env);
    looked.push(answer.why);
    cause = answer.cause ?? cause;
  }
  throw new S3ConnectionError(
    'ERR_NO_CREDENTIALS',
    `No credentials for S3 were found. Looked for an access key and its secret in this order:\n${looked.map((line) => `- ${line}`).join('\n')}\nGive both in one of these places.`,
    { data: { looked }, cause },
  );
}

function sources(options: CredentialOptions, surroundings: Surroundings): (() => Promise<Answer>)[] {
  const { profile } = options;
  if (profile !== undefined) return [() => fromAws(surroundings, profile)];
  const files = new Set([path.join(surroundings.cwd, '.s3conf.yml'), path.join(surroundings.home, '.s3conf.yml')]);
  return [
    () => Promise.resolve(fromArguments(options)),
    () => Promise.resolve(fromEnvironment(surroundings.env)),
    ...[...files].map((file) => () => fromFile(file, surroundings)),
    () => fromAws(surroundings, undefined),
  ];
}

function fromArguments(options: CredentialOptions): Answer {
  const { accessKeyId, secretAccessKey, sessionToken } = options;
  if (accessKeyId === undefined || secretAccessKey === undefined) return { why: 'the arguments: none given' };
  return {
    identity: fixed('the arguments', {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
    }),
  };
}

function fromEnvironment(env: Surroundings['env']): Answer {
  const accessKeyId = variable(env, 'S3_ACCESS_KEY');
  const secretAccessKey = variable(env, 'S3_SECRET_KEY');
  const sessionToken = variable(env, 'S3_SESSION_TOKEN');
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return {
      identity: fixed('the environment', {
        accessKeyId,
        secretAccessKey,
        ...(sessionToken !== undefined && { sessionToken }),
      }),
    };
  }
  if (accessKeyId !== undefined) return { why: 'the environment: S3_ACCESS_KEY is set, S3_SECRET_KEY is not' };
  if (secretAccessKey !== undefined) return { why: 'the environment: S3_SECRET_KEY is set, S3_ACCESS_KEY is not' };
  return { why: 'the environment: S3_ACCESS_KEY and S3_SECRET_KEY are not set' };
}

async function fromFile(file: string, surroundings: Surroundings): Promise<Answer> {
  const conf = await readS3Conf(file, surroundings);
  if (conf === undefined) return { why: `the file ${file}: not there` };
  const { accessKeyId, secretAccessKey, sessionToken, endpoint, region } = conf;
  if (accessKeyId === undefined || secretAccessKey === undefined)
    return { why: `the file ${file}: it ${missingInS3Conf(conf)}` };
  const keys = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
  return { identity: { ...fixed(`the file ${file}`, keys), endpoint, region } };
}

async function fromAws(surroundings: Surroundings, profile: string | undefined): Promise<Answer> {
  const source = profile === undefined ? 'the AWS default chain' : `the AWS profile "${profile}"`;
  let found: AwsIdentity;
  try {
    found = await surroundings.awsChain(profile);
  } catch (cause) {
    // A program named in a profile may have its secrets in its command line or in what it printed.
    const told =
      cause instanceof Error &&
      /^(Credentials|Token)ProviderError$/.test(cause.name) &&
      !cause.message.includes('ommand failed');
    return told ? { why: `${source}: ${cause.message}`, cause } : { why: `${source}: gave none` };
  }
  return { identity: { source, isFixed: false, ...found } };
}

function withPlace(identity: Identity, options: CredentialOptions, env: Surroundings['env']): Identity {
  const endpointOfEnvironment = variable(env, 'S3_ENDPOINT');
  const endpoint = options.endpoint ?? endpointOfEnvironment ?? identity.endpoint;
  const wrong = endpoint === undefined ? undefined : httpAddress(endpoint);
  if (wrong !== undefined) {
    const where =
      endpoint === endpointOfEnvironment ? 'the variable S3_ENDPOINT' : `the endpoint of ${identity.source}`;
    throw new UsageError('ERR_USAGE', `The address of the service, in ${where}, cannot be used: it ${wrong}.`, {
      data: { where },
    });
  }
  return { ...identity, endpoint, region: options.region ?? variable(env, 'S3_REGION') ?? identity.region };
}

function fixed(source: string, keys: Keys): Identity {
  return { source, keys: () => Promise.resolve(keys), isFixed: true, endpoint: undefined, region: undefined };
}

function variable(env: Surroundings['env'], name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}
