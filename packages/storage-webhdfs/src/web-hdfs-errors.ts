import {
  StorageBucketNotFoundError,
  StorageCredentialsError,
  StorageCredentialsExpiredError,
  StorageError,
  type StorageErrorDetails,
  StorageFullError,
  StorageNotDirectoryError,
  StorageNotFoundError,
  StoragePermissionError,
  StorageThrottledError,
  StorageUnavailableError,
  StorageUnreachableError,
} from '@millrace/core/storage';
import { NoConnectionError } from './exchange.ts';
import { RemoteFailure } from './remote-failure.ts';

const VERBS: Readonly<Record<StorageErrorDetails['operation'], string>> = {
  put: 'write',
  createIfAbsent: 'write',
  get: 'read',
  getRange: 'read',
  list: 'list',
  delete: 'delete',
};

type ErrorClass = new (
  message: string,
  details: StorageErrorDetails,
  options: { cause: unknown; hint?: string },
) => StorageError;

interface Verdict {
  readonly type: ErrorClass;
  readonly why: string;
  readonly hint?: string;
}

/** What a failed attempt means for whoever uses the storage. Pure. */
export function storageErrorOf(error: unknown, details: StorageErrorDetails): StorageError {
  if (error instanceof StorageError) return error;
  const { type: Type, why, hint } = verdictOf(error, details);
  const { location, operation, name } = details;
  const what = `could not ${VERBS[operation]} "${name}" in ${location}: ${why}`;
  return new Type(what, details, hint === undefined ? { cause: error } : { cause: error, hint });
}

function verdictOf(error: unknown, details: StorageErrorDetails): Verdict {
  if (!(error instanceof RemoteFailure)) {
    const why = error instanceof Error ? error.message : String(error);
    return { type: StorageUnavailableError, why };
  }
  if (error.status === 0) return connectionVerdict(error);
  if (error.exception === '') return strangerVerdict(error);
  return exceptionVerdict(error, details);
}

function connectionVerdict({ role, host, message, cause }: RemoteFailure): Verdict {
  const isUnreached = cause instanceof NoConnectionError;
  const type = isUnreached ? StorageUnreachableError : StorageUnavailableError;
  const why = `${role} ${host}: ${message}`;
  if (!isUnreached) return { type, why };
  return role === 'NameNode'
    ? {
        type,
        why,
        hint: 'Is it up? The port is that of its web address (dfs.namenode.http-address).',
      }
    : {
        type,
        why,
        hint:
          'NameNodes send clients to DataNodes by host name: this machine must resolve the name ' +
          'and reach the port (dfs.datanode.hostname, dfs.datanode.http.address).',
      };
}

// Somebody who does not speak WebHDFS: another port, a proxy, a login page.
function strangerVerdict({ status, message, host }: RemoteFailure): Verdict {
  if (status === 401 || status === 407) {
    return {
      type: StorageCredentialsError,
      why: message,
      hint:
        'The cluster wants more than a user name: give a delegation token ' +
        '(WEBHDFS_DELEGATION_TOKEN); there is no Kerberos login here.',
    };
  }
  if (status === 403) return { type: StoragePermissionError, why: message };
  if (status === 429) return { type: StorageThrottledError, why: message };
  if (status >= 400 && status < 500) {
    const isRpc = message.includes('Hadoop IPC port');
    return {
      type: StorageBucketNotFoundError,
      why: isRpc ? `${host} is the RPC port of Hadoop` : `there is no WebHDFS at ${host}`,
      hint: isRpc
        ? 'Use the web port of the NameNode, 9870 unless changed (dfs.namenode.http-address).'
        : 'Check host and port; WebHDFS must be enabled (dfs.webhdfs.enabled).',
    };
  }
  return { type: StorageUnavailableError, why: message };
}

function exceptionVerdict(failure: RemoteFailure, details: StorageErrorDetails): Verdict {
  const { exception, message, status } = failure;
  const why = message === '' ? exception : message;
  const isRead = details.operation === 'get' || details.operation === 'getRange';
  // To a user who is no superuser a file as a directory is a matter of permission.
  const isBelowFile = message.includes('is not a directory');
  if (exception === 'ParentNotDirectoryException' || isBelowFile) {
    return isRead
      ? { type: StorageNotFoundError, why: 'there is no such object' }
      : {
          type: StorageNotDirectoryError,
          why,
          hint: 'Choose another checkpoint directory, or move the file away.',
        };
  }
  switch (exception) {
    case 'FileNotFoundException':
      return { type: StorageNotFoundError, why: 'there is no such object' };
    case 'NSQuotaExceededException':
    case 'DSQuotaExceededException':
    case 'QuotaByStorageTypeExceededException':
    case 'QuotaExceededException':
      return {
        type: StorageFullError,
        why,
        hint: 'Raise the quota (hdfs dfsadmin -setSpaceQuota, -setQuota) or remove files.',
      };
    case 'AccessControlException':
      return {
        type: StoragePermissionError,
        why,
        hint: 'Let the user write there, or name another: webhdfs://user@host:port/path.',
      };
    case 'InvalidToken':
      return {
        type: StorageCredentialsExpiredError,
        why,
        hint: 'Give a new delegation token (WEBHDFS_DELEGATION_TOKEN).',
      };
    case 'SecurityException':
    case 'AuthenticationException':
      return { type: StorageCredentialsError, why, hint: 'Check the delegation token.' };
    default:
      break;
  }
  if (status === 401) return { type: StorageCredentialsError, why };
  return unavailableVerdict(exception, why);
}

function unavailableVerdict(exception: string, why: string): Verdict {
  const type = StorageUnavailableError;
  switch (exception) {
    case 'SafeModeException':
      return {
        type,
        why,
        hint: 'It ends by itself after a start of the NameNode; see "hdfs dfsadmin -safemode get".',
      };
    case 'StandbyException':
      return {
        type,
        why: 'the NameNode is a standby',
        hint: 'Name all of them: webhdfs://host1:port,host2:port/path.',
      };
    case 'RetriableException':
    case 'ServerTooBusyException':
      return { type: StorageThrottledError, why };
    default:
      break;
  }
  if (/Failed to find datanode|No active nodes|could only be written to|BlockMissing/.test(why)) {
    const hint = 'DataNodes are down or full: see "hdfs dfsadmin -report".';
    return { type, why, hint };
  }
  return { type, why };
}
