import { homedir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { describePair, normalizeIdentity, pairIdOf, type PairIdentity } from './pair-identity.js';
import { pairPathsOf, stateDirectoryOf } from './state-directory.js';

describe('stateDirectoryOf', () => {
  it('takes the option before the environment, and the environment before the platform', () => {
    const environment = { FILECLOUDSYNC_STATE_DIR: '/from/env', XDG_STATE_HOME: '/xdg', HOME: '/home/u' };
    expect(stateDirectoryOf({ stateDir: '/from/option', environment })).toBe(path.resolve('/from/option'));
    expect(stateDirectoryOf({ environment })).toBe(path.resolve('/from/env'));
    expect(stateDirectoryOf({ stateDir: '', environment })).toBe(path.resolve('/from/env'));
  });

  it('makes a relative directory absolute', () => {
    expect(stateDirectoryOf({ stateDir: 'state', environment: {} })).toBe(path.resolve('state'));
  });

  it.skipIf(process.platform === 'win32' || process.platform === 'darwin')(
    "follows the XDG specification, and reads no environment but the caller's",
    () => {
      expect(stateDirectoryOf({ environment: { XDG_STATE_HOME: '/xdg', HOME: '/home/u' } })).toBe('/xdg/filecloudsync');
      expect(stateDirectoryOf({ environment: { XDG_STATE_HOME: 'relative', HOME: '/home/u' } })).toBe(
        '/home/u/.local/state/filecloudsync',
      );
      expect(stateDirectoryOf({ environment: { FILECLOUDSYNC_STATE_DIR: '', HOME: '/home/u' } })).toBe(
        '/home/u/.local/state/filecloudsync',
      );
      expect(path.isAbsolute(stateDirectoryOf({ environment: {} }))).toBe(true);
      expect(homedir()).not.toBe('/home/u');
    },
  );
});

describe('pairIdOf', () => {
  const pair: PairIdentity = { endpoint: 'https://s3.example.com', bucket: 'b', prefix: 'p/', folder: '/f' };

  it('differs when any part differs, wherever one part ends and the next begins', () => {
    const ids = [
      pair,
      { ...pair, endpoint: 'https://s3.example.org' },
      { ...pair, endpoint: 'http://s3.example.com' },
      { ...pair, bucket: 'bp', prefix: '/' },
      { ...pair, bucket: 'b","p/', prefix: '' },
      { ...pair, prefix: 'p' },
      { ...pair, prefix: '', folder: 'p//f' },
      { ...pair, folder: '/F' },
    ].map(pairIdOf);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is the same for two ways to write one endpoint', () => {
    for (const endpoint of [
      'https://S3.example.com/',
      'https://s3.example.com:443',
      'https://user:secret@s3.example.com?token=secret',
    ]) {
      expect(pairIdOf({ ...pair, endpoint })).toBe(pairIdOf(pair));
    }
  });

  it('never keeps what is secret in an endpoint', () => {
    const secret = normalizeIdentity({
      ...pair,
      endpoint: 'https://key:hunter2@s3.example.com/base/?X-Amz-Signature=hunter2#hunter2',
    });
    expect(secret.endpoint).toBe('https://s3.example.com/base');
    expect(describePair(secret)).toBe('/f with s3://b/p/ at https://s3.example.com/base');
  });

  it('keeps a name that is no address as it is', () => {
    expect(normalizeIdentity({ ...pair, endpoint: 'aws' }).endpoint).toBe('aws');
  });
});

describe('pairPathsOf', () => {
  it('puts everything of one pair below one directory', () => {
    const { directory, ...files } = pairPathsOf('/state', 'id');
    expect(directory).toBe(path.join('/state', 'pairs', 'id'));
    expect(Object.values(files).map((file) => path.dirname(file))).toEqual(Object.values(files).map(() => directory));
  });
});
