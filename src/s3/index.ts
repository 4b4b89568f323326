/**
 * Keeps a local folder and an S3 bucket the same, and reads and writes single objects.
 *
 * @example
 * ```ts
 * import * as s3 from 'filecloudsync/s3';
 * const client = await s3.connect();
 * for (const { key, operation, location } of await s3.sync(client, 'pictures', 'photos')) {
 *   console.log(location, operation, key);
 * }
 * ```
 *
 * @module
 */
export { checkChanges, type ExpectedChanges } from './check-changes.js';
export { connect } from './connect.js';
export { getCredentials, type Credentials } from './credentials.js';
export { downloadFile } from './download-file.js';
export { exists } from './exists.js';
export { getBucketKeys, type BucketKey, type BucketKeysOptions } from './get-bucket-keys.js';
export { readJson, writeJson } from './json.js';
export { Location } from './location.js';
export { Monitor } from './monitor.js';
export { Operation } from './operation.js';
export { removeSyncStatus } from './remove-sync-status.js';
export { split } from './split.js';
export { sync } from './sync.js';
export { uploadFile } from './upload-file.js';
export { readYaml, writeYaml } from './yaml.js';

export type { Change } from './change.js';
export type { ConnectOptions, CredentialOptions } from './connect-options.js';
export type { ReadOptions } from './document.js';
export type { ChangeHandle, FinishHandle, MonitorEvents } from './monitor-events.js';
export type { MonitorOptions } from './monitor-options.js';
export type { SyncOptions } from './sync-options.js';
export type { SyncResult } from './sync-result.js';
export type {
  Conflict,
  ConflictAnswer,
  ConflictPolicy,
  ConflictPolicyName,
  ConflictQuestion,
} from '../core/conflict.js';
export type { PathChange, Operation as PathOperation } from '../core/change.js';
export type { Action, HoldReason, RuleId } from '../core/decision.js';
export type { Problem } from '../core/problem.js';
export type { CycleCounts, CycleResult, HeldPath, PlanTotals } from '../session/result.js';
export type { SessionEvent, SessionListener } from '../session/event.js';
export type { Seen, SeenBaseline, SeenFile } from '../session/seen.js';
