/** What was heard of a path: its content or its times, a name that stands now, or one that stands no more. */
export type Heard = 'written' | 'appeared' | 'gone';

/** What a watcher tells. */
export interface WatchListener {
  /**
   * Something may have changed at this path, relative to the folder. A directory that appeared: in all that lies below it.
   * Told often, also for nothing; the receiver waits until it is quiet.
   */
  onChange(path: string, heard: Heard): void;
  /** Changes may have been missed: only a look at everything finds them. */
  onLost(): void;
  /** Not everything can be watched, or not any more: changes there are found by the next periodic cycle only. Told once per cause. */
  onTrouble(error: Error): void;
}

/** Tells where a folder may have changed, so that a monitor need not wait for its next cycle. Never the only source of truth. */
export interface FolderWatcher {
  /** Begins to watch; resolves when all that can be watched is. */
  start(listener: WatchListener): Promise<void>;
  /**
   * Whether whatever changes in the folder is told: all of it is watched, nothing was refused, and it lies on file systems on which
   * nobody but this machine writes. A hint, like all that is told: a mapping in memory, or a link from elsewhere, changes a file unheard.
   */
  readonly hearsEverything: boolean;
  /**
   * Makes sure that it is still the folder itself that is watched, and not what it was moved away to; when it was not, changes count as
   * lost. Called before each cycle that does not look only at what was told.
   */
  check(): Promise<void>;
  /** Ends; nothing is told afterwards. May be called at any time, also twice. */
  close(): Promise<void>;
}
