export * as s3 from './s3/index.js';
export * from './errors.js';
