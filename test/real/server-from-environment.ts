import type { ServerUnderTest } from '../e2e/world.js';

/** The real server that the environment names; the run itself refuses to begin without one. */
export function serverFromEnvironment(): ServerUnderTest {
  const of = (name: string): string => {
    const value = process.env[name];
    if (value === undefined || value === '') throw new Error(`${name} is not set`);
    return value;
  };
  return {
    endpoint: of('FCS_TEST_ENDPOINT'),
    accessKeyId: of('FCS_TEST_ACCESS_KEY'),
    secretAccessKey: of('FCS_TEST_SECRET_KEY'),
  };
}
