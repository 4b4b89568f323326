/** What a watcher tells. */
export interface WatchListener {
  /** Something below the folder may have changed. Told often, also for nothing; the receiver waits until it is quiet. */
  onChange(): void;
  /** Not everything can be watched, or not any more: changes there are found by the next periodic cycle only. Told once per cause. */
  onTrouble(error: Error): void;
}

/** Tells when a folder may have changed, so that a monitor need not wait for its next cycle. Never the only source of truth. */
export interface FolderWatcher {
  /** Begins to watch; resolves when all that can be watched is. */
  start(listener: WatchListener): Promise<void>;
  /** Ends; nothing is told afterwards. May be called at any time, also twice. */
  close(): Promise<void>;
}
