import { describe, expect, it } from 'vitest';
import { addressErrors, addressText, toAddress } from './address.js';
import { split } from './split.js';

describe('toAddress', () => {
  it.each([
    ['photos', undefined, 'photos', ''],
    ['photos', '2026', 'photos', '2026/'],
    ['s3://photos', undefined, 'photos', ''],
    ['s3://photos/', undefined, 'photos', ''],
    ['s3://photos/a/b', undefined, 'photos', 'a/b/'],
    ['S3://photos/a/', 'a', 'photos', 'a/'],
    ['s3://photos/ö ü?#%2F', undefined, 'photos', 'ö ü?#%2F/'],
  ])('reads %j with the prefix %j', (bucket, prefix, name, whole) => {
    const address = toAddress(bucket, prefix);
    expect(address).toEqual({ bucket: name, prefix: whole });
    expect(addressText(address)).toBe(`s3://${name}/${whole}`);
  });

  it.each([
    ['', undefined],
    ['a', undefined],
    ['photos/2026', undefined],
    ['http://photos', undefined],
    ['../photos', undefined],
    ['s3://', undefined],
    ['photos', '/a'],
    ['photos', 'a//b'],
    ['photos', 'a/../b'],
    ['photos', '.filecloudsync/x'],
    ['s3://photos/a', 'b'],
    [7, undefined],
  ])('refuses %j with the prefix %j', (bucket, prefix) => {
    expect(addressErrors(bucket, prefix)).not.toEqual([]);
  });
});

describe('split', () => {
  it.each([
    ['s3://bucket/some/key', ['s3', 'bucket', 'some/key']],
    ['s3://bucket', ['s3', 'bucket', '']],
    ['s3://bucket/', ['s3', 'bucket', '']],
    ['S3://bucket//a%20b?c#d\n/', ['s3', 'bucket', '/a%20b?c#d\n/']],
  ])('takes %j apart', (address, parts) => {
    expect(split(address)).toEqual(parts);
  });

  it.each(['bucket/key', '', 's3:/bucket', 's3:///key'])('refuses %j', (address) => {
    expect(() => split(address)).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }));
  });
});
