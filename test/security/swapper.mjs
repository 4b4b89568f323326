// Swaps directories and files of a folder for symbolic links to a place outside, and back, as fast as it can.
// Usage: node swapper.mjs <folder> <outside> <swaps> <seed>. Says "ready" when it begins and how many it did at the end.
import fs from 'node:fs';
import path from 'node:path';

const [folder, outside, count, seed] = [
  process.argv[2],
  process.argv[3],
  Number(process.argv[4]),
  Number(process.argv[5]),
];
let state = seed >>> 0 || 1;
const below = (limit) => {
  state ^= state << 13;
  state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state % limit;
};
const PLACES = [
  'd0',
  'd1',
  'd2',
  'd0/sub',
  'd1/sub',
  'd2/sub/deeper',
  '.filecloudsync/tmp',
  '.filecloudsync/trash',
  'd0/f0.txt',
  'd1/f1.txt',
  'd2/sub/f2.txt',
  '.filecloudsync',
];
const TARGETS = [
  outside,
  path.join(outside, 'sub'),
  path.join(outside, 'sub/deeper'),
  path.join(outside, 'f0.txt'),
  '/',
];

/** Waits so many microseconds without giving up the processor. */
const pause = (microseconds) => {
  const until = process.hrtime.bigint() + BigInt(microseconds) * 1000n;
  while (process.hrtime.bigint() < until);
};

const attempt = (work) => {
  try {
    work();
  } catch {
    // The other process was quicker: that is what this is about.
  }
};

process.stdout.write('ready\n');
let done = 0;
// A folder on its way elsewhere stays in the synchronised folder, under a name that nobody asks for.
while (done < count) {
  const place = PLACES[below(PLACES.length - (below(8) === 0 ? 0 : 1))];
  const at = path.join(folder, place);
  const aside = path.join(folder, `aside-${process.pid}-${done}`);
  const target = TARGETS[below(TARGETS.length)];
  let moved = false;
  attempt(() => {
    fs.renameSync(at, aside);
    moved = true;
  });
  attempt(() => {
    fs.symlinkSync(target, at);
    done++;
  });
  pause(below(400));
  attempt(() => {
    if (fs.lstatSync(at).isSymbolicLink()) fs.unlinkSync(at);
  });
  if (moved) {
    attempt(() => fs.renameSync(aside, at));
    // What could not go back is out of the way; nothing of it is missed by this test.
    attempt(() => fs.rmSync(aside, { recursive: true, force: true }));
  }
  pause(below(400));
  if (!moved && done % 50 === 0) attempt(() => fs.mkdirSync(at, { recursive: true }));
}
process.stdout.write(`${done}\n`);
