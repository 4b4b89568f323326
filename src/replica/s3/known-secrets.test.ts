import { describe, expect, it } from 'vitest';
import { rememberSecrets, withoutSecrets } from './known-secrets.js';

describe('withoutSecrets', () => {
  it('blots out every secret that was remembered, wherever it stands, also as it stands in an address', () => {
    rememberSecrets('first/secret+key', undefined, 'second secret key');
    const said = 'a first/secret+key, again first/secret+key, first%2Fsecret%2Bkey and second%20secret%20key.';
    expect(withoutSecrets(said)).toBe('a ***, again ***, *** and ***.');
  });

  it('leaves a text alone that holds none', () => {
    rememberSecrets('first/secret+key');
    expect(withoutSecrets('The key "a" is refused.')).toBe('The key "a" is refused.');
  });

  it('remembers none that is so short that it would blot out every text', () => {
    rememberSecrets('test', '');
    expect(withoutSecrets('this is a test')).toBe('this is a test');
  });

  it('remembers the latest, of which some may be in flight still', () => {
    rememberSecrets('the oldest of all', ...Array.from({ length: 32 }, (_, i) => `temporary key ${i}.`));
    expect(withoutSecrets('the oldest of all')).toBe('the oldest of all');
    expect(withoutSecrets('temporary key 0.')).toBe('***');
  });
});
