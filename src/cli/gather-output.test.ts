import { describe, expect, it } from 'vitest';
import { gatherOutput } from './gather-output.js';

describe('gatherOutput', () => {
  it('writes what came within a moment together, in its order', async () => {
    const writes: string[] = [];
    const output = gatherOutput({ write: (text) => writes.push(text) }, setImmediate);
    output.write('a\n');
    output.write('b\n');
    expect(writes).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    output.write('c\n');
    await new Promise((resolve) => setImmediate(resolve));
    expect(writes).toEqual(['a\nb\n', 'c\n']);
  });

  it('writes what is held back at once when it is told to, and not again', async () => {
    const writes: string[] = [];
    const output = gatherOutput({ write: (text) => writes.push(text) }, setImmediate);
    output.write('a\n');
    output.flush();
    expect(writes).toEqual(['a\n']);
    await new Promise((resolve) => setImmediate(resolve));
    output.flush();
    expect(writes).toEqual(['a\n']);
  });
});
