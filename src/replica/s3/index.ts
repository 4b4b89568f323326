export { createS3Replica, type S3Replica, type S3ReplicaOptions } from './create-s3-replica.js';
export { createHttpTransport } from './http-transport.js';
export type { S3Request, S3Response, S3Transport } from './transport.js';
export type { FactMemory, RememberedUpload, UploadMemory } from './upload-memory.js';
