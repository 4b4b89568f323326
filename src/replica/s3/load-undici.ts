import { createRequire } from 'node:module';
import type { Agent, buildConnector } from 'undici';

/** What is used of undici. */
export interface UndiciParts {
  readonly Agent: typeof Agent;
  readonly buildConnector: typeof buildConnector;
}

/** Where undici keeps its parts, which is not promised. */
const MODULES = { Agent: 'undici/lib/dispatcher/agent.js', buildConnector: 'undici/lib/core/connect.js' } as const;

/**
 * Loads what is used of undici without the rest (fetch, web sockets, caches, mocks), which costs three times as much of a
 * processor as all else before the first request. Where a version of undici keeps it elsewhere, all of undici is loaded.
 */
export function loadUndici(require: (name: string) => unknown = createRequire(import.meta.url)): UndiciParts {
  try {
    const found = { Agent: require(MODULES.Agent), buildConnector: require(MODULES.buildConnector) };
    if (areParts(found)) return found;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return require('undici') as UndiciParts;
}

function areParts(found: { readonly [name in keyof UndiciParts]: unknown }): found is UndiciParts {
  return (
    typeof found.Agent === 'function' &&
    typeof (found.Agent.prototype as { dispatch?: unknown } | undefined)?.dispatch === 'function' &&
    typeof found.buildConnector === 'function'
  );
}

function isNotFound(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
}
