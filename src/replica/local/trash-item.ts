import type { TrashReason } from '../replica.js';
import type { TrashItem } from '../trash.js';

/** Name of the content in an item's folder. */
export const CONTENT_NAME = 'content';
/** Name of the description in an item's folder. */
export const SIDECAR_NAME = 'item.json';

const REASONS: ReadonlySet<string> = new Set<TrashReason>([
  'replaced',
  'deleted',
  'lost-conflict',
  'unexpected',
  'resolved',
  'removed',
]);

/** What is written beside a version in the trash. The size is taken from the content. */
export type TrashNote = Omit<TrashItem, 'sizeBytes'>;

/** Turns a description into the bytes of its file. */
export function encodeTrashNote(note: TrashNote): Uint8Array {
  const { modifiedMs, ...rest } = note;
  return new TextEncoder().encode(`${JSON.stringify({ version: 1, ...rest, modifiedMs: modifiedMs ?? null })}\n`);
}

/** Reads a description; `undefined` when it is not a whole one of this version and id. */
export function decodeTrashNote(id: string, bytes: Uint8Array): TrashNote | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const note = value as Record<string, unknown>;
  const { path, trashedAtMs, modifiedMs, reason, origin, runId } = note;
  if (note['version'] !== 1 || note['id'] !== id) return undefined;
  if (typeof path !== 'string' || typeof trashedAtMs !== 'number' || typeof runId !== 'string') return undefined;
  if (typeof reason !== 'string' || !REASONS.has(reason)) return undefined;
  if (origin !== 'local' && origin !== 'remote') return undefined;
  return {
    id,
    path,
    trashedAtMs,
    modifiedMs: typeof modifiedMs === 'number' ? modifiedMs : undefined,
    reason: reason as TrashReason,
    origin,
    runId,
  };
}

/** Makes an id that sorts by time: nine base-36 digits of milliseconds (until the year 5188), then random characters. */
export function trashId(timeMs: number, random: string): string {
  return `${Math.max(0, Math.floor(timeMs)).toString(36).padStart(9, '0')}-${random}`;
}

/** Whether a name can be an id; anything else is never looked up on the disk. */
export function isTrashId(id: string): boolean {
  return /^[0-9a-z]{9}-[0-9a-z]{1,32}$/.test(id);
}
