import { FileCloudSyncError } from '../../errors.js';
import type { CycleResult } from '../../session/result.js';
import type { Pair } from '../../s3/pair.js';
import { type DemoPlace, readTree, removeDemoFile, writeDemoFile } from './demo-place.js';
import type { DemoWorld } from './demo-world.js';

/** One thing the demo shows: done, then checked. */
export interface TourStep {
  readonly name: string;
  /** Said before. */
  readonly title: string;
  /** Does it, and answers what was found true. Throws `ERR_DEMO_CLAIM` when it is not so. */
  run(): Promise<string>;
}

/** What a tour works with. */
export interface TourInput {
  readonly place: DemoPlace;
  readonly world: DemoWorld;
  /** Different in each run, so that a second demo makes new edits. */
  readonly stamp: string;
  /** Opens the pair of one machine, gives it to `work` and closes it. */
  withPair<T>(machine: 'a' | 'b', work: (pair: Pair) => Promise<T>): Promise<T>;
  /** Runs one cycle and tells about it. */
  sync(machine: 'a' | 'b'): Promise<CycleResult>;
  /** Says what is about to be done. */
  say(text: string): void;
  /** Shows folder and bucket side by side. */
  showSides(): Promise<void>;
}

/** The steps of the tour, in order. */
export function tourSteps(input: TourInput): TourStep[] {
  const { place, world, stamp } = input;
  const { bucket } = world;
  return [
    {
      name: 'upload',
      title: 'The folder goes to the bucket',
      async run() {
        await input.sync('a');
        const count = await sameOnBothSides(place.folder, world);
        await input.showSides();
        return `${count} files have the same bytes on both sides`;
      },
    },
    {
      name: 'download',
      title: 'Somebody writes into the bucket: a new file, and a change to letters/hello.txt',
      async run() {
        const hello = `Hello from the bucket, ${stamp}.\n`;
        await bucket.write('letters/hello.txt', hello);
        await bucket.write('from-the-bucket.txt', `Written into the bucket, ${stamp}.\n`);
        await input.sync('a');
        const tree = await readTree(place.folder);
        claim(
          tree.get('letters/hello.txt')?.toString() === hello,
          'the change made in the bucket arrived in the folder',
        );
        await sameOnBothSides(place.folder, world);
        return 'both arrived in the folder, byte for byte';
      },
    },
    {
      name: 'trash',
      title: 'Somebody deletes from-the-bucket.txt in the bucket',
      async run() {
        await bucket.remove('from-the-bucket.txt');
        await input.sync('a');
        claim(!(await readTree(place.folder)).has('from-the-bucket.txt'), 'the deletion was carried to the folder');
        const kept = await input.withPair('a', (pair) => pair.trash());
        const item = kept.findLast(({ path }) => path === 'from-the-bucket.txt');
        claim(item !== undefined, 'the deleted file is kept in the trash');
        input.say('$ filecloudsync restore … from-the-bucket.txt');
        const restored = await input.withPair('a', (pair) => pair.restore({ paths: ['from-the-bucket.txt'] }));
        claim(restored.length === 1, 'the deleted file was restored');
        const back = (await readTree(place.folder)).get('from-the-bucket.txt')?.toString();
        claim(back === `Written into the bucket, ${stamp}.\n`, 'the restored file has its old content');
        await input.sync('a');
        await sameOnBothSides(place.folder, world);
        return 'it left the folder, was kept in the trash, and was restored to both sides';
      },
    },
    {
      name: 'conflict',
      title: 'plan.md is changed on both sides at once',
      async run() {
        await writeDemoFile(place.folder, 'plan.md', `# Plan ${stamp}\n`);
        await input.sync('a');
        const here = `# Plan ${stamp}\nedited in this folder\n`;
        const there = `# Plan ${stamp}\nedited in the bucket, and longer\n`;
        await writeDemoFile(place.folder, 'plan.md', here);
        await bucket.write('plan.md', there);
        const result = await input.sync('a');
        claim(
          result.conflicts.some(({ path }) => path === 'plan.md'),
          'the conflict was seen',
        );
        const contents = [...(await readTree(place.folder)).values()].map(String);
        claim(contents.includes(here), 'the version of the folder was kept');
        claim(contents.includes(there), 'the version of the bucket was kept');
        await sameOnBothSides(place.folder, world);
        return 'both versions are kept, side by side, on both sides';
      },
    },
    {
      name: 'second-machine',
      title: 'A second machine joins, and edits a file',
      async run() {
        await input.sync('b');
        await sameOnBothSides(place.machineB, world);
        await writeDemoFile(place.machineB, 'letters/reply.txt', `A reply from machine B, ${stamp}.\n`);
        await removeDemoFile(place.machineB, 'from-the-bucket.txt');
        await input.sync('b');
        await input.sync('a');
        const [a, b] = [await readTree(place.folder), await readTree(place.machineB)];
        claim(
          a.has('letters/reply.txt') && !a.has('from-the-bucket.txt'),
          'the edit and the deletion of machine B arrived',
        );
        claim(sameTrees(a, b), 'both machines have the same files');
        await sameOnBothSides(place.folder, world);
        await input.showSides();
        return `both machines and the bucket hold the same ${a.size} files`;
      },
    },
  ];
}

/** Reads every file and every object and compares the bytes. Answers how many there are. */
async function sameOnBothSides(folder: string, world: DemoWorld): Promise<number> {
  const tree = await readTree(folder);
  const objects = new Map<string, Uint8Array>();
  for (const key of (await world.bucket.list()).keys()) {
    const bytes = await world.bucket.read(key);
    if (bytes !== undefined) objects.set(key, bytes);
  }
  claim(tree.size > 0 && sameTrees(tree, objects), `${folder} and the bucket hold the same files with the same bytes`);
  return tree.size;
}

function sameTrees(a: ReadonlyMap<string, Uint8Array>, b: ReadonlyMap<string, Uint8Array>): boolean {
  return (
    a.size === b.size &&
    [...a].every(([path, bytes]) => Buffer.compare(bytes, b.get(path) ?? new Uint8Array([0])) === 0)
  );
}

function claim(holds: boolean, what: string): void {
  if (holds) return;
  throw new FileCloudSyncError(
    'ERR_DEMO_CLAIM',
    `The demo found that this is not so: ${what}. Please report it, with the output above.`,
    {
      data: { claim: what },
    },
  );
}
