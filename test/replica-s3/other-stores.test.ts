import { describe, expect, it } from 'vitest';
import { describeReplica } from '../../src/testing/describe-replica.js';
import { type DialectName, DIALECTS } from '../../src/testing/s3/index.js';
import { simulatedBucket } from './bucket-under-test.js';
import { replicaHarness } from './replica-harness.js';

/** All of them with FCS_TEST_ALL=1. */
const FEW: readonly DialectName[] = ['ceph-16'];
const ALL: readonly DialectName[] = [
  'aws-kms',
  'r2',
  'garage-1.2',
  'oss',
  'seaweedfs-3.97',
  'conditions-304',
  'conditions-404',
  'conditions-409',
  'conditions-400',
];
const dialects = process.env['FCS_TEST_ALL'] === undefined ? FEW : [...FEW, ...ALL];

describe('on other stores', () => {
  for (const dialect of dialects)
    describeReplica(dialect, async () => replicaHarness(simulatedBucket(dialect), ''), { describe, it, expect });
  // No store is less than that; only the times of files have to be kept, which it does not.
  const least = { ...DIALECTS['bare'], metadata: 'kept' as const };
  describeReplica('the least of stores, not probed', async () => replicaHarness(simulatedBucket(least), '', false), {
    describe,
    it,
    expect,
  });
});
