// Asks the registry for known advisories about what a user installs. Some registries and networks have no such service:
// then this says so, and does not fail.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json', '--audit=true'], {
  cwd: root,
  encoding: 'utf8',
  timeout: 60_000,
});
let report;
try {
  report = JSON.parse(stdout);
} catch {
  report = {};
}
const counts = report.metadata?.vulnerabilities;
if (counts === undefined) {
  console.log('= not checked: the registry of this network answers no audit');
} else {
  if (counts.total > 0) {
    for (const [name, { severity, range }] of Object.entries(report.vulnerabilities))
      console.error(`${severity}: ${name} ${range}`);
    process.exitCode = 1;
  }
  console.log(`= ${counts.total} known advisories`);
}
