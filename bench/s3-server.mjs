// Runs the embedded S3 server in a process of its own; answers 'counts' over IPC with what it was asked so far.
const dist = process.env.FILECLOUDSYNC_DIST ?? new URL('../dist', import.meta.url).href;
const { startS3Server } = await import(`${dist}/testing/index.js`);

const [directory] = process.argv.slice(2);
const server = await startS3Server({
  credentials: { accessKeyId: 'bench-access-key', secretAccessKey: 'bench-secret-key' },
  ...(directory !== undefined && { directory }),
});
async function obey(message) {
  if (message === 'counts') {
    const { requests, bytesIn, bytesOut, byOperation } = server.core.counter;
    process.send({ requests, bytesIn, bytesOut, byOperation: { ...byOperation } });
  }
  if (message === 'stop') {
    await server.close();
    process.disconnect();
  }
}
process.on('message', (message) => void obey(message));
// Whoever started it may have died.
process.on('disconnect', () => process.exit());
process.send({ endpoint: server.endpoint });
