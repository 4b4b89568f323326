import type { ConnectOptions } from './connect-options.js';
import { openConnection } from './open-connection.js';
import { createSlimClient, type ServiceClient } from './slim-client.js';
import { createClient } from './sdk.js';
import { processSurroundings, type Surroundings } from './surroundings.js';

/**
 * `connect` for the command: without loading the AWS SDK wherever it is not needed to find the bucket.
 *
 * @param onAsked - called when the service was asked, before it has answered.
 */
export function connectSlim(
  options: ConnectOptions,
  onAsked?: () => void,
  surroundings: Surroundings = processSurroundings(),
): Promise<ServiceClient> {
  return openConnection<ServiceClient>(
    options,
    surroundings,
    async (plan) => createSlimClient(plan, surroundings.env) ?? createClient(plan.config),
    onAsked,
  );
}
