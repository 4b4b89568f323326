import type { BaselineRow } from '../core/baseline.js';

/**
 * Writes a row as a compact JSON array: size, local, remote, digest or `null`, time, and `1` when replacing.
 * The path is the key and is not repeated.
 */
export function encodeBaselineRow(row: BaselineRow): string {
  const fields = [row.sizeBytes, row.local, row.remote, row.digest ?? null, row.recordedAtMs];
  return JSON.stringify(row.replacing === true ? [...fields, 1] : fields);
}

/** Reads a row back; `undefined` when the text is not one. */
export function decodeBaselineRow(path: string, text: string): BaselineRow | undefined {
  const fields: unknown = JSON.parse(text);
  if (!Array.isArray(fields)) return undefined;
  const [sizeBytes, local, remote, digest, recordedAtMs, replacing]: unknown[] = fields;
  if (typeof sizeBytes !== 'number' || typeof remote !== 'string' || typeof recordedAtMs !== 'number') return undefined;
  if (local !== null && typeof local !== 'string') return undefined;
  if (digest !== null && typeof digest !== 'string') return undefined;
  const row = { path, sizeBytes, local, remote, digest: digest ?? undefined, recordedAtMs };
  return replacing === 1 ? { replacing: true, ...row } : row;
}
