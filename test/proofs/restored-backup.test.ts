import { describe, expect, it } from 'vitest';
import { ProofMachine, ProofService } from './proof-world.js';

async function twoSides(count = 20): Promise<{ service: ProofService; machine: ProofMachine }> {
  const service = new ProofService();
  const machine = new ProofMachine('m', service);
  for (let i = 0; i < count; i++) machine.disk.user.writeFile(`f${i}`, `content ${i}`);
  await machine.sync();
  service.clock.pass(60_000);
  await machine.sync();
  return { service, machine };
}

describe('a memory out of a backup', () => {
  it('deletes nothing that was deleted on both sides and made again elsewhere', async () => {
    const { service, machine } = await twoSides();
    const backup = machine.backupDatabase();
    machine.disk.user.remove('f1');
    await machine.sync();
    await service.put('f1', 'content 1');
    machine.restoreDatabase(backup);
    const result = await machine.sync();
    expect(result.changes).toEqual([{ path: 'f1', operation: 'added', origin: 'remote' }]);
    expect(result.rebuilt).toBe(true);
    expect(machine.files().get('f1')).toBe('content 1');
    expect(machine.words().join()).toContain('restored from a backup');
  });

  it('deletes no file that was deleted on both sides and made again in the folder', async () => {
    const { service, machine } = await twoSides();
    const backup = machine.backupDatabase();
    await service.remove('f1');
    await machine.sync();
    machine.disk.user.writeFile('f1', 'content 1');
    machine.restoreDatabase(backup);
    await machine.sync();
    expect((await service.objects()).get('f1')).toBe('content 1');
    expect(machine.files().get('f1')).toBe('content 1');
  });

  it('does not overwrite a version that came back to what it once was', async () => {
    const { service, machine } = await twoSides();
    const backup = machine.backupDatabase();
    machine.disk.user.writeFile('f1', 'second');
    await machine.sync();
    await service.put('f1', 'content 1');
    machine.restoreDatabase(backup);
    await machine.sync();
    const found = [...machine.files().values(), ...machine.trashed(), ...(await service.objects()).values()];
    expect(found).toEqual(expect.arrayContaining(['second', 'content 1']));
    expect(machine.files().get('f1')).toBe('content 1');
  });

  it('is noticed in a plan too, which touches nothing', async () => {
    const { service, machine } = await twoSides();
    const backup = machine.backupDatabase();
    machine.disk.user.remove('f1');
    await machine.sync();
    await service.put('f1', 'content 1');
    machine.restoreDatabase(backup);
    const plan = await machine.plan();
    expect(plan.changes).toEqual([{ path: 'f1', operation: 'added', origin: 'remote' }]);
    expect(machine.backupDatabase().rows).toEqual(backup.rows);
  });
});

describe('a folder out of a backup', () => {
  it('loses nothing in the bucket that was added since', async () => {
    const { service, machine } = await twoSides();
    const stamp = machine.disk.user.readText('.filecloudsync/stamp');
    await service.put('new', 'added later');
    await machine.sync();
    machine.disk.user.remove('new');
    machine.disk.user.writeFile('.filecloudsync/stamp', stamp);
    const result = await machine.sync();
    expect(result.rebuilt).toBe(true);
    expect((await service.objects()).get('new')).toBe('added later');
    expect(machine.files().get('new')).toBe('added later');
  });

  it('that was copied without what is hidden loses nothing in the bucket', async () => {
    const { service, machine } = await twoSides();
    machine.disk.user.remove('.filecloudsync');
    for (const path of ['f1', 'f2', 'f3']) machine.disk.user.remove(path);
    const result = await machine.sync();
    expect(result.changes.map(({ operation }) => operation)).toEqual(['added', 'added', 'added']);
    expect(await service.objects()).toEqual(machine.files());
  });
});

describe('a folder that takes its place back while a run fills the place below it', () => {
  it('loses nothing in the bucket, whenever that happens', async () => {
    let wasLast = false;
    for (let at = 1; !wasLast; at++) {
      const service = new ProofService();
      const machine = new ProofMachine('m', service, { concurrency: 4 });
      const { user, root } = machine.disk;
      for (const name of ['e', 'f', 'g']) await service.put(name, `content of ${name}`);
      user.writeFile('f', 'content of f');
      user.rename(root, '/unmounted');
      user.makeDirectory(root);
      let operations = 0;
      machine.disk.step = () => {
        if (++operations !== at) return;
        user.rename(root, '/below');
        user.rename('/unmounted', root);
      };
      await machine.sync().catch(() => undefined);
      machine.disk.step = undefined;
      wasLast = operations < at;
      if (wasLast) break;
      const halted = await machine.sync().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect([...(await service.objects()).keys()], `mounted at operation ${at}`).toEqual(['e', 'f', 'g']);
      if (halted === undefined) expect([...machine.files().keys()].toSorted()).toEqual(['e', 'f', 'g']);
      else expect(halted).toMatchObject({ code: 'ERR_ROOT_REPLACED' });
    }
  });
});

describe('a memory that belongs to its folder', () => {
  it.each(['all', 'durable'] as const)(
    'is believed after a crash at any step of a cycle (what survives: %s)',
    { timeout: 120_000 },
    async (keep) => {
      const { service, machine } = await twoSides(3);
      let crashes = 0;
      for (let at = keep === 'all' ? 1 : 2; at < 400; at += 5) {
        await service.put('f1', `version ${at}`);
        let operations = 0;
        machine.disk.step = () => {
          if (++operations !== at) return;
          machine.disk.crash({ keep });
          machine.home.crash(keep === 'all' ? 'process' : 'power');
        };
        await machine.sync().catch(() => undefined);
        machine.disk.step = undefined;
        const result = await machine.sync();
        expect(result.rebuilt, `after a crash at operation ${at}`).toBe(false);
        expect(machine.files().get('f1')).toBe(`version ${at}`);
        if (operations < at) break;
        crashes++;
      }
      expect(crashes).toBeGreaterThan(12);
    },
  );

  it('is believed when no stamp can be written', async () => {
    const { service, machine } = await twoSides(3);
    machine.disk.fault = (operation) =>
      operation.startsWith('rename') && operation.includes('stamp') ? 'ENOSPC' : undefined;
    machine.disk.user.writeFile('f1', 'edited');
    expect((await machine.sync()).problems).toEqual([]);
    machine.disk.user.writeFile('f2', 'edited as well');
    expect(await machine.sync()).toMatchObject({ rebuilt: false, problems: [] });
    expect(await service.objects()).toEqual(machine.files());
  });

  it('is exchanged only in cycles that change what is remembered', async () => {
    const { machine } = await twoSides();
    const before = machine.disk.user.readText('.filecloudsync/stamp');
    await machine.sync();
    expect(machine.disk.user.readText('.filecloudsync/stamp')).toBe(before);
  });
});
