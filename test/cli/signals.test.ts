import { describe, expect, it } from 'vitest';
import { cycle, FakeMonitor, Run } from './harness.js';

const PAIR = ['.', 's3://bucket'];

describe('signals', () => {
  it('the first lets sync finish and ends with 130', async () => {
    const made = new Run();
    const code = await made.run(['sync', ...PAIR], {
      pair: {
        sync: async ({ signal, softSignal } = {}) => {
          made.press();
          expect([softSignal?.aborted, signal?.aborted]).toEqual([true, false]);
          return cycle({ changes: [{ path: 'a', operation: 'added', origin: 'local' }] });
        },
      },
    });
    expect(code).toBe(130);
    expect(made.stderr).toContain('Finishing what is running');
    expect(made.stdout).toContain('1 file up');
  });

  it('the second cancels', async () => {
    const made = new Run();
    const code = await made.run(['sync', ...PAIR], {
      pair: {
        sync: async ({ signal } = {}) => {
          made.press();
          made.press();
          signal?.throwIfAborted();
          return cycle();
        },
      },
    });
    expect(code).toBe(130);
    expect(made.stderr).toContain('Cancelling.');
    expect(made.exited).toBeUndefined();
    expect([made.closed, made.destroyed]).toEqual([1, 1]);
  });

  it('the third leaves at once with 130', async () => {
    const made = new Run();
    await made.run(['sync', ...PAIR], {
      pair: {
        sync: async () => {
          made.press();
          made.press('SIGTERM');
          made.press();
          return cycle();
        },
      },
    });
    expect(made.exited).toBe(130);
  });

  it('a Ctrl-C that npx passes on once more counts as one', async () => {
    const made = new Run();
    await made.run(['sync', ...PAIR], {
      pair: {
        sync: async ({ signal } = {}) => {
          made.press();
          made.press('SIGINT', 20);
          expect(signal?.aborted).toBe(false);
          return cycle();
        },
      },
    });
    expect(made.stderr).not.toContain('Cancelling.');
  });

  it('the first cancels while nothing was begun', async () => {
    const made = new Run();
    const code = await made.run(['sync', ...PAIR], {
      connect: () => {
        made.press();
        return new Promise(() => undefined);
      },
    });
    expect(code).toBe(130);
    expect(made.opened).toEqual([]);
  });

  it('a pair that opens after all is closed again', async () => {
    const made = new Run();
    let open = (): void => undefined;
    let closed = false;
    const code = await made.run(['status', ...PAIR], {
      overrides: {
        openPair: async () => {
          made.press();
          await new Promise<void>((resolve) => {
            open = resolve;
          });
          return { close: async () => void (closed = true) } as never;
        },
      },
    });
    expect(code).toBe(130);
    open();
    await new Promise(setImmediate);
    expect(closed).toBe(true);
  });

  it('the first ends watch after a last cycle, with the code of that cycle', async () => {
    const made = new Run();
    let monitor: FakeMonitor | undefined;
    const code = await made.run(['watch', ...PAIR], {
      monitor: (options) =>
        (monitor = new FakeMonitor({
          start: () => {
            options.onProgress?.({
              type: 'end',
              result: cycle({ conflicts: [{ path: 'a', type: 'content', resolution: 'manual' }] }),
            });
            setImmediate(() => made.press('SIGTERM'));
          },
          stop: () => options.onProgress?.({ type: 'end', result: cycle({ localFiles: 3 }) }),
        })),
    });
    expect([code, monitor?.stops]).toEqual([0, 1]);
  });

  it('the second cancels the last cycle of watch', async () => {
    const made = new Run();
    const code = await made.run(['watch', ...PAIR], {
      monitor: ({ signal }) =>
        new FakeMonitor({
          start: () => void setImmediate(() => made.press()),
          stop: () =>
            new Promise<void>((resolve) => {
              signal?.addEventListener('abort', () => resolve());
              made.press();
            }),
        }),
    });
    expect(code).toBe(130);
  });
});

describe('watch', () => {
  it('tells each failure and goes on', async () => {
    const made = new Run();
    const code = await made.run(['watch', ...PAIR, '--delay', '5'], {
      monitor: (options) => {
        expect(options.delaySeconds).toBe(5);
        const monitor: FakeMonitor = new FakeMonitor({
          start: () => {
            monitor.emit('error', new Error('the service is gone'));
            options.onProgress?.({ type: 'begin', runId: 'r' });
            options.onProgress?.({
              type: 'end',
              result: cycle({ changes: [{ path: 'b', operation: 'added', origin: 'remote' }] }),
            });
            setImmediate(() => made.press());
          },
        });
        return monitor;
      },
    });
    expect(code).toBe(0);
    expect(made.stderr).toContain('the service is gone');
    expect(made.stdout).toContain('1 file down');
  });

  it('ends with 1 when its last cycle failed', async () => {
    const made = new Run();
    const code = await made.run(['watch', ...PAIR], {
      monitor: () => {
        const monitor: FakeMonitor = new FakeMonitor({
          start: () => void setImmediate(() => made.press()),
          stop: () => void monitor.emit('error', new Error('still gone')),
        });
        return monitor;
      },
    });
    expect(code).toBe(1);
  });

  it('fails when it cannot even begin', async () => {
    const made = new Run();
    const code = await made.run(['watch', ...PAIR], {
      monitor: () => new FakeMonitor({ start: () => Promise.reject(new Error('no keys')) }),
    });
    expect([code, made.stderr.includes('no keys')]).toEqual([1, true]);
  });

  it('fails when it was stopped while it could not begin', async () => {
    const made = new Run();
    let fail = (_error: Error): void => undefined;
    const code = await made.run(['watch', ...PAIR], {
      monitor: () =>
        new FakeMonitor({
          start: () => {
            setImmediate(() => made.press());
            return new Promise<void>((_resolve, reject) => {
              fail = reject;
            });
          },
          stop: () => fail(new Error('no keys')),
        }),
    });
    expect([code, made.stderr.includes('no keys')]).toEqual([1, true]);
  });

  it('is silent about cycles in which nothing happened', async () => {
    const made = new Run();
    await made.run(['watch', ...PAIR], {
      monitor: (options) =>
        new FakeMonitor({
          start: () => {
            options.onProgress?.({ type: 'end', result: cycle() });
            setImmediate(() => {
              for (let i = 0; i < 5; i++) options.onProgress?.({ type: 'end', result: cycle() });
              made.press();
            });
          },
        }),
    });
    expect(made.stdout.match(/Nothing to do/g)).toHaveLength(1);
  });
});
