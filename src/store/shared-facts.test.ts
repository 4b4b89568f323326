import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSharedFacts } from './shared-facts.js';

describe('openSharedFacts', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'fcs-facts-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('keeps facts by name, for whoever opens the same directory', async () => {
    await openSharedFacts(directory).put('store a', { conditional: true });
    await openSharedFacts(directory).put('store b', { conditional: false });
    const facts = openSharedFacts(directory);
    expect(await facts.get('store a')).toEqual({ conditional: true });
    expect(await facts.get('store b')).toEqual({ conditional: false });
    expect(await facts.get('store c')).toBeUndefined();
  });

  it('believes nothing that was altered, cut off, or noted under another name', async () => {
    const facts = openSharedFacts(directory);
    await facts.put('store a', { conditional: false });
    const [name = ''] = await readdir(path.join(directory, 'facts'));
    const file = path.join(directory, 'facts', name);
    const text = await readFile(file, 'utf8');
    for (const damaged of [text.replace('false', 'true '), text.slice(0, -3), '', '{}']) {
      await writeFile(file, damaged);
      expect(await facts.get('store a'), damaged).toBeUndefined();
    }
  });

  it('takes the same fact from many writers at once', async () => {
    const facts = openSharedFacts(directory);
    await Promise.all(Array.from({ length: 20 }, () => facts.put('store a', { conditional: true })));
    expect(await facts.get('store a')).toEqual({ conditional: true });
    expect(await readdir(path.join(directory, 'facts'))).toHaveLength(1);
  });
});
