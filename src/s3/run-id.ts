import type { Runtime } from '../core/runtime.js';

/** Names a run: its time to the second in UTC, and chance. Sorts by time; letters and digits only. */
export function runIdAt({ clock, random }: Runtime): string {
  const time = new Date(clock.nowMs()).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').toLowerCase();
  return `${time}${random.id(5)}`;
}
