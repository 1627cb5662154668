import {
  failedCall,
  StorageBucketNotFoundError,
  StorageClockSkewError,
  StorageCredentialsError,
  StorageCredentialsExpiredError,
  StorageError,
  type StorageErrorDetails,
  StorageFullError,
  StorageKeyDeniedError,
  StorageNotFoundError,
  StoragePermissionError,
  StorageRefusedError,
  StorageRegionError,
  StorageThrottledError,
  StorageUnavailableError,
  StorageUnreachableError,
} from '@millrace/core/storage';

/** What the server or the transport said, as far as it is known. */
export interface S3Failure {
  /** S3's code, node's code of a socket, or the name of the error. */
  readonly code: string;
  /** HTTP status; 0: there was no answer. */
  readonly status: number;
  readonly message: string;
  /** Where the bucket lies, if the server says so. */
  readonly region: string | undefined;
}

interface Cause {
  readonly make: ErrorClass;
  /** Codes that mean it, apart by spaces. */
  readonly codes: string;
  /** Instead of the server's own words. */
  readonly problem?: string;
  readonly hint?: string;
}

type ErrorClass = new (
  message: string,
  details: StorageErrorDetails,
  options: { readonly cause: unknown; readonly hint?: string },
) => StorageError;

const causes = {
  notFound: {
    make: StorageNotFoundError,
    codes: 'NoSuchKey NotFound NoSuchVersion',
    problem: 'there is no such object',
  },
  bucket: {
    make: StorageBucketNotFoundError,
    codes: 'NoSuchBucket',
    problem: 'there is no such bucket',
    hint: 'Create the bucket, or fix its name, the endpoint, or the account.',
  },
  credentials: {
    make: StorageCredentialsError,
    codes: `InvalidAccessKeyId SignatureDoesNotMatch InvalidToken InvalidSecurity AuthFailure
      MissingSecurityHeader CredentialsProviderError UnrecognizedClientException
      XAdminUserNotFound`,
    hint: 'Set the access key and its secret (AWS_ACCESS_KEY_ID ...), a profile or a role.',
  },
  expired: {
    make: StorageCredentialsExpiredError,
    codes: 'ExpiredToken ExpiredTokenException TokenRefreshRequired SecurityTokenExpired',
    problem: 'the credentials have expired',
    hint: 'Use credentials that are renewed, such as a role, or set new ones and restart.',
  },
  clock: {
    make: StorageClockSkewError,
    codes: 'RequestTimeTooSkewed RequestExpired RequestInTheFuture',
    problem: "the clock of this machine is too far from the server's",
    hint: 'Set the clock of this machine (NTP).',
  },
  // A 503 by itself says nothing about the outcome (MinIO: SlowDownWrite after half of a write);
  // these codes are given before anything is done.
  throttled: {
    make: StorageThrottledError,
    codes: `SlowDown Throttling ThrottlingException TooManyRequests TooManyRequestsException
      RequestLimitExceeded BandwidthLimitExceeded QpsLimitExceeded`,
    problem: 'too many requests',
    hint: 'Checkpoint less often, raise the limit, or use another prefix or bucket.',
  },
  conflict: {
    make: StorageThrottledError,
    codes: 'ConditionalRequestConflict',
    problem: 'others write it at this moment',
  },
  key: {
    make: StorageKeyDeniedError,
    codes: `KMS.DisabledException KMS.NotFoundException KMS.KMSInvalidStateException
      KMS.InvalidKeyUsageException KMS.UnrecognizedClientException KMS.AccessDeniedException`,
    hint: 'Allow kms:GenerateDataKey and kms:Decrypt on the key of the bucket; enable it.',
  },
  region: {
    make: StorageRegionError,
    codes: `PermanentRedirect Redirect TemporaryRedirect AuthorizationHeaderMalformed
      IllegalLocationConstraintException IncorrectEndpoint`,
    hint: 'Name the region of the bucket: ?region= in the URL, or AWS_REGION; or the endpoint.',
  },
  full: {
    make: StorageFullError,
    codes: `QuotaExceeded StorageFull InsufficientStorage XMinioStorageFull
      XMinioAdminBucketQuotaExceeded`,
    hint: 'Free space, or raise the quota.',
  },
  permission: {
    make: StoragePermissionError,
    codes: `AccessDenied AccessForbidden Forbidden AllAccessDisabled AccountProblem
      UnauthorizedAccess UserDisable`,
    hint: 'Allow s3:GetObject, PutObject, DeleteObject, ListBucket; see the storage guide.',
  },
  unreachable: {
    make: StorageUnreachableError,
    codes: `ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH EADDRNOTAVAIL EPROTO
      CERT_HAS_EXPIRED ERR_TLS_CERT_ALTNAME_INVALID DEPTH_ZERO_SELF_SIGNED_CERT
      SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_VERIFY_LEAF_SIGNATURE
      UNABLE_TO_GET_ISSUER_CERT_LOCALLY`,
    hint: 'Check the endpoint, the port, the certificate, and the way to them.',
  },
  // RequestTimeout: the body came too slowly. NoSuchUpload: somebody removed leftovers.
  unavailable: {
    make: StorageUnavailableError,
    codes: 'RequestTimeout NoSuchUpload IncompleteBody OperationAborted',
    hint: 'Look whether the store is well; the call is repeated.',
  },
  refused: {
    make: StorageRefusedError,
    codes: '',
    hint: 'See what the server says; the store may not do all that S3 does.',
  },
} satisfies Record<string, Cause>;

type Kind = keyof typeof causes;

const kindsByCode = new Map(
  (Object.keys(causes) as Kind[]).flatMap((kind) =>
    causes[kind].codes.split(/\s+/).map((code): [string, Kind] => [code, kind]),
  ),
);

const kindsByStatus: Readonly<Record<number, Kind>> = {
  301: 'region',
  307: 'region',
  401: 'credentials',
  403: 'permission',
  404: 'notFound',
  408: 'unavailable',
  429: 'throttled',
  501: 'refused',
  507: 'full',
};

/** What a failure is: by its words where these say more, then by its code, then by its status. */
export function kindOf({ code, status, message }: S3Failure): Kind {
  if (/\bKMS\b|\bkms:/.test(message) && (status === 403 || status === 400)) return 'key';
  if (/region.* is missing/i.test(message)) return 'region';
  if (/without establishing a connection/.test(message)) return 'unreachable';
  const known = kindsByCode.get(code) ?? kindsByStatus[status];
  if (known !== undefined) return known;
  return status >= 400 && status < 500 ? 'refused' : 'unavailable';
}

/** Reads what the SDK threw; anything else is a failure without an answer. */
export function failureOf(error: unknown): S3Failure {
  const said = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly Code?: unknown;
    readonly message?: unknown;
    readonly Region?: unknown;
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
  };
  const code = [said.Code, said.code, said.name].find((one) => typeof one === 'string');
  const region = said.$response?.headers?.['x-amz-bucket-region'] ?? said.Region;
  return {
    code: typeof code === 'string' ? code : 'Unknown',
    status: said.$metadata?.httpStatusCode ?? 0,
    message: typeof said.message === 'string' ? said.message : String(error),
    region: typeof region === 'string' ? region : undefined,
  };
}

/** What the SDK threw, as one of our errors with a hint. */
export function s3ErrorOf(error: unknown, details: StorageErrorDetails): StorageError {
  if (error instanceof StorageError) return error;
  const failure = failureOf(error);
  const cause: Cause = causes[kindOf(failure)];
  const answer = failure.status === 0 ? failure.code : `${failure.code}, HTTP ${failure.status}`;
  const problem = `${cause.problem ?? failure.message} (${answer})`;
  const what = failedCall(details);
  const { region } = failure;
  const hint =
    cause.make === StorageRegionError && region !== undefined
      ? `The bucket is in region ${region}: ?region=${region} in the URL, or AWS_REGION.`
      : cause.hint;
  return new cause.make(`${what}: ${problem}`, details, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
