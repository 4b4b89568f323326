import { parseArgs } from 'node:util';
import { DIALECTS, type DialectName } from './dialects.js';
import { badDay } from './faults.js';
import { startS3Server } from './server.js';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    directory: { type: 'string' },
    'access-key-id': { type: 'string', default: 'TRYOUTKEY' },
    'secret-access-key': { type: 'string', default: 'TRYOUTSECRET' },
    dialect: { type: 'string', default: 'aws' },
    faults: { type: 'string', default: '0' },
    'no-fsync': { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

function isDialect(name: string): name is DialectName {
  return Object.hasOwn(DIALECTS, name);
}

const port = Number(values.port);
const probability = Number(values.faults);
if (!isDialect(values.dialect) || !(port >= 0 && port < 65_536) || !(probability >= 0 && probability <= 1)) {
  process.stderr.write(
    `--port takes 0 to 65535, --faults 0 to 1, --dialect one of: ${Object.keys(DIALECTS).join(', ')}\n`,
  );
  process.exit(2);
}
const server = await startS3Server({
  port,
  durable: !values['no-fsync'],
  credentials: { accessKeyId: values['access-key-id'], secretAccessKey: values['secret-access-key'] },
  dialect: values.dialect,
  ...(values.directory === undefined ? {} : { directory: values.directory }),
  ...(probability === 0 ? {} : { faults: { rules: badDay(probability) } }),
  ...(values.verbose ? { log: (line: string) => void process.stderr.write(`${line}\n`) } : {}),
});
process.stdout.write(
  `${server.endpoint}\nAn S3 server for trying out and for tests: it holds nothing that matters, and listens on 127.0.0.1 alone.\n`,
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());
