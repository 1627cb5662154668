import { StorageAddressError } from '@millrace/core/storage';

/** Where a WebHDFS storage is. */
export interface WebHdfsAddress {
  readonly protocol: 'http:' | 'https:';
  /** `host:port` of each NameNode; with more than one, one of them is active. Never empty. */
  readonly nameNodes: readonly string[];
  /** Absolute, without a slash at its end; empty: the root. Not percent-encoded. */
  readonly path: string;
  readonly user: string | null;
  /** The URL again, without user. */
  readonly location: string;
}

const SHAPE = /^(webhdfs|swebhdfs):\/\/(?:([^@/]*)@)?([^/?#]*)(\/[^?#]*)?$/i;
const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i;
const DEFAULT_PORTS = { 'http:': 9870, 'https:': 9871 } as const;

/**
 * Reads `webhdfs://[user@]host[:port][,host[:port]]/path`; `swebhdfs` is the same over TLS.
 *
 * The port is that of the NameNode's web address, 9870 unless given (9871 with TLS). Percent
 * signs in the path are taken as they are unless they encode something.
 *
 * @throws StorageAddressError
 */
export function parseWebHdfsAddress(url: string): WebHdfsAddress {
  const match = SHAPE.exec(url);
  const nameNodes = (match?.[3] ?? '').split(',');
  if (match === null || nameNodes.some((name) => !HOST.test(name))) throw refused(url);
  const scheme = match[1]!.toLowerCase();
  const protocol = scheme === 'swebhdfs' ? 'https:' : 'http:';
  const path = decoded(match[4] ?? '').replace(/\/+$/, '');
  if (/(^|\/)\.\.?(\/|$)/.test(path) || path.includes('//') || path.includes(':')) {
    throw refused(url, 'HDFS takes no ":", no empty part and no "." or ".." in a path.');
  }
  const hosts = nameNodes.map((name) =>
    HOST.exec(name)![1] === undefined ? `${name}:${DEFAULT_PORTS[protocol]}` : name,
  );
  const user = match[2] === undefined || match[2] === '' ? null : decoded(match[2]);
  const location = `${scheme}://${hosts.join(',')}${path === '' ? '/' : path}`;
  return { protocol, nameNodes: hosts, path, user, location };
}

/** A path as it stands in a URL of the protocol. */
export function encodedPath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function refused(url: string, why?: string): StorageAddressError {
  const address = url.replace(/\/\/[^@/]*@/, '//');
  return new StorageAddressError(
    `"${address}" is no address of a WebHDFS storage`,
    { address },
    { hint: why ?? 'Write webhdfs://host:9870/path, with the web port of the NameNode.' },
  );
}
