import { startS3Server } from '../../src/testing/s3/server.js';
import { DIALECTS } from '../../src/testing/s3/dialects.js';
import { KEYS } from './run-command.js';

// Pieces may be small, so that there are many steps in little time.
const dialect = { ...DIALECTS.aws, leastPartBytes: 1 };
// Killing the client never costs the server its data, so it need not wait for the disk.
const server = await startS3Server({ credentials: KEYS, directory: process.argv[2] ?? '', durable: false, dialect });
process.stdout.write(`${server.endpoint}\n`);
// Ends with the process that started it.
process.stdin.resume();
process.stdin.on('end', () => void server.close().then(() => process.exit(0)));
