import { createRequire } from 'node:module';
import { Agent } from 'undici';
import { describe, expect, it } from 'vitest';
import { loadAgent } from './load-agent.js';

const require = createRequire(import.meta.url);

describe('loadAgent', () => {
  it('gives the agent of undici without loading all of undici', () => {
    const asked: string[] = [];
    const found = loadAgent((name) => {
      asked.push(name);
      return require(name) as unknown;
    });
    expect(found).toBe(require('undici').Agent);
    expect(found.name).toBe(Agent.name);
    expect(asked).toEqual(['undici/lib/dispatcher/agent.js']);
  });

  it.each(['MODULE_NOT_FOUND', 'ERR_PACKAGE_PATH_NOT_EXPORTED'])(
    'loads all of undici where the part answers %s',
    (code) => {
      const found = loadAgent((name) => {
        if (name !== 'undici') throw Object.assign(new Error('no such module'), { code });
        return require(name) as unknown;
      });
      expect(found).toBe(require('undici').Agent);
    },
  );

  it('loads all of undici where something else stands at the place of the part', () => {
    const found = loadAgent((name) => (name === 'undici' ? (require(name) as unknown) : {}));
    expect(found).toBe(require('undici').Agent);
  });

  it('passes on any other failure', () => {
    const broken = new SyntaxError('broken');
    expect(() =>
      loadAgent(() => {
        throw broken;
      }),
    ).toThrow(broken);
  });
});
