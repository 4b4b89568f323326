import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
  packages: Readonly<Record<string, LockedPackage>>;
};
const locked = Object.entries(packages).filter(([path]) => path !== '');

describe('package-lock.json', () => {
  it('lists the packages of every platform, without which npm ci refuses it', () => {
    const missing = locked.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) =>
          packages[`${path}/node_modules/${name}`] === undefined && packages[`node_modules/${name}`] === undefined,
      ),
    );
    expect(missing, 'node scripts/complete-lock.mjs adds them').toEqual([]);
    expect(locked.length).toBeGreaterThan(300);
  });

  it('gives every package a version', () => {
    expect(locked.filter(([, { version }]) => version === undefined).map(([path]) => path)).toEqual([]);
  });

  it('names no other host than the public registry', () => {
    const hosts = locked.flatMap(([, { resolved }]) => (resolved === undefined ? [] : [new URL(resolved).host]));
    expect(hosts.filter((host) => host !== 'registry.npmjs.org')).toEqual([]);
  });
});
