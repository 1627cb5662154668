import { type Answer, NoConnectionError } from './exchange.ts';

/** Who answered. */
export type HdfsRole = 'NameNode' | 'DataNode';

/** A request that a server refused, or that did not reach it. */
export class RemoteFailure extends Error {
  readonly role: HdfsRole;
  /** `host:port` */
  readonly host: string;
  /** HTTP status; 0: no connection, or it broke. */
  readonly status: number;
  /** Java's simple class name; empty: the answer was not one of WebHDFS. */
  readonly exception: string;

  constructor(
    message: string,
    from: { role: HdfsRole; host: string; status: number; exception: string },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.role = from.role;
    this.host = from.host;
    this.status = from.status;
    this.exception = from.exception;
  }
}

/** Reads a refusal. Hadoop sends a stack trace along: only its first line says something. */
export function remoteFailure(role: HdfsRole, host: string, answer: Answer): RemoteFailure {
  const { status } = answer;
  const remote = remoteException(answer.body);
  if (remote !== null) {
    const message = remote.message.split('\n\tat ')[0]!.replaceAll('\n', ' ').trim();
    return new RemoteFailure(message, { role, host, status, exception: remote.exception });
  }
  const text = answer.body.toString('latin1').slice(0, 200).split('\n')[0]!.trim();
  const isHtml = text.startsWith('<');
  const message = `${role} ${host} answered ${status}${isHtml || text === '' ? '' : `: ${text}`}`;
  return new RemoteFailure(message, { role, host, status, exception: '' });
}

function remoteException(body: Buffer): { exception: string; message: string } | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null || !('RemoteException' in parsed)) return null;
  const remote = parsed.RemoteException;
  if (typeof remote !== 'object' || remote === null) return null;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const exception = 'exception' in remote ? text(remote.exception) : '';
  return { exception, message: 'message' in remote ? text(remote.message) : '' };
}

/** Whether a CREATE may have made a file: not if a NameNode refused, or nobody was reached. */
export function mayHaveCreated(error: unknown): boolean {
  if (!(error instanceof RemoteFailure)) return true;
  return error.role === 'DataNode' && !(error.cause instanceof NoConnectionError);
}

/** There is no such file or directory. */
export function isMissing(error: unknown): boolean {
  return error instanceof RemoteFailure && error.exception === 'FileNotFoundException';
}

/** An OPEN behind the end: the NameNode says so, of an empty file the DataNode. */
export function isBeyondEnd(error: unknown): boolean {
  return (
    error instanceof RemoteFailure &&
    /out of the range|seek (?:past|after) EOF/i.test(error.message)
  );
}
