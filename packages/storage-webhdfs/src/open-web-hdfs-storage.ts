import { userInfo } from 'node:os';
import { nodeEnvironment } from '@millrace/core/checkpoint';
import type { Environment } from '@millrace/core/host';
import {
  type CheckpointStorage,
  DEFAULT_NETWORK_POLICY,
  type NetworkPolicy,
} from '@millrace/core/storage';
import { parseWebHdfsAddress } from './web-hdfs-address.ts';
import { WebHdfsClient } from './web-hdfs-client.ts';
import { WebHdfsStorage } from './web-hdfs-storage.ts';

/** How to open a WebHDFS storage. */
export interface WebHdfsOptions {
  /**
   * `webhdfs://[user@]host:port/path`, or `swebhdfs://` for TLS. The port is that of the
   * NameNode's web address (9870 if left out). Of a pair for high availability name both:
   * `webhdfs://one:9870,two:9870/path`.
   */
  readonly url: string;
  /** Default: that of the URL, `HADOOP_USER_NAME`, or the user of the process. */
  readonly user?: string;
  /** For clusters with Kerberos. Default: `WEBHDFS_DELEGATION_TOKEN`, or none. */
  readonly delegationToken?: string;
  /** Copies of each block. Default: as the cluster is configured. */
  readonly replication?: number;
  /**
   * Whether a write waits until all DataNodes have its bytes on their disks. Default true. False:
   * they have them in memory, so that a loss of power in all of them at once can lose a
   * checkpoint that was complete.
   */
  readonly syncBlocks?: boolean;
  /** Time-outs and repetitions that differ from `DEFAULT_NETWORK_POLICY`. */
  readonly network?: Partial<NetworkPolicy>;
  /** Clock, timers and chance; for tests. */
  readonly environment?: Pick<Environment, 'clock' | 'scheduler' | 'random'>;
}

/**
 * Opens a directory of HDFS. Nothing is sent before the first call; the directory is made when the
 * first object is written.
 *
 * @throws StorageAddressError
 */
export async function openWebHdfsStorage(options: WebHdfsOptions): Promise<CheckpointStorage> {
  const address = parseWebHdfsAddress(options.url);
  const policy: NetworkPolicy = { ...DEFAULT_NETWORK_POLICY, ...options.network };
  const { env } = process;
  const delegationToken = options.delegationToken ?? (env.WEBHDFS_DELEGATION_TOKEN || null);
  const user = options.user ?? address.user ?? (env.HADOOP_USER_NAME || userInfo().username);
  const { environment = nodeEnvironment(), replication, syncBlocks = true } = options;
  const { connectTimeoutMs } = policy;
  return new WebHdfsStorage({
    client: new WebHdfsClient({ address, user, delegationToken, connectTimeoutMs }),
    location: address.location,
    path: address.path,
    environment,
    policy,
    createParameters: {
      overwrite: 'false',
      ...(syncBlocks ? { createflag: 'CREATE,SYNC_BLOCK' } : {}),
      ...(replication === undefined ? {} : { replication: String(replication) }),
    },
    opener:
      options.environment === undefined
        ? { module: import.meta.url, exportName: 'openWebHdfsStorage', options }
        : null,
  });
}

/**
 * Opens the storage that a URL names, as `--checkpoint-dir` does.
 *
 * @throws StorageAddressError
 */
export function webHdfsStorageOf(url: string): Promise<CheckpointStorage> {
  return openWebHdfsStorage({ url });
}
