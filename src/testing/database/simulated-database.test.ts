import { describe, expect, it } from 'vitest';
import { databaseDuties } from './database-conformance.js';
import { SimulatedDatabaseHome, type DatabaseStep } from './simulated-database.js';

describe('SimulatedDatabaseHome', () => {
  it.each(databaseDuties)('$title', ({ run }) => run(new SimulatedDatabaseHome()));

  it('keeps everything that was written when only the process dies, and frees the lock', async () => {
    const home = new SimulatedDatabaseHome();
    const dead = await home.open();
    await dead.batch([{ type: 'put', key: 'a', value: '1' }]);
    home.crash('process');
    await expect(dead.get('a')).rejects.toMatchObject({ code: 'ERR_STATE_CLOSED' });
    const next = await home.open();
    expect(await next.get('a')).toBe('1');
  });

  it('loses what was not synced when the power goes, but for a beginning of it', async () => {
    for (const [kept, expected] of [
      [0, ['synced']],
      [1, ['first', 'synced']],
      [9, ['first', 'second', 'synced']],
    ] as const) {
      const home = new SimulatedDatabaseHome();
      const database = await home.open();
      await database.batch([{ type: 'put', key: 'synced', value: '' }], { sync: true });
      await database.batch([{ type: 'put', key: 'first', value: '' }]);
      await database.batch([{ type: 'put', key: 'second', value: '' }]);
      expect(home.unsyncedBatches).toBe(2);
      home.crash('power', kept);
      const next = await home.open();
      const keys: string[] = [];
      for await (const page of next.iterate({})) keys.push(...page.map(([key]) => key));
      expect(keys).toEqual(expected);
    }
  });

  it('makes everything before a synced batch durable with it', async () => {
    const home = new SimulatedDatabaseHome();
    const database = await home.open();
    await database.batch([{ type: 'put', key: 'a', value: '1' }]);
    await database.batch([], { sync: true });
    home.crash('power');
    expect(await (await home.open()).get('a')).toBe('1');
  });

  it('keeps the mark over a power loss', async () => {
    const home = new SimulatedDatabaseHome();
    await (await home.open()).writeMark('m');
    home.crash('power');
    expect(await (await home.open()).readMark()).toBe('m');
  });

  it('asks the step hook before every effect, and a crash during the wait prevents the effect', async () => {
    const steps: DatabaseStep[] = [];
    const home = new SimulatedDatabaseHome({
      step: async (name) => {
        steps.push(name);
        if (name === 'database.batch') home.crash('process');
      },
    });
    const database = await home.open();
    await expect(database.batch([{ type: 'put', key: 'a', value: '1' }])).rejects.toMatchObject({
      code: 'ERR_STATE_CLOSED',
    });
    expect(await (await home.open()).get('a')).toBeUndefined();
    expect(steps).toEqual(['database.open', 'database.batch', 'database.open', 'database.get']);
  });
});
