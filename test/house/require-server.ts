/** Refuses a run of the tests against a real server when none is named: it must not look like a pass. */
export function setup(): void {
  const missing = ['FCS_TEST_ENDPOINT', 'FCS_TEST_ACCESS_KEY', 'FCS_TEST_SECRET_KEY'].filter(
    (name) => (process.env[name] ?? '') === '',
  );
  if (missing.length > 0)
    throw new Error(
      `${missing.join(', ')} not set: start a server (scripts/ceph/start.sh) and set them as CONTRIBUTING.md says`,
    );
}
