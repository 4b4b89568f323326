#!/usr/bin/env node
// Nothing is imported here that an old Node.js could not read: its first words must be ours.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `filecloudsync needs Node.js 20.19 or newer; this is ${process.versions.node}. Install a newer one from https://nodejs.org.\n`,
  );
  process.exitCode = 1;
} else {
  const { runProcess } = await import('./run-process.js');
  await runProcess();
}

export {};
