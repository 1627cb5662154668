import { createHash } from 'node:crypto';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { NetworkPolicy } from '@millrace/core/storage';
import type { S3StorageOptions } from './s3-options.ts';

/**
 * The SDK's client, as this driver wants it: one attempt a call (retries are the driver's), no
 * checksums that only AWS knows, connections kept open.
 */
export function newS3Client(options: S3StorageOptions, policy: NetworkPolicy): S3Client {
  const agent = { keepAlive: true, maxSockets: policy.callCountMax };
  const config: S3ClientConfig = {
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With it the SDK opens a new connection for every write.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: policy.connectTimeoutMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
    forcePathStyle: options.forcePathStyle ?? options.endpoint !== undefined,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...regionOf(options),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  };
  const client = new S3Client(config);
  addContentMd5(client);
  return client;
}

// A store of one's own rarely has regions, and the SDK does not begin without one.
function regionOf({ endpoint, region }: S3StorageOptions): Pick<S3ClientConfig, 'region'> {
  if (region !== undefined) return { region };
  return endpoint === undefined ? {} : { region: 'us-east-1' };
}

// Batch deletions must bear a checksum. AWS takes CRC32, which the SDK sends; older MinIO, COS and
// OSS know only this one. It must be there before the request is signed.
function addContentMd5(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const request = args.request as { body?: unknown; headers: Record<string, string> };
      if (context.commandName === 'DeleteObjectsCommand' && typeof request.body === 'string') {
        request.headers['content-md5'] = createHash('md5').update(request.body).digest('base64');
      }
      return next(args);
    },
    { step: 'build', name: 'millraceContentMd5' },
  );
}
