import type { BaselineRow } from '../../src/core/baseline.js';
import { compareByteOrder } from '../../src/core/byte-order.js';
import type { Decision } from '../../src/core/decision.js';
import type { Entry, FileEntry } from '../../src/core/entry.js';
import { sortKey } from '../../src/core/merge-join.js';
import { conflictName } from '../../src/core/path.js';
import { believed, isUncertain, reconcile } from '../../src/core/reconcile.js';
import type { Side } from '../../src/core/side.js';
import type { Item, Standing, State } from './state.js';
import { touches } from './state.js';

interface Kept {
  readonly content: number;
  readonly fingerprint: string;
  readonly racy: boolean;
}

/** A rule of the model was broken: what the state promises did not hold. */
export class BrokenInvariant extends Error {}

function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new BrokenInvariant(message);
}

/** A folder, a bucket, a baseline and a trash as plain maps, and what carrying out a decision means for them. */
export class World {
  readonly files: Readonly<Record<Side, Map<string, Kept>>> = { local: new Map(), remote: new Map() };
  /** What is no file, and never changes. */
  readonly others: Readonly<Record<Side, Map<string, Entry>>> = { local: new Map(), remote: new Map() };
  readonly rows = new Map<string, { readonly row: BaselineRow; readonly content: number }>();
  readonly trash = new Set<number>();
  readonly #state: State;
  #count = 0;

  constructor(state: State) {
    this.#state = state;
    for (const item of state.items) this.#place(item);
  }

  /** The three streams, as scans would give them. */
  streams(): { local: AsyncIterable<Entry[]>; remote: AsyncIterable<Entry[]>; baseline: AsyncIterable<BaselineRow[]> } {
    const rows = Array.from(this.rows.values(), ({ row }) => row).sort((a, b) => compareByteOrder(a.path, b.path));
    return { local: once(this.#scan('local')), remote: once(this.#scan('remote')), baseline: once(rows) };
  }

  /** Carries out a whole plan in its four phases. Answers whether anything happened. */
  carryOut(decisions: readonly Decision[]): boolean {
    const phaseOf = (d: Decision): number => {
      if (d.makesRoom === true) return 0;
      if (d.action.startsWith('move')) return 1;
      return d.action.startsWith('delete') || d.action === 'forget' ? 3 : 2;
    };
    const phases: Decision[][] = [[], [], [], []];
    for (const decision of decisions) phases[phaseOf(decision)]?.push(decision);
    let changed = false;
    for (const decision of phases.flat()) if (this.#apply(decision)) changed = true;
    return changed;
  }

  #place({ path, base, local, remote, racyRow, racyEntry, replacing }: Item): void {
    const at = (side: Side, standing: Standing | null): void => {
      if (standing === null) return;
      if (standing.is !== 'file') {
        this.others[side].set(path, noFile(path, side, standing.is));
        return;
      }
      const fingerprint =
        standing.content === base && !standing.touched ? `${side} ${base}` : `${side} new ${standing.content}`;
      this.files[side].set(path, { content: standing.content, fingerprint, racy: side === 'local' && racyEntry });
    };
    at('local', local);
    at('remote', remote);
    if (base === null) return;
    const recorded = racyRow ? null : `local ${base}`;
    const row = {
      path,
      sizeBytes: 1,
      local: recorded,
      remote: `remote ${base}`,
      digest: `md5:${base}`,
      recordedAtMs: 0,
    };
    this.rows.set(path, { row: replacing ? { ...row, replacing } : row, content: base });
  }

  #scan(side: Side): Entry[] {
    const entries: Entry[] = [...this.others[side].values()];
    for (const path of this.files[side].keys()) entries.push(this.#entry(side, path));
    return entries.sort((a, b) => compareByteOrder(sortKey(a), sortKey(b)));
  }

  #entry(side: Side, path: string): FileEntry {
    const { fingerprint, racy } = this.#file(side, path);
    const entry = { kind: 'file', path, sizeBytes: 1, fingerprint, modifiedMs: 0, modifiedSource: 'mtime' } as const;
    return racy ? { ...entry, racy } : entry;
  }

  #file(side: Side, path: string): Kept {
    const file = this.files[side].get(path);
    assert(file !== undefined, `${side} ${path} was expected to be there`);
    return file;
  }

  #apply(decision: Decision): boolean {
    const { path, action } = decision;
    for (const side of ['local', 'remote'] as const) {
      if (action !== 'hold' && action !== 'nothing') {
        const found = this.files[side].get(path)?.fingerprint;
        assert(
          found === decision[side]?.fingerprint,
          `${action} ${path}: the precondition on the ${side} side does not hold`,
        );
      }
    }
    // The executor hashes what it is not sure of, before it acts.
    if (
      isUncertain(decision) &&
      action !== 'hold' &&
      this.#file('local', path).content === this.rows.get(path)?.content
    ) {
      return this.#applyBelieved(decision);
    }
    switch (action) {
      case 'nothing':
      case 'hold':
        return false;
      case 'forget':
        assert(
          (!this.files.local.has(path) && !this.files.remote.has(path)) || decision.rule === 'R17',
          `${path} was forgotten with a file`,
        );
        return this.rows.delete(path);
      case 'upload':
        return this.#copy('local', 'remote', path);
      case 'download':
        return this.#copy('remote', 'local', path);
      case 'delete-local':
        this.#agreed('local', path, 'deleted');
        this.#toTrash('local', path);
        this.files.local.delete(path);
        return this.rows.delete(path);
      case 'delete-remote':
        assert(!this.#state.readonly, `the remote ${path} was deleted under readonly`);
        this.#agreed('remote', path, 'deleted');
        this.files.remote.delete(path);
        return this.rows.delete(path);
      case 'move-local':
        return this.#rename('local', decision);
      case 'move-remote':
        assert(!this.#state.readonly, `${path} was moved in the bucket under readonly`);
        return this.#rename('remote', decision);
      case 'set-aside':
        return this.#setAside(decision.setAsideSide ?? 'local', path);
      case 'compare':
        return this.#compare(path);
    }
  }

  #applyBelieved(decision: Decision): boolean {
    const { path } = decision;
    const again = reconcile(believed(decision), this.#state);
    const file = this.#file('local', path);
    this.files.local.set(path, { ...file, racy: false });
    const known = this.rows.get(path);
    if (known !== undefined && known.row.local !== file.fingerprint) {
      this.rows.set(path, { ...known, row: { ...known.row, local: file.fingerprint } });
    }
    if (again.action !== 'nothing') this.#apply(again);
    return true;
  }

  #copy(from: Side, to: Side, path: string): boolean {
    const { content } = this.#file(from, path);
    if (this.files[to].has(path)) this.#agreed(to, path, 'overwritten');
    this.#write(to, path, content);
    return this.#record(path);
  }

  #compare(path: string): boolean {
    const [local, remote] = [this.#file('local', path), this.#file('remote', path)];
    if (local.content === remote.content) return this.#record(path);
    const answer = this.#state.readonly ? 'bucket' : this.#state.answer;
    switch (answer) {
      case 'manual':
        return false;
      case 'local':
        this.trash.add(remote.content);
        this.#write('remote', path, local.content);
        return this.#record(path);
      case 'bucket':
        this.#write('local', path, remote.content);
        return this.#record(path);
      case 'keep-both':
        this.#move('local', path);
        this.#write('local', path, remote.content);
        return this.#record(path);
    }
  }

  /** As an executor does: the new name first, then the old one goes, then both are recorded. */
  #rename(side: Side, { path, from }: Decision): boolean {
    assert(from !== undefined, `${path} was moved from nowhere`);
    const other = side === 'local' ? 'remote' : 'local';
    assert(!this.files[other].has(from.path), `${from.path} was moved away though it stands on the ${other} side`);
    const { content, fingerprint } = this.#file(side, from.path);
    assert(fingerprint === from[side]?.fingerprint, `the ${side} ${from.path} is not what was to be moved`);
    assert(
      content === this.rows.get(from.path)?.content,
      `the ${side} ${from.path} was moved though nobody had seen it`,
    );
    assert(content === this.#file(other, path).content, `${path} was taken for ${from.path} renamed`);
    assert(!this.files[side].has(path), `${side} ${path} was there before the move`);
    this.#write(side, path, content);
    this.files[side].delete(from.path);
    this.rows.delete(from.path);
    return this.#record(path);
  }

  #setAside(side: Side, path: string): boolean {
    this.rows.delete(path);
    return this.#move(side, path);
  }

  #move(side: Side, path: string): boolean {
    assert(side === 'local' || !this.#state.readonly, `the remote ${path} was moved under readonly`);
    const to = conflictName(path, { machine: side, timeMs: 0, id: `n${++this.#count}`, rules: 'linux' });
    const file = this.#file(side, path);
    this.files[side].delete(path);
    // A bucket may have had objects above already; a disk never has.
    assert(side === 'local' ? !touches(this.files.local.keys(), to) : !this.files.remote.has(to), `${to} was there`);
    this.files[side].set(to, { ...file, fingerprint: `${side} moved ${this.#count}` });
    return true;
  }

  #write(side: Side, path: string, content: number): void {
    assert(side === 'local' || !this.#state.readonly, `the remote ${path} was written under readonly`);
    for (const other of this.files[side].keys()) {
      const collides = other !== path && touches([other], path);
      assert(
        !collides || (side === 'remote' && this.files.remote.has(path)),
        `${side} ${path} was written beside ${other}`,
      );
    }
    for (const other of this.others[side].values()) {
      const bars =
        side === 'local' ||
        (other.kind === 'problematic' && !this.files.remote.has(path) && !isObjectOnly(other, path));
      assert(!bars || !touches([other.path], path), `${side} ${path} was written at ${other.kind} ${other.path}`);
    }
    if (side === 'local') this.#toTrash('local', path);
    this.files[side].set(path, { content, fingerprint: `${side} written ${++this.#count}`, racy: false });
  }

  #toTrash(side: Side, path: string): void {
    const old = this.files[side].get(path);
    if (old !== undefined) this.trash.add(old.content);
  }

  #agreed(side: Side, path: string, what: string): void {
    const agreed = this.rows.get(path)?.content;
    const found = this.#file(side, path).content;
    assert(
      side === 'local' || found === agreed || found === this.files.local.get(path)?.content,
      `remote ${path} was ${what} though nobody had seen it`,
    );
  }

  #record(path: string): boolean {
    const [local, remote] = [this.#file('local', path), this.#file('remote', path)];
    assert(local.content === remote.content, `${path} was recorded with two contents`);
    const row = {
      path,
      sizeBytes: 1,
      local: local.fingerprint,
      remote: remote.fingerprint,
      digest: `md5:${local.content}`,
      recordedAtMs: 0,
    };
    this.files.local.set(path, { ...local, racy: false });
    this.rows.set(path, { row, content: local.content });
    return true;
  }
}

/** In a bucket, an object that cannot be used bars nothing below its own name. */
function isObjectOnly(other: Entry, path: string): boolean {
  return 'subtree' in other && !other.subtree && path.startsWith(`${other.path}/`);
}

function noFile(path: string, side: Side, is: Exclude<Standing['is'], 'file'>): Entry {
  switch (is) {
    case 'symlink':
      return { kind: 'symlink', path };
    case 'untracked':
    case 'untracked-tree':
      return { kind: 'untracked', path, reason: 'filter', subtree: is === 'untracked-tree' };
    case 'problem':
    case 'problem-tree': {
      const problem = {
        path,
        side,
        code: 'ERR_FILE_UNREADABLE',
        message: 'cannot be read',
        severity: 'error',
      } as const;
      return { kind: 'problematic', path, subtree: is === 'problem-tree', problem };
    }
  }
}

async function* once<T>(items: T[]): AsyncGenerator<T[]> {
  yield items;
}
