import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { engineOptions } from './tune-engine.js';

const major = Number.parseInt(process.versions.node, 10);

describe('engineOptions', () => {
  it('are taken without a word by the V8 of this Node.js', () => {
    const script = `for (const option of ${JSON.stringify(engineOptions(major))}) require('node:v8').setFlagsFromString(option)`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--eval', script], { encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('are none for a Node.js that nobody has tried', () => {
    expect(engineOptions(99)).toEqual([]);
    expect(engineOptions(20)).not.toEqual([]);
  });
});
