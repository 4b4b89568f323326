import type { Oracle } from '../../src/testing/simulation/oracle.js';
import type { SimulatedS3 } from '../../src/testing/s3/simulated-s3.js';
import type { Machine } from './machine.js';
import type { Act, SizeChoice } from './scenario.js';

/** The world that people act in. */
export interface Stage {
  readonly machines: readonly Machine[];
  readonly service: SimulatedS3;
  readonly bucket: string;
  readonly oracle: Oracle;
}

const PARTS_LENGTH = 60;
/** What has things put in before it again and again does not grow for ever. */
const MOST_LENGTH = 200;
/** How long it takes to read the time of a file, write the file and set the time again: one coarse tick of a disk. */
const KEEPING_MS = 20;
/** Where links of users lead, and where nothing of ours may ever arrive. */
export const OUTSIDE = '/outside';

/**
 * Lets somebody do one thing, all at once. What cannot be done as things stand is left undone.
 *
 * @param number tells the contents of all acts apart.
 */
export async function perform(stage: Stage, act: Act, number: number): Promise<void> {
  if (act.act === 'put' || act.act === 'delete' || act.act === 'hostile')
    return await performInBucket(stage, act, number);
  const machine = stage.machines[act.at];
  if (machine === undefined) return;
  switch (act.act) {
    case 'clock':
      return machine.shiftClock(act.byMs);
    case 'exclude':
      machine.excluded = act.prefix;
      return;
    case 'stop':
      return machine.stop(act.how);
    case 'unmount':
      return unmount(machine);
    case 'mount':
      return mount(machine);
    default:
      machine.heard.add(act.path);
      if (act.act === 'rename') machine.heard.add(act.to);
      if (machine.mounted) performInFolder(stage.oracle, machine, act, number);
  }
}

/** Puts a folder back to where it belongs. */
export function mount(machine: Machine): void {
  const { user } = machine.disk;
  if (machine.mounted) return;
  // What was put into the empty place meanwhile stays on the disk, unseen: as below a mount point.
  user.rename(machine.disk.root, `/below${machine.nowMs}`);
  user.rename('/unmounted', machine.disk.root);
  machine.mounted = true;
}

function unmount(machine: Machine): void {
  const { user } = machine.disk;
  if (!machine.mounted) return;
  user.rename(machine.disk.root, '/unmounted');
  user.makeDirectory(machine.disk.root);
  machine.mounted = false;
  machine.wasUnmounted = true;
}

function performInFolder(
  oracle: Oracle,
  machine: Machine,
  act: Extract<Act, { readonly act: 'write' | 'remove' | 'rename' | 'mkdir' | 'symlink' | 'lock' }>,
  number: number,
): void {
  const { user } = machine.disk;
  const { path } = act;
  const standing = user.find(path);
  if (!isReachable(machine, path)) return;
  switch (act.act) {
    case 'write': {
      if (standing !== undefined && standing.type !== 'file') return;
      const old = standing === undefined ? undefined : user.readText(path);
      const content = contentOf(number, machine.name, act.size, old);
      // To keep a time it has to be read first and set again after: not in the very instant in which the file got there.
      const isOld = standing !== undefined && Number(standing.ctimeNs) / 1e6 < machine.nowMs - KEEPING_MS;
      const kept = act.time === 'kept' && isOld ? user.modifiedMsOf(path) : undefined;
      const modifiedMs = act.time === 'back' ? machine.nowMs - 1_000_000 - number : kept;
      const options = modifiedMs === undefined ? {} : { modifiedMs };
      if (act.how === 'in-place') user.writeFile(path, content, options);
      else user.replaceFile(path, content, options);
      if (old !== undefined) oracle.discarded(old);
      oracle.wrote(content, `${machine.name} at ${path}`);
      if (!machine.plan.readonly) oracle.wroteAt(path);
      return;
    }
    case 'remove': {
      if (standing === undefined) return;
      const old = filesBelow(machine, path);
      // A conflict copy that stood there may have been all that was left of another path.
      for (const at of machine.files().keys())
        if (at.startsWith(`${path}/`) && at.includes(' (conflict ')) oracle.removedAt(at);
      user.remove(path);
      oracle.removedAt(path);
      for (const content of old) oracle.discarded(content);
      return;
    }
    case 'rename': {
      const target = user.find(act.to);
      if (
        standing === undefined ||
        !isReachable(machine, act.to) ||
        act.to === path ||
        `${act.to}/`.startsWith(`${path}/`)
      )
        return;
      if (target !== undefined && (target.type !== 'file' || standing.type === 'directory')) return;
      const old = target === undefined ? [] : [user.readText(act.to)];
      user.rename(path, act.to);
      oracle.removedAt(path);
      if (standing.type === 'directory') oracle.folderAt(act.to);
      if (!machine.plan.readonly) {
        for (const at of machine.files().keys()) {
          if (at !== act.to && !at.startsWith(`${act.to}/`)) continue;
          // A run that is under way holds the folder open: it takes away what was deleted in the bucket, and puts its copy of the
          // loser of a conflict into the trash after all, wherever the folder is by now.
          const isOfRun = at.includes(' (conflict ') || machine.beingDeleted.has(path + at.slice(act.to.length));
          if (isOfRun) oracle.mayStandAt(at);
          else oracle.wroteAt(at);
        }
      }
      for (const content of old) oracle.discarded(content);
      return;
    }
    case 'mkdir':
      if (standing === undefined) user.makeDirectory(path);
      return;
    case 'symlink':
      if (standing === undefined) user.symlink(OUTSIDE, path);
      return;
    case 'lock':
      if (standing !== undefined) user.setAccess(path, { readable: false });
      return;
    default:
      act satisfies never;
  }
}

/** Another program that works in the bucket without asking anybody. It sees what it replaces. */
async function performInBucket(
  { service, bucket, oracle }: Stage,
  act: Extract<Act, { readonly act: 'put' | 'delete' | 'hostile' }>,
  number: number,
): Promise<void> {
  const standing = await service.peek(bucket, act.path);
  const old = standing === undefined ? undefined : new TextDecoder().decode(standing.bytes);
  if (act.act === 'delete') {
    await service.remove(bucket, act.path);
    oracle.removedAt(act.path);
  } else {
    const content = contentOf(number, 's3', act.act === 'put' ? act.size : 'short', old);
    await service.put(bucket, act.path, content);
    oracle.wrote(content, `s3 at ${act.path}`);
    if (act.act === 'put') oracle.wroteAt(act.path);
  }
  if (old !== undefined) oracle.discarded(old);
}

function contentOf(number: number, author: string, size: SizeChoice, old: string | undefined): string {
  if (size === 'empty') return '';
  const stamp = `<${String(number).padStart(3, '0')} ${author}>`;
  if (size === 'same') return stamp.padEnd(old?.length ?? 0, '.');
  if (size === 'before') return `${stamp}${old ?? ''}`.slice(0, MOST_LENGTH);
  return size === 'parts' ? stamp.padEnd(PARTS_LENGTH, '.') : stamp;
}

function filesBelow(machine: Machine, path: string): string[] {
  const found: string[] = [];
  for (const [each, content] of machine.files()) if (each === path || each.startsWith(`${path}/`)) found.push(content);
  return found;
}

/** No file and no link stands above the path. */
function isReachable(machine: Machine, path: string): boolean {
  const segments = path.split('/');
  return segments.every(
    (_, i) =>
      i === 0 || ['directory', undefined].includes(machine.disk.user.find(segments.slice(0, i).join('/'))?.type),
  );
}
