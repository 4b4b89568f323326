import { createRequire } from 'node:module';
import { Agent, buildConnector } from 'undici';
import { describe, expect, it } from 'vitest';
import { loadUndici } from './load-undici.js';

const require = createRequire(import.meta.url);

describe('loadUndici', () => {
  it('gives what is used of undici without loading all of undici', () => {
    const asked: string[] = [];
    const found = loadUndici((name) => {
      asked.push(name);
      return require(name) as unknown;
    });
    expect(found.Agent).toBe(require('undici').Agent);
    expect(found.Agent.name).toBe(Agent.name);
    expect(found.buildConnector).toBe(buildConnector);
    expect(asked).toEqual(['undici/lib/dispatcher/agent.js', 'undici/lib/core/connect.js']);
  });

  it.each(['MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED'])(
    'loads all of undici where the part answers %s',
    (code) => {
      const found = loadUndici((name) => {
        if (name !== 'undici') throw Object.assign(new Error('no such module'), { code });
        return require(name) as unknown;
      });
      expect(found).toBe(require('undici'));
    },
  );

  it.each<[string, unknown]>([
    ['undici/lib/dispatcher/agent.js', {}],
    ['undici/lib/dispatcher/agent.js', undefined],
    ['undici/lib/dispatcher/agent.js', () => undefined],
    ['undici/lib/core/connect.js', {}],
  ])('loads all of undici where something else stands at %s', (place, other) => {
    expect(loadUndici((name) => (name === place ? other : (require(name) as unknown)))).toBe(require('undici'));
  });

  it('passes on any other failure', () => {
    const broken = new SyntaxError('broken');
    expect(() =>
      loadUndici(() => {
        throw broken;
      }),
    ).toThrow(broken);
  });
});
