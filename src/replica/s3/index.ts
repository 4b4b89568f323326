export { createS3Replica, type S3Replica, type S3ReplicaOptions } from './create-s3-replica.js';
export { AWS_DIALECT, type Dialect, type EtagForm } from './dialect.js';
export { createUndiciTransport, type UndiciTransport, type UndiciTransportOptions } from './undici-transport.js';
export type { S3Request, S3Response, S3Transport } from './transport.js';
export type { FactMemory, RememberedUpload, UploadMemory } from './upload-memory.js';
export type { RequestCounters, RequestEvent } from './wrap/trace.js';
