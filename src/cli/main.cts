#!/usr/bin/env node
// Nothing is here that an old Node.js could not read: its first words must be ours. And nothing that waits for a disk: how many
// threads do so is settled when the first is needed, which for a module is while it is read.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `filecloudsync needs Node.js 20.19 or newer; this is ${process.versions.node}. Install a newer one from https://nodejs.org.\n`,
  );
  process.exitCode = 1;
} else {
  // So many files are made durable at a time, several of which a disk does in one go. Node.js itself takes 4 threads.
  const asked = process.env['UV_THREADPOOL_SIZE'];
  if (asked === undefined || asked === '') process.env['UV_THREADPOOL_SIZE'] = '16';
  // It ends the process with a code of its own. One that ends without is not taken for a success.
  process.exitCode = 1;
  void import('./run-process.js').then(async ({ runProcess }) => runProcess());
}
