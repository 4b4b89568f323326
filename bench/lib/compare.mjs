// Compares programs in turns (A B C, A B C, …), so that what the machine does meanwhile falls on all of them alike.
import { spawnSync } from 'node:child_process';
import { asked } from './server.mjs';
import { measure } from './measure.mjs';
import { show } from './picture.mjs';

/**
 * @typedef {object} Contestant
 * @property {string} name
 * @property {string | undefined} missing - why it does not take part; a version or a reason
 * @property {(round: number) => Promise<{ command: string, args: string[], env?: object, cwd?: string }>} prepare
 * @property {(round: number) => Promise<void>} [after] - checks that the work was done, and clears up; not measured
 */

/** Measures a program for which nobody else has left anything to be written to the disk, to be waited for. */
export async function measureAlone(command, args, options) {
  spawnSync('sync');
  return await measure(command, args, options);
}

/** Runs every contestant once in each round. The first is ours, to which the others are compared. */
export async function compare(contestants, { rounds, server, log }) {
  const taking = contestants.filter(({ missing }) => missing === undefined);
  const runs = new Map(taking.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contestant of taking) {
      if (contestant.missing !== undefined) continue;
      const { command, args, env, cwd } = await contestant.prepare(round);
      const before = await server?.counts();
      const run = await measureAlone(command, args, { env, cwd });
      const after = await server?.counts();
      if (run.exitCode !== 0) {
        if (contestant === taking[0]) {
          throw new Error(
            `${contestant.name} ended with ${run.exitCode}:\n${run.stdout.slice(-2000)}\n${run.stderr.slice(-2000)}`,
          );
        }
        // A peer that cannot do it is named with its reason; the others go on.
        contestant.missing = `ended with ${run.exitCode}: ${run.stderr.trim().split('\n').at(-1)?.slice(0, 120)}`;
        log(`  ${contestant.name} ${contestant.missing}`);
        continue;
      }
      await contestant.after?.(round, run);
      const { stdout: _out, stderr: _err, exitCode: _code, ...figures } = run;
      runs.get(contestant.name).push({ ...figures, ...asked(before, after) });
      log(
        `  ${round + 1}/${rounds} ${contestant.name}: ${run.seconds.toFixed(2)} s, CPU ${run.cpuSeconds.toFixed(2)} s, ${run.peakMiB.toFixed(0)} MiB`,
      );
    }
  }
  const ours = runs.get(taking[0].name);
  return contestants.map(({ name, missing }) => {
    if (missing !== undefined) return { name, missing };
    return summary(name, runs.get(name), ours);
  });
}

/** One line of a table: what a program took in all rounds, beside what ours took in the same. */
export function summary(name, own, ours) {
  return {
    name,
    rounds: own.length,
    seconds: spread(own.map((run) => run.seconds)),
    cpuSeconds: spread(own.map((run) => run.cpuSeconds)),
    peakMiB: Math.round(Math.max(...own.map((run) => run.peakMiB))),
    ...(own[0].requests !== undefined && {
      requests: median(own.map((run) => run.requests)),
      byOperation: own.at(-1).byOperation,
      bytesIn: median(own.map((run) => run.bytesIn)),
      bytesOut: median(own.map((run) => run.bytesOut)),
    }),
    // Round by round: both of a pair met the machine in about the same mood.
    oursToThis: {
      seconds: spread(own.map((run, i) => ours[i].seconds / run.seconds)),
      cpuSeconds: spread(own.map((run, i) => ours[i].cpuSeconds / run.cpuSeconds)),
    },
  };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median, least and most, to four digits. */
export function spread(values) {
  const short = (value) => Number(value.toPrecision(4));
  return { median: short(median(values)), min: short(Math.min(...values)), max: short(Math.max(...values)) };
}

/** A table for people. */
export function printTable(rows, log) {
  const cells = [['', 'time s', 'CPU s', 'peak MiB', 'requests', 'ours / this: time', 'CPU']];
  for (const row of rows) {
    if (row.missing !== undefined) {
      cells.push([row.name, `missing: ${row.missing}`, '', '', '', '', '']);
      continue;
    }
    const { seconds, cpuSeconds, oursToThis } = row;
    cells.push([
      row.name,
      `${seconds.median} (${seconds.min}-${seconds.max})`,
      `${cpuSeconds.median} (${cpuSeconds.min}-${cpuSeconds.max})`,
      String(row.peakMiB),
      row.requests === undefined ? '' : `${row.requests}`,
      `${oursToThis.seconds.median} (${oursToThis.seconds.min}-${oursToThis.seconds.max})`,
      `${oursToThis.cpuSeconds.median}`,
    ]);
  }
  const widths = cells[0].map((_, column) =>
    Math.max(...cells.filter((row) => !row[1].startsWith('missing') || column === 0).map((row) => row[column].length)),
  );
  for (const row of cells)
    log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}

/**
 * One line of the first page: what our program cost, and its time as a multiple of each peer's.
 *
 * @param {string} what
 * @param {object[]} rows - as {@link compare} gives them, ours first
 * @param {(ours: object) => string} [cost] - what is said of ours before the comparison
 */
export function headline(what, [ours, ...peers], cost = (row) => `${show(row.seconds.median)} s, ${row.peakMiB} MiB`) {
  const against = peers
    .filter(({ missing }) => missing === undefined)
    .map(({ name, oursToThis }) => `${show(oursToThis.seconds.median)} × \`${name}\``);
  return { what, figure: [cost(ours), ...(against.length === 0 ? [] : [`time: ${against.join(', ')}`])].join('; ') };
}
