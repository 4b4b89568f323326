import { describe, expect, it } from 'vitest';
import { resolveBucketEndpoint } from '../replica/s3/endpoint.js';
import { createClient } from './sdk.js';
import { createSlimClient, type SlimClientPlan } from './slim-client.js';

const keys = { accessKeyId: 'TESTKEY', secretAccessKey: 'very-secret-text' };
const plan: SlimClientPlan = {
  endpoint: 'http://127.0.0.1:9000',
  region: 'us-east-1',
  forcePathStyle: true,
  bucket: 'photos',
  fixedKeys: () => Promise.resolve(keys),
};

describe('createSlimClient', () => {
  it.each([
    'http://127.0.0.1:9000',
    'http://127.0.0.1:9000/',
    'http://localhost',
    'http://localhost:80',
    'https://storage.example.com',
    'https://storage.example.com:443',
    'https://storage.example.com:8443/base',
    'https://storage.example.com/base/path/',
    'http://[::1]:9000',
  ])('finds the same address as the client of AWS at %s', async (endpoint) => {
    for (const bucket of ['photos', 'a.b.c', 'with-hyphens', '2026']) {
      for (const region of ['us-east-1', 'eu-central-3', 'anything']) {
        const slim = createSlimClient({ ...plan, endpoint, region, bucket }, {});
        if (slim === undefined) throw new Error(`no slim client for ${bucket} at ${endpoint}`);
        const whole = await createClient({ endpoint, region, credentials: keys, forcePathStyle: true });
        for (const asked of [bucket, '']) {
          expect(await resolveBucketEndpoint(slim, asked)).toEqual(await resolveBucketEndpoint(whole, asked));
        }
        expect(await slim.config.credentials()).toMatchObject(keys);
        whole.destroy();
      }
    }
  });

  it.each<[string, Partial<SlimClientPlan>, Record<string, string>]>([
    ['no address is given', { endpoint: undefined }, {}],
    ['the keys may end', { fixedKeys: undefined }, {}],
    ['the bucket belongs into the host name', { forcePathStyle: false }, {}],
    ['no bucket is named', { bucket: undefined }, {}],
    ['the name of the bucket is not plain', { bucket: 'Photos_2026' }, {}],
    ['the bucket is an ARN', { bucket: 'arn:aws:s3:eu-west-1:123456789012:accesspoint/mine' }, {}],
    ['the address has a query', { endpoint: 'http://127.0.0.1:9000/?x=1' }, {}],
    ['the address has a user', { endpoint: 'http://me@127.0.0.1:9000' }, {}],
    ['the environment asks for other addresses', {}, { AWS_USE_FIPS_ENDPOINT: 'true' }],
    ['the environment asks for both networks', {}, { AWS_USE_DUALSTACK_ENDPOINT: 'true' }],
  ])('leaves it to the client of AWS when %s', (_case, changed, env) => {
    expect(createSlimClient({ ...plan, ...changed }, env)).toBeUndefined();
  });
});
