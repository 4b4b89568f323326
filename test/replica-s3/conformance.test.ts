import { describe, expect, it } from 'vitest';
import { describeReplica } from '../../src/testing/describe-replica.js';
import { makeBucket, targetName } from './bucket-under-test.js';
import { replicaHarness } from './replica-harness.js';

describeReplica(`A bucket on ${targetName}`, async () => replicaHarness(await makeBucket(), ''), {
  describe,
  it,
  expect,
});
describeReplica(
  `A prefix in a bucket on ${targetName}`,
  async () => replicaHarness(await makeBucket(), 'deep/ü +%/prefix'),
  {
    describe,
    it,
    expect,
  },
);
