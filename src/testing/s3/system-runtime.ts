import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Runtime } from '../../core/runtime.js';

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz';

/**
 * The clock and the randomness of the machine.
 *
 * @example
 * ```ts
 * const { clock, random } = systemRuntime();
 * console.log(clock.nowMs(), random.id(6));
 * ```
 */
export function systemRuntime(): Runtime {
  return {
    clock: {
      nowMs: () => Date.now(),
      sleep: (durationMs, signal) => sleep(durationMs, undefined, signal === undefined ? {} : { signal }),
    },
    random: {
      next: () => Math.random(),
      id: (length) => Array.from({ length }, () => DIGITS[randomInt(36)]).join(''),
    },
  };
}
