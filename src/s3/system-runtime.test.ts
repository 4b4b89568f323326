import { describe, expect, it } from 'vitest';
import { systemRuntime } from './system-runtime.js';

describe('the ids of this machine', () => {
  const { random } = systemRuntime;

  it.each([0, 1, 12, 600])('have the length that is asked for: %d', (length) => {
    expect(random.id(length)).toMatch(new RegExp(`^[0-9a-z]{${length}}$`));
  });

  it('are never the same', () => {
    const ids = Array.from({ length: 10_000 }, () => random.id(12));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('hold each letter and digit as often as any other', () => {
    const counts = new Map<string, number>();
    const length = 360_000;
    for (const letter of random.id(length)) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    expect(counts.size).toBe(36);
    // 10,000 of each, give or take 100: six of these is chance once in a million runs.
    for (const count of counts.values()) expect(Math.abs(count - length / 36)).toBeLessThan(600);
  });
});
