export { type RequestCounter, type RequestCounts } from './counters.js';
export {
  type ConditionRules,
  type ConditionSupport,
  type Dialect,
  type DialectName,
  DIALECTS,
  type ListingRules,
} from './dialects.js';
export { DirectoryStorage, type DirectoryStorageOptions } from './directory-storage.js';
export { badDay, type Fault, type FaultPlan, type FaultRule, withFaults } from './faults.js';
export { MemoryStorage } from './memory-storage.js';
export type { BlobWriter, ObjectStorage } from './object-storage.js';
export { OPERATION_NAMES, type OperationName } from './operation.js';
export {
  type AnswerBody,
  ConnectionBroken,
  type S3Service,
  type ServiceAnswer,
  type ServiceRequest,
} from './service.js';
export {
  type PeekedObject,
  SimulatedS3,
  type SimulatedS3Options,
  type SimulatedTransportOptions,
} from './simulated-s3.js';
export type { Checksum, ChecksumType } from './digests.js';
export type { ObjectVersion, Part, PartSummary, Segment, StateChange, Tags, Upload } from './state.js';
export { systemRuntime } from './system-runtime.js';
export { serviceTransport } from './transport.js';
export { type S3Server, type S3ServerOptions, startS3Server } from './server.js';
export type { ServerCredentials } from './sigv4.js';
