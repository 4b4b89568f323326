/**
 * What this package is tested with, for the tests of others: an S3 server of its own, the same without sockets and with the
 * ways of other stores, faults, a simulated disk and database, time and chance from one seed, and the suite that every
 * replica has to pass. For trying out and for tests; nothing here is meant to keep what matters.
 *
 * @example
 * ```ts
 * import { startS3Server } from 'filecloudsync/testing';
 * await using server = await startS3Server({ credentials: { accessKeyId: 'any', secretAccessKey: 'any' } });
 * console.log(server.endpoint);
 * ```
 *
 * @module
 */
export { databaseDuties, type DatabaseDuty } from './database/database-conformance.js';
export { type CrashKind, type DatabaseStep, SimulatedDatabaseHome } from './database/simulated-database.js';
export { describeReplica, type ReplicaHarness, type SuiteMatchers, type SuiteTools } from './describe-replica.js';
export { type FileSystemHook, hookFileSystem } from './fs/hooked-file-system.js';
export type { CrashKeep, DiskTraits } from './fs/simulated-disk.js';
export { SimulatedFileSystem, type SimulatedFileSystemOptions } from './fs/simulated-file-system.js';
export type { SimulatedUser, TreeNode } from './fs/simulated-user.js';
export * from './s3/index.js';
export { type LostVersion, Oracle } from './simulation/oracle.js';
export { Scheduler, SimulatedProcess } from './simulation/scheduler.js';
export { SeededRandom } from './simulation/seeded-random.js';
export { MemoryReplica, type MemoryReplicaOptions } from '../replica/memory/memory-replica.js';

export type { Digest, DigestScheme } from '../core/digest.js';
export type {
  DirectoryEntry,
  Entry,
  FileEntry,
  Fingerprint,
  ProblematicEntry,
  SymlinkEntry,
  UntrackedEntry,
} from '../core/entry.js';
export type { PartDigests } from '../core/part-digests.js';
export type { NameRules } from '../core/path.js';
export type { Problem } from '../core/problem.js';
export type { FileHasher, FilePart, FileParts, HashAlgorithm, Hasher } from '../core/hasher.js';
export type { Clock, Random, Runtime } from '../core/runtime.js';
export type { Side } from '../core/side.js';
export type {
  ByteName,
  DirectoryHandle,
  DirectoryItem,
  FileHandle,
  FileLook,
  FileStat,
  FileSystem,
  FileType,
  NewPlace,
  NewFile,
  Way,
} from '../replica/local/file-system.js';
export type {
  Capabilities,
  ChangeOptions,
  CleanUpOptions,
  MoveOptions,
  Outcome,
  PartHints,
  PathFilter,
  Precondition,
  PrepareOptions,
  Replica,
  ScanMark,
  ScanOptions,
  ScanPage,
  Source,
  Stale,
  TrashReason,
  WriteOptions,
  Written,
} from '../replica/replica.js';
export type { Pace, S3Request, S3Response, S3Transport } from '../replica/s3/transport.js';
export type { Trash, TrashItem } from '../replica/trash.js';
export type { Database, DatabaseHome, DatabaseOperation, DatabasePage, KeyRange } from '../store/database.js';
