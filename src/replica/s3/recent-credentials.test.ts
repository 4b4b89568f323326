import { describe, expect, it } from 'vitest';
import type { ClientConfig } from './client-config.js';
import { withoutSecrets } from './known-secrets.js';
import { RecentCredentials } from './recent-credentials.js';

function world() {
  const state = { nowMs: 1_000_000, asked: 0, fails: false };
  const config = {
    credentials: async () => {
      state.asked++;
      if (state.fails) throw new Error('no profile');
      return { accessKeyId: `key ${state.asked}`, secretAccessKey: `a secret of number ${state.asked}` };
    },
  } as Partial<ClientConfig> as ClientConfig;
  const clock = { nowMs: () => state.nowMs, sleep: async () => undefined };
  return { state, credentials: new RecentCredentials({ config }, clock) };
}

describe('RecentCredentials', () => {
  it('has those at hand that were asked for in the last five seconds', async () => {
    const { state, credentials } = world();
    expect(credentials.atHand).toBeUndefined();
    expect(await credentials.ask()).toMatchObject({ accessKeyId: 'key 1' });
    state.nowMs += 4999;
    expect(credentials.atHand).toMatchObject({ accessKeyId: 'key 1' });
    state.nowMs += 1;
    expect(credentials.atHand).toBeUndefined();
    expect(await credentials.ask()).toMatchObject({ accessKeyId: 'key 2' });
    expect(credentials.atHand).toMatchObject({ accessKeyId: 'key 2' });
    expect(state.asked).toBe(2);
  });

  it('asks again after the clock was set back', async () => {
    const { state, credentials } = world();
    await credentials.ask();
    state.nowMs -= 3_600_000;
    expect(credentials.atHand).toBeUndefined();
  });

  it('remembers each secret as one that must not be shown', async () => {
    await world().credentials.ask();
    expect(withoutSecrets('it is a secret of number 1')).toBe('it is ***');
  });

  it('says that none could be had, and why', async () => {
    const { state, credentials } = world();
    state.fails = true;
    await expect(credentials.ask()).rejects.toMatchObject({
      code: 'ERR_S3_CREDENTIALS',
      cause: new Error('no profile'),
    });
    expect(credentials.atHand).toBeUndefined();
  });
});
