import type { Clock } from '../core/runtime.js';
import type { SessionEvent } from '../session/event.js';
import { formatBytes, formatDuration, formatNumber } from './format.js';

/** How far a cycle is. */
export interface ProgressState {
  readonly phase: 'idle' | 'scan' | 'transfer';
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** Over the last seconds; `undefined` until there is enough to tell. */
  readonly bytesPerSecond: number | undefined;
  /** `undefined` when it cannot be told. */
  readonly secondsLeft: number | undefined;
  readonly localFiles: number;
  readonly remoteFiles: number;
}

/** The rate is taken over this span, so that it follows the network without jumping. */
const WINDOW_MS = 5000;
const SAMPLE_MS = 250;
const BAR_WIDTH = 20;

/** Counts what the events of a cycle tell. Begins anew with each cycle. */
export class Progress {
  readonly #clock: Clock;
  #phase: ProgressState['phase'] = 'idle';
  #filesDone = 0;
  #filesTotal = 0;
  #bytesFinished = 0;
  #bytesTotal = 0;
  #bytesRunning = 0;
  #localFiles = 0;
  #remoteFiles = 0;
  readonly #running = new Map<string, { readonly sizeBytes: number; seen: number }>();
  #samples: { readonly atMs: number; readonly bytes: number }[] = [];
  #carried = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes one event in. */
  add(event: SessionEvent): void {
    switch (event.type) {
      case 'begin':
        this.#reset();
        break;
      case 'scan':
        this.#localFiles = event.localFiles;
        this.#remoteFiles = event.remoteFiles;
        break;
      case 'plan': {
        const { totals } = event;
        this.#phase = 'transfer';
        this.#filesTotal =
          totals.uploads +
          totals.downloads +
          totals.compares +
          totals.localDeletes +
          totals.remoteDeletes +
          totals.localMoves +
          totals.remoteMoves;
        this.#bytesTotal = totals.uploadBytes + totals.downloadBytes;
        break;
      }
      case 'start':
        this.#running.set(event.path, { sizeBytes: event.sizeBytes, seen: 0 });
        break;
      case 'bytes':
        this.#addBytes(event.path, event.count);
        break;
      case 'done':
        // The old path of a rename is no work of its own.
        if (event.change?.to !== undefined) break;
        this.#finish(event.path);
        this.#filesDone += 1;
        this.#bytesFinished += event.sizeBytes;
        break;
      case 'problem':
        this.#finish(event.problem.path);
        break;
      case 'end':
        this.#phase = 'idle';
        break;
      default:
    }
  }

  /** How far it is now. */
  state(): ProgressState {
    const bytesDone = Math.min(this.#bytesTotal, this.#bytesFinished + this.#bytesRunning);
    const bytesPerSecond = this.#rate();
    const left = this.#bytesTotal - bytesDone;
    return {
      phase: this.#phase,
      filesDone: Math.min(this.#filesDone, this.#filesTotal),
      filesTotal: this.#filesTotal,
      bytesDone,
      bytesTotal: this.#bytesTotal,
      bytesPerSecond,
      secondsLeft: bytesPerSecond === undefined || bytesPerSecond <= 0 ? undefined : left / bytesPerSecond,
      localFiles: this.#localFiles,
      remoteFiles: this.#remoteFiles,
    };
  }

  #reset(): void {
    this.#phase = 'scan';
    this.#filesDone = this.#filesTotal = 0;
    this.#bytesFinished = this.#bytesTotal = this.#bytesRunning = this.#carried = 0;
    this.#localFiles = this.#remoteFiles = 0;
    this.#running.clear();
    this.#samples = [{ atMs: this.#clock.nowMs(), bytes: 0 }];
  }

  /** A retry sends bytes twice: more than the size of a file never counts. */
  #addBytes(path: string, count: number): void {
    const file = this.#running.get(path);
    this.#carried += count;
    this.#sample();
    if (file === undefined) return;
    const added = Math.min(count, file.sizeBytes - file.seen);
    file.seen += added;
    this.#bytesRunning += added;
  }

  #finish(path: string): void {
    const file = this.#running.get(path);
    if (file === undefined) return;
    this.#running.delete(path);
    this.#bytesRunning -= file.seen;
  }

  #sample(): void {
    const atMs = this.#clock.nowMs();
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs - last.atMs < SAMPLE_MS) return;
    this.#samples.push({ atMs, bytes: this.#carried });
    while (this.#samples.length > 2 && atMs - (this.#samples[0]?.atMs ?? atMs) > WINDOW_MS) this.#samples.shift();
  }

  #rate(): number | undefined {
    const first = this.#samples[0];
    if (first === undefined) return undefined;
    const spanMs = this.#clock.nowMs() - first.atMs;
    return spanMs < SAMPLE_MS ? undefined : ((this.#carried - first.bytes) * 1000) / spanMs;
  }
}

/** Says in one line how far it is: `[████░░░] 42 %  120/300 files  1.2 GiB of 3.4 GiB  24 MiB/s  1 min 20 s left`. */
export function describeProgress(state: ProgressState): string {
  if (state.phase !== 'transfer') {
    return `Comparing: ${formatNumber(state.localFiles)} files here, ${formatNumber(state.remoteFiles)} in the bucket`;
  }
  const share = shareOf(state);
  const filled = Math.round(share * BAR_WIDTH);
  const parts = [
    `[${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}] ${Math.floor(share * 100)} %`,
    `${formatNumber(state.filesDone)}/${formatNumber(state.filesTotal)} files`,
  ];
  if (state.bytesTotal > 0) parts.push(`${formatBytes(state.bytesDone)} of ${formatBytes(state.bytesTotal)}`);
  if (state.bytesPerSecond !== undefined && state.bytesTotal > 0) {
    parts.push(`${formatBytes(state.bytesPerSecond)}/s`);
    if (state.secondsLeft !== undefined && state.bytesDone < state.bytesTotal) {
      parts.push(`${formatDuration(state.secondsLeft * 1000)} left`);
    }
  }
  return parts.join('  ');
}

/** Bytes tell most; where there are none to carry, files do. */
function shareOf(state: ProgressState): number {
  if (state.bytesTotal > 0) return state.bytesDone / state.bytesTotal;
  return state.filesTotal === 0 ? 0 : state.filesDone / state.filesTotal;
}
