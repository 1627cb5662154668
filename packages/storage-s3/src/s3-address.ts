import { StorageAddressError } from '@millrace/core/storage';
import type { S3Credentials, S3StorageOptions } from './s3-options.ts';

/** Schemes of URLs that lead to this package. */
export const S3_SCHEMES: readonly string[] = ['s3', 'cos', 'oss'];

type Variables = Readonly<Record<string, string | undefined>>;
type Parameters = Pick<S3StorageOptions, 'endpoint' | 'region' | 'forcePathStyle' | 'partBytes'>;

/**
 * Reads `s3://bucket/prefix?endpoint=&region=&pathStyle=&partBytes=`, and the same with `cos:` and
 * `oss:`. What the URL leaves open is taken from the environment variables. Pure.
 *
 * @throws StorageAddressError
 */
export function s3OptionsOf(address: string, variables: Variables): S3StorageOptions {
  const url = URL.canParse(address) ? new URL(address) : null;
  const scheme = url?.protocol.slice(0, -1) ?? '';
  if (url === null || !S3_SCHEMES.includes(scheme)) fail(address, 'is no s3:, cos: or oss: URL');
  if (url.username !== '' || url.password !== '') {
    fail(withoutUser(url), 'holds credentials; they belong in the environment');
  }
  if (url.hostname === '') fail(address, 'names no bucket');
  if (url.port !== '' || url.hash !== '') fail(address, 'has a port or a #, which mean nothing');
  const prefix = prefixOf(address, url);
  const given = parametersOf(address, url.searchParams);
  return {
    // Not hostname: URL keeps its case for these schemes, and so do we.
    bucket: url.hostname,
    scheme,
    ...(prefix === '' ? {} : { prefix }),
    ...vendors[scheme]!(given, variables, address),
  };
}

const vendors: Readonly<
  Record<string, (given: Parameters, v: Variables, address: string) => Partial<S3StorageOptions>>
> = {
  s3: (given, v) => {
    const endpoint = given.endpoint ?? firstOf(v.AWS_ENDPOINT_URL_S3, v.AWS_ENDPOINT_URL);
    const region = given.region ?? firstOf(v.AWS_REGION, v.AWS_DEFAULT_REGION);
    return { ...given, ...defined({ endpoint, region }) };
  },
  cos: (given, v, address) => {
    const region = given.region ?? firstOf(v.COS_REGION, v.TENCENTCLOUD_REGION);
    if (region === undefined && given.endpoint === undefined) {
      fail(address, 'needs ?region=, or COS_REGION');
    }
    const credentials = credentialsOf(
      firstOf(v.COS_SECRET_ID, v.TENCENTCLOUD_SECRET_ID),
      firstOf(v.COS_SECRET_KEY, v.TENCENTCLOUD_SECRET_KEY),
      firstOf(v.COS_SESSION_TOKEN, v.TENCENTCLOUD_SESSION_TOKEN),
    );
    return {
      endpoint: `https://cos.${region}.myqcloud.com`,
      forcePathStyle: false,
      creation: 'x-cos-forbid-overwrite',
      ...defined({ credentials, region }),
      ...given,
    };
  },
  oss: (given, v, address) => {
    const region = given.region ?? firstOf(v.OSS_REGION, v.ALIBABA_CLOUD_REGION_ID);
    if (region === undefined && given.endpoint === undefined) {
      fail(address, 'needs ?region=, or OSS_REGION');
    }
    const credentials = credentialsOf(
      firstOf(v.OSS_ACCESS_KEY_ID, v.ALIBABA_CLOUD_ACCESS_KEY_ID),
      firstOf(v.OSS_ACCESS_KEY_SECRET, v.ALIBABA_CLOUD_ACCESS_KEY_SECRET),
      firstOf(v.OSS_SESSION_TOKEN, v.ALIBABA_CLOUD_SECURITY_TOKEN),
    );
    return {
      endpoint: `https://s3.oss-${region?.replace(/^oss-/, '')}.aliyuncs.com`,
      forcePathStyle: false,
      creation: 'x-oss-forbid-overwrite',
      ...defined({ credentials, region }),
      ...given,
    };
  },
};

// The names of jobs are part of it, and these may be anything: `order%20totals`.
function prefixOf(address: string, url: URL): string {
  let prefix = '';
  try {
    prefix = decodeURIComponent(url.pathname.replace(/^\/+|\/+$/g, ''));
  } catch {
    fail(address, 'has a % that encodes nothing');
  }
  const isPlain = prefix === '' || !/^\/|\/\/|\/$|\p{Cc}/u.test(prefix);
  if (!isPlain) fail(address, 'has a prefix with an empty part or a control character');
  return prefix;
}

function parametersOf(address: string, parameters: URLSearchParams): Parameters {
  const given: { -readonly [Name in keyof Parameters]: Parameters[Name] } = {};
  for (const [name, value] of parameters) {
    switch (name) {
      case 'endpoint':
        if (!/^https?:\/\/[^/]/.test(value)) fail(address, 'endpoint is no http: or https: URL');
        given.endpoint = value.replace(/\/+$/, '');
        break;
      case 'region':
        if (!/^[A-Za-z0-9-]+$/.test(value)) fail(address, 'region is not the name of one');
        given.region = value;
        break;
      case 'pathStyle':
        if (value !== 'true' && value !== 'false') fail(address, 'pathStyle is true or false');
        given.forcePathStyle = value === 'true';
        break;
      case 'partBytes':
        if (!/^\d+$/.test(value)) fail(address, 'partBytes is a number');
        given.partBytes = Number(value);
        break;
      default:
        fail(address, `there is no parameter "${name}"`);
    }
  }
  return given;
}

function credentialsOf(
  accessKeyId: string | undefined,
  secretAccessKey: string | undefined,
  sessionToken: string | undefined,
): S3Credentials | undefined {
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, ...defined({ sessionToken }) };
}

function firstOf(...values: readonly (string | undefined)[]): string | undefined {
  return values.find((value) => value !== undefined && value !== '');
}

type Defined<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  const kept = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as Defined<T>;
}

function withoutUser(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href;
}

function fail(address: string, problem: string): never {
  throw new StorageAddressError(
    `"${address}": ${problem}`,
    { address },
    { hint: 'Write s3://BUCKET/PREFIX?endpoint=URL&region=REGION&pathStyle=true; see the guide.' },
  );
}
