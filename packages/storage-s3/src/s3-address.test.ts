import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageAddressError } from '@millrace/core/storage';
import { s3OptionsOf } from './s3-address.ts';

test('s3OptionsOf reads bucket, prefix and parameters', () => {
  assert.deepEqual(s3OptionsOf('s3://bucket', {}), { bucket: 'bucket', scheme: 's3' });
  const url =
    's3://My.Bucket/a/b/?endpoint=http://host:9000/&region=eu-west-1' +
    '&pathStyle=false&partBytes=6000000';
  assert.deepEqual(s3OptionsOf(url, { AWS_REGION: 'not-this' }), {
    bucket: 'My.Bucket',
    scheme: 's3',
    prefix: 'a/b',
    endpoint: 'http://host:9000',
    region: 'eu-west-1',
    forcePathStyle: false,
    partBytes: 6_000_000,
  });
});

test('s3OptionsOf decodes the prefix: names of jobs may be anything', () => {
  assert.equal(s3OptionsOf('s3://b/a/order%20totals%2Bé', {}).prefix, 'a/order totals+é');
});

test('s3OptionsOf takes the usual variables', () => {
  const bucket = { bucket: 'b', scheme: 's3' };
  const general = { AWS_ENDPOINT_URL: 'http://general', AWS_DEFAULT_REGION: 'r1' };
  assert.deepEqual(s3OptionsOf('s3://b', general), {
    ...bucket,
    endpoint: 'http://general',
    region: 'r1',
  });
  const special = { ...general, AWS_ENDPOINT_URL_S3: 'http://special', AWS_REGION: 'r2' };
  assert.deepEqual(s3OptionsOf('s3://b', special), {
    ...bucket,
    endpoint: 'http://special',
    region: 'r2',
  });
});

test('s3OptionsOf knows the endpoints, keys and headers of other vendors', () => {
  const tencent = { COS_SECRET_ID: 'i', TENCENTCLOUD_SECRET_KEY: 'k', AWS_REGION: 'no' };
  assert.deepEqual(s3OptionsOf('cos://b-123/p?region=ap-x', tencent), {
    bucket: 'b-123',
    scheme: 'cos',
    prefix: 'p',
    endpoint: 'https://cos.ap-x.myqcloud.com',
    forcePathStyle: false,
    creation: 'x-cos-forbid-overwrite',
    credentials: { accessKeyId: 'i', secretAccessKey: 'k' },
    region: 'ap-x',
  });
  const alibaba = {
    OSS_REGION: 'oss-cn-x',
    OSS_ACCESS_KEY_ID: 'i',
    OSS_ACCESS_KEY_SECRET: 'k',
    OSS_SESSION_TOKEN: 't',
  };
  assert.deepEqual(s3OptionsOf('oss://b', alibaba), {
    bucket: 'b',
    scheme: 'oss',
    endpoint: 'https://s3.oss-cn-x.aliyuncs.com',
    forcePathStyle: false,
    creation: 'x-oss-forbid-overwrite',
    credentials: { accessKeyId: 'i', secretAccessKey: 'k', sessionToken: 't' },
    region: 'oss-cn-x',
  });
});

test('s3OptionsOf says what is wrong with a URL, without its secrets', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['http://bucket/a', /no s3:/],
    ['s3:bucket', /names no bucket/],
    ['s3:///prefix', /names no bucket/],
    ['s3://id:hush@bucket', /holds credentials/],
    ['s3://bucket:80/a', /port/],
    ['s3://bucket/a%00b', /prefix/],
    ['s3://bucket/a%zz', /encodes nothing/],
    ['s3://bucket/a//b', /prefix/],
    ['s3://bucket?endpoint=host', /endpoint/],
    ['s3://bucket?region=', /region/],
    ['s3://bucket?pathStyle=yes', /pathStyle/],
    ['s3://bucket?partBytes=8mb', /partBytes/],
    ['s3://bucket?acl=private', /no parameter "acl"/],
    ['cos://bucket', /COS_REGION/],
    ['oss://bucket', /OSS_REGION/],
  ];
  for (const [address, problem] of wrong) {
    assert.throws(
      () => s3OptionsOf(address, {}),
      (error: unknown) => {
        assert.ok(error instanceof StorageAddressError, address);
        assert.match(error.message, problem);
        assert.doesNotMatch(JSON.stringify([error.message, error.details]), /hush/);
        return true;
      },
    );
  }
});
