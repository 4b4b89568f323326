import { describe, expect, it, vi } from 'vitest';
import { rememberLast } from './remember-last.js';

describe('rememberLast', () => {
  it('makes an answer anew when the key is another one, and only then', () => {
    const make = vi.fn((key: string | undefined) => `${key}!`);
    const ask = rememberLast(make);
    expect([undefined, undefined, 'a', 'a', 'b', 'a'].map((key) => ask(key))).toEqual([
      'undefined!',
      'undefined!',
      'a!',
      'a!',
      'b!',
      'a!',
    ]);
    expect(make.mock.calls).toEqual([[undefined], ['a'], ['b'], ['a']]);
  });

  it('remembers an answer that is nothing, and none where there was a failure', () => {
    const make = vi.fn((key: number) => {
      if (key === 2) throw new Error('no');
      return undefined;
    });
    const ask = rememberLast(make);
    expect([ask(1), ask(1)]).toEqual([undefined, undefined]);
    expect(make).toHaveBeenCalledTimes(1);
    expect(() => ask(2)).toThrow('no');
    expect(() => ask(2)).toThrow('no');
    expect(ask(1)).toBeUndefined();
    expect(make).toHaveBeenCalledTimes(3);
  });
});
