import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ENGINE_OPTIONS } from './tune-engine.js';

describe('ENGINE_OPTIONS', () => {
  it('are known to the V8 of this Node.js', () => {
    const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
    for (const option of ENGINE_OPTIONS) expect(known).toContain(`${option.split('=')[0]} (`);
  });

  it('are taken without a word', () => {
    const script = `for (const option of ${JSON.stringify(ENGINE_OPTIONS)}) require('node:v8').setFlagsFromString(option)`;
    expect(execFileSync(process.execPath, ['--eval', script], { encoding: 'utf8', stdio: 'pipe' })).toBe('');
  });
});
