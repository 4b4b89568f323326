import { problemOfPath } from '../../src/core/path.js';
import type { Oracle } from '../../src/testing/simulation/oracle.js';
import type { SimulatedS3 } from '../../src/testing/s3/simulated-s3.js';
import type { Machine } from './machine.js';
import { OUTSIDE } from './perform.js';

const SECRET = [`${OUTSIDE.slice(1)}/`, `${OUTSIDE.slice(1)}/secret`];

/** What {@link judge} looks at. */
export interface Evidence {
  readonly machines: readonly Machine[];
  readonly service: SimulatedS3;
  readonly bucket: string;
  readonly oracle: Oracle;
  /** The store cannot protect a version that another program put there without keeping it: its own writes are not promised anything. */
  readonly careful: boolean;
  /** A machine may have lost from its memory what it had begun in the bucket. */
  readonly forgetful: boolean;
  /** Whatever was written takes part at the end, so that a path that nobody removed has to stand. */
  readonly keepsPaths: boolean;
  /** How often an upload may have been begun of which nobody heard. */
  readonly troubles: number;
}

/** The bucket's objects as text. */
export async function contentsOf(service: SimulatedS3, bucket: string): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for (const key of service.keys(bucket)) {
    const object = await service.peek(bucket, key);
    if (object !== undefined) contents.set(key, new TextDecoder().decode(object.bytes));
  }
  return contents;
}

/** Paths at which a folder differs from the bucket, though nothing was said about them. */
export function divergencesOf(machine: Machine, bucket: ReadonlyMap<string, string>): string[] {
  const files = machine.files();
  const told = toldOf(machine);
  const divergences: string[] = [];
  for (const path of new Set([...bucket.keys(), ...files.keys()])) {
    if (bucket.get(path) === files.get(path) || !machine.includes(path) || problemOfPath(path, 'linux') !== undefined)
      continue;
    if (told.has(path) || Array.from(told).some((each) => path.startsWith(`${each}/`))) continue;
    divergences.push(
      `${machine.name} diverges at ${path}: folder ${show(files.get(path))}, bucket ${show(bucket.get(path))}`,
    );
  }
  return divergences;
}

/** What is wrong at rest, in words. */
export async function judge({
  machines,
  service,
  bucket: name,
  oracle,
  careful,
  forgetful,
  troubles,
  keepsPaths,
}: Evidence): Promise<string[]> {
  const violations: string[] = [];
  const bucket = await contentsOf(service, name);
  const found = new Set(bucket.values());
  for (const machine of machines) {
    const everything = machine.disk.user.tree('/');
    for (const [path, node] of Object.entries(everything)) {
      if (typeof node === 'string') found.add(node);
      if (path.startsWith(`${OUTSIDE.slice(1)}/`) && !SECRET.includes(path))
        violations.push(`${machine.name} wrote outside the folder: ${path}`);
    }
    violations.push(...divergencesOf(machine, bucket));
    const leftovers = machine.leftovers();
    if (leftovers.length > 0) violations.push(`${machine.name} left in tmp: ${leftovers.join(', ')}`);
    if (!machine.wasUnmounted) {
      const kept = machine.trashed();
      for (const each of machine.takenAway)
        if (!kept.has(each)) violations.push(`${machine.name} took away and did not keep: ${each}`);
    }
    for (const content of oracle.invented(machine.files().values()))
      violations.push(`${machine.name} has what nobody wrote: ${show(content)}`);
  }
  for (const [key, content] of bucket) {
    if (oracle.isKnown(content)) continue;
    if (!isOfTrial(key)) violations.push(`the bucket has what nobody wrote: ${key} ${show(content)}`);
    else if (!forgetful) violations.push(`left in the bucket: ${key}`);
  }
  const uploads = service.uploadKeys(name);
  const ofTrials = uploads.filter(isOfTrial).length;
  // A trial notes all that it begins before it does, so none is left but where that note was lost.
  if (ofTrials > 0 && !forgetful) violations.push(`unfinished uploads of a trial were left: ${ofTrials}`);
  const ofFiles = uploads.length - ofTrials;
  if (ofFiles > troubles) violations.push(`unfinished uploads were left: ${ofFiles}`);
  if (keepsPaths) {
    const keys = Array.from(bucket.keys());
    for (const path of oracle.standing()) {
      // Of a file whose folder is renamed in the middle of making a conflict copy, the copy alone may be left, in either place,
      // where somebody may remove it.
      const copy = `${nameOf(path).replace(/\.[^.]*$/, '')} (conflict `;
      const isCopy = (each: string): boolean => nameOf(each).startsWith(copy);
      if (!keys.some((key) => key === path || isCopy(key)) && !oracle.hasRemoved(isCopy))
        violations.push(`nobody removed it, and it is gone: ${path}`);
    }
  }
  // Without hard links a file that appears in the very instant of a download is replaced: `prepare` says so in its remarks.
  const unprotected = machines.filter(({ plan }) => plan.noHardLinks).map(({ name: author }) => author);
  if (careful) unprotected.push('s3');
  for (const { content, origin } of oracle.lost(found)) {
    if (!unprotected.some((author) => origin.startsWith(`${author} `)))
      violations.push(`lost: ${show(content)}, written by ${origin}`);
  }
  return violations;
}

/** Whether a key is one of those with which a replica tries what the store can do. */
function isOfTrial(key: string): boolean {
  return key.startsWith('.filecloudsync/probe-');
}

/** What the last cycle said that it left alone, and why. */
function toldOf({ last }: Machine): Set<string> {
  const told = new Set<string>();
  for (const { path } of last?.problems ?? []) if (path !== '') told.add(path);
  for (const { path } of last?.held ?? []) told.add(path);
  for (const { path, resolution } of last?.conflicts ?? []) if (resolution === 'manual') told.add(path);
  return told;
}

function show(content: string | undefined): string {
  return content === undefined ? 'nothing' : JSON.stringify(content);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
