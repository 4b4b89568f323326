import { S3ConnectionError } from '../errors.js';
import { ConfigFileError } from '../store/config-file.js';
import { httpAddress } from './option-checks.js';
import type { Surroundings } from './surroundings.js';

/** What a `.s3conf.yml` says; fields that are missing or empty are `undefined`. */
export interface S3Conf {
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
}

const FIELDS = {
  accessKeyId: 'aws_access_key_id',
  secretAccessKey: 'aws_secret_access_key',
  sessionToken: 'aws_session_token',
  endpoint: 'endpoint_url',
  region: 'region_name',
} as const;

/**
 * Reads a `.s3conf.yml`, as the Python package writes it. Warns when others can read the secret in it.
 *
 * @returns `undefined` when there is no such file.
 * @throws S3ConnectionError `ERR_CREDENTIALS_FILE`, with the file and the line, and nothing of what the file holds.
 */
export async function readS3Conf(
  file: string,
  surroundings: Pick<Surroundings, 'readConfigFile' | 'warn'>,
): Promise<S3Conf | undefined> {
  const found = await surroundings.readConfigFile(file).catch((error: unknown) => {
    throw error instanceof ConfigFileError ? fileError(file, error.reason) : error;
  });
  if (found === undefined) return undefined;
  const conf = await parseS3Conf(found.text, file);
  if (found.readableByOthers && conf.secretAccessKey !== undefined) {
    surroundings.warn(
      `The file ${file} holds a secret key and can be read by other users of this machine. Run: chmod 600 ${file}`,
      'WARN_CREDENTIALS_READABLE',
    );
  }
  return conf;
}

async function parseS3Conf(text: string, file: string): Promise<S3Conf> {
  // Most machines have no such file, and reading YAML takes long to load.
  const { isMap, isScalar, LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  // The schema `failsafe` leaves every scalar a text: a key of digits alone would lose its zeros as a number.
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  const broken = document.errors[0];
  if (broken !== undefined) throw fileError(file, `is not YAML (line ${lines.linePos(broken.pos[0]).line})`);
  const root = document.contents;
  if (root === null)
    return {
      accessKeyId: undefined,
      secretAccessKey: undefined,
      sessionToken: undefined,
      endpoint: undefined,
      region: undefined,
    };
  if (!isMap(root)) throw fileError(file, 'is not a list of fields such as "aws_access_key_id: …"');
  const field = (name: string): string | undefined => {
    const pair = root.items.find(({ key }) => isScalar(key) && key.value === name);
    if (pair === undefined || pair.value === null) return undefined;
    if (!isScalar(pair.value) || typeof pair.value.value !== 'string') {
      const at = isScalar(pair.key) && pair.key.range ? ` (line ${lines.linePos(pair.key.range[0]).line})` : '';
      throw fileError(file, `has a field "${name}" that is not a text${at}`);
    }
    return pair.value.value.trim() === '' ? undefined : pair.value.value.trim();
  };
  const conf = {
    accessKeyId: field(FIELDS.accessKeyId),
    secretAccessKey: field(FIELDS.secretAccessKey),
    sessionToken: field(FIELDS.sessionToken),
    endpoint: field(FIELDS.endpoint),
    region: field(FIELDS.region),
  };
  if (conf.endpoint !== undefined && httpAddress(conf.endpoint) !== undefined) {
    throw fileError(
      file,
      `has a field "${FIELDS.endpoint}" that is not an address such as "https://storage.example.com"`,
    );
  }
  return conf;
}

function fileError(file: string, reason: string): S3ConnectionError {
  return new S3ConnectionError(
    'ERR_CREDENTIALS_FILE',
    `The credentials file ${file} cannot be used: it ${reason}. Correct it or move it away; no other source was tried.`,
    { data: { file } },
  );
}

/** Says why a file is no source of keys; `undefined`: it is one. */
export function missingInS3Conf(conf: S3Conf): string | undefined {
  const missing = [
    ...(conf.accessKeyId === undefined ? [FIELDS.accessKeyId] : []),
    ...(conf.secretAccessKey === undefined ? [FIELDS.secretAccessKey] : []),
  ];
  return missing.length === 0 ? undefined : `lacks ${missing.join(' and ')}`;
}
