import { describeScenarios } from '../e2e/scenarios.js';
import { serverFromEnvironment } from './server-from-environment.js';

const server = serverFromEnvironment();

describeScenarios(`sync on ${server.endpoint}`, () => server);
