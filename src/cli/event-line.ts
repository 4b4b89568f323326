import type { SessionEvent } from '../session/event.js';
import type { CycleResult } from '../session/result.js';
import type { JsonLine } from './json-schema.js';

/** Turns an event of a session into a line of JSON; `undefined` for the bytes, which the progress lines count. */
export function lineOfEvent(event: SessionEvent): JsonLine | undefined {
  if (event.type === 'bytes') return undefined;
  if (event.type === 'end') return lineOfResult(event.result);
  return event;
}

/** The end of a cycle in numbers: its lists were told one by one before. */
export function lineOfResult(result: CycleResult): JsonLine {
  const { changes, settledConflicts, waitingConflicts, errors, notices } = result.counts;
  return {
    type: 'end',
    runId: result.runId,
    ...(result.touchedPaths !== undefined && { touchedPaths: result.touchedPaths }),
    ...(result.poll === true && { poll: true }),
    changes,
    conflicts: settledConflicts + waitingConflicts,
    waitingConflicts,
    problems: errors + notices,
    held: result.heldCount,
    localFiles: result.localFiles,
    remoteFiles: result.remoteFiles,
    uploadedBytes: result.uploadedBytes,
    downloadedBytes: result.downloadedBytes,
    hashedFiles: result.hashedFiles,
    rebuilt: result.rebuilt,
    startedAtMs: result.startedAtMs,
    endedAtMs: result.endedAtMs,
  };
}
