import { describeScenarios } from '../e2e/scenarios.js';
import { serverFromEnvironment } from './server-from-environment.js';

const server = serverFromEnvironment();

describeScenarios(`sync on ${server.endpoint}`, () => server, {
  keysAreFiles: process.env['FCS_TEST_KEYS_ARE_FILES'] === '1',
});
