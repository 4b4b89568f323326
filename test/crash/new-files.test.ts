import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProcDescriptors } from '../../src/replica/local/node-file-system.js';
import { SeededRandom } from '../../src/testing/simulation/seeded-random.js';
import { CrashLab } from './crash-lab.js';
import { inLanes } from './enumerate.js';
import { NewFilesLab, type Killed, type Moment } from './new-files-lab.js';

const isLong = process.env['FILECLOUDSYNC_LONG'] === '1';
const seed = Number(process.env['FILECLOUDSYNC_SEED'] ?? 1);

const FILES = 1500;
/** In every other one the run after the kill is killed as well. */
const ROUNDS = isLong ? 44 : 4;
/** So many stand only when the thread has made some. */
const MADE_BY_THREAD = 200;
/**
 * Which share of the files has come when the first run is killed: over these the rounds are spread. After the last share come
 * as many files again as before it, so that a busy machine does not see the run end before the kill.
 */
const SHARES = isLong ? ([0, 1] as const) : ([MADE_BY_THREAD / FILES, 0.5] as const);
/** The thread is at work on many files for about so long. */
const BATCH_MS = 15;
/** Where a round's first run ended before its kill, because whoever was to kill it was held up, the round is done again. */
const MOST_TRIES = 10;
/** In this time a run that goes on finds out what stands already, takes away what is of no use, and begins to download. */
const BEGINNING_MS = 1000;

let lab: CrashLab;
let download: NewFilesLab;
beforeAll(async () => {
  lab = await CrashLab.open();
  download = await NewFilesLab.fill(lab, FILES);
}, 120_000);
afterAll(() => lab.close());

/** Drawn beforehand: which round ends first must not matter. */
function drawRounds(random: SeededRandom): Moment[][] {
  const [least, most] = SHARES;
  return Array.from({ length: ROUNDS }, (_, round) => {
    const share = least + ((most - least) * (round + random.next())) / ROUNDS;
    const first: Moment = { share, laterMs: random.below(BATCH_MS) };
    if (round % 2 === 0) return [first];
    const second: Moment =
      round % 4 === 1
        ? { share: random.next(), laterMs: random.below(BATCH_MS) }
        : { share: 0, laterMs: random.below(BEGINNING_MS) };
    return [first, second];
  });
}

function isThreadAtWork({ files, hadThread }: Killed): boolean {
  return hadThread && files >= MADE_BY_THREAD && files < FILES;
}

describe('kill -9 while many small files come down', () => {
  it(
    `leaves whole files only, and what the next run makes good without help (seed ${seed})`,
    { timeout: 3_600_000 },
    async () => {
      const kills: Killed[] = [];
      const failures: string[] = [];
      let metThread = 0;
      await inLanes(drawRounds(new SeededRandom(seed)), async (moments) => {
        for (let tries = 0; tries < MOST_TRIES; tries++) {
          const report = await download.round(moments);
          kills.push(...report.kills);
          if (report.kills.some(isThreadAtWork)) metThread++;
          if (report.wrong.length > 0)
            failures.push(`${JSON.stringify({ moments, kills: report.kills })}\n  ${report.wrong.join('\n  ')}`);
          if (report.kills.length > 0 || report.wrong.length > 0) return;
        }
      });
      const staged = kills.filter((kill) => kill.staged > 0);
      if (isLong)
        console.log(
          `N3: ${kills.length} kills while ${FILES} small files came down in ${ROUNDS} runs, in ${metThread} with the second thread at work, ${staged.length} while files had no place yet, ${failures.length} failures`,
        );
      expect(failures).toEqual([]);
      expect(staged.length, 'no kill met a file on its way').toBeGreaterThan(0);
      // Elsewhere there is none.
      if (hasProcDescriptors() && availableParallelism() > 1)
        expect(metThread, `the thread was not at work: ${JSON.stringify(kills)}`).toBeGreaterThan(ROUNDS / 2);
    },
  );
});
