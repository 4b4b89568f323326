import { createRequire } from 'node:module';
import type { Agent } from 'undici';

const AGENT_MODULE = 'undici/lib/dispatcher/agent.js';

/**
 * Loads the class of undici's agent without the rest of undici (fetch, web sockets, caches, mocks), which costs three times as
 * much of a processor as all else before the first request. Where a version of undici keeps it elsewhere, all of undici is loaded.
 */
export function loadAgent(require: (name: string) => unknown = createRequire(import.meta.url)): typeof Agent {
  try {
    const found = require(AGENT_MODULE);
    if (isAgentClass(found)) return found;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return (require('undici') as { readonly Agent: typeof Agent }).Agent;
}

function isAgentClass(found: unknown): found is typeof Agent {
  return typeof found === 'function' && typeof (found.prototype as { dispatch?: unknown }).dispatch === 'function';
}

function isNotFound(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
}
