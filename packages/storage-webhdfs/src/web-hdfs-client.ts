import * as http from 'node:http';
import * as https from 'node:https';
import type { NetworkAttempt } from '@millrace/core/storage';
import { type Answer, exchange, NoConnectionError, type OutgoingBody } from './exchange.ts';
import { type HdfsRole, RemoteFailure, remoteFailure } from './remote-failure.ts';
import { encodedPath, type WebHdfsAddress } from './web-hdfs-address.ts';

// A request of WebHDFS.
//
//   names (RENAME, DELETE, LISTSTATUS, ...): NameNode --> answer
//   bytes (CREATE, OPEN): NameNode --Location--> DataNode --> answer
//
// W1. `noredirect`: the NameNode's answer is taken first, and the body goes only to the DataNode.
// W2. A NameNode that is a standby or not reached makes way for the next one, within one attempt.
//     Neither can have done anything.
// W3. A DataNode that is not reached is left out by the attempts that follow, until the NameNode
//     knows no other: it goes on naming dead ones for ten minutes.

type Parameters = Readonly<Record<string, string>>;

/** DataNodes that a call could not reach: hosts. To be shared by the attempts of the call. */
export type ExcludedDataNodes = Set<string>;

/** How to talk to the servers. */
export interface WebHdfsClientOptions {
  readonly address: WebHdfsAddress;
  readonly user: string;
  /** Stands in for the user. */
  readonly delegationToken: string | null;
  readonly connectTimeoutMs: number;
}

// Uploads go on side by side, but not without bound: a DataNode takes a thread for each.
const SOCKETS_PER_HOST = 16;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Requests of the protocol, each one attempt. Paths are absolute and not encoded. */
export class WebHdfsClient {
  readonly #options: WebHdfsClientOptions;
  readonly #agent: http.Agent;
  /** Of the NameNode that answered last. */
  #current = 0;

  constructor(options: WebHdfsClientOptions) {
    this.#options = options;
    const settings = { keepAlive: true, maxSockets: SOCKETS_PER_HOST };
    const isSecure = options.address.protocol === 'https:';
    this.#agent = isSecure ? new https.Agent(settings) : new http.Agent(settings);
  }

  /**
   * A request about names.
   *
   * @returns the JSON of the answer; undefined if it is empty
   * @throws RemoteFailure
   */
  async ask(
    method: 'GET' | 'PUT' | 'DELETE',
    path: string,
    parameters: Parameters,
    attempt: NetworkAttempt,
  ): Promise<unknown> {
    const { answer, host } = await this.#askNameNode(method, path, parameters, attempt);
    return jsonOf(answer, host);
  }

  /** Writes a new file. @throws RemoteFailure, and what `body.chunks` throws */
  async create(
    path: string,
    parameters: Parameters,
    body: OutgoingBody,
    excluded: ExcludedDataNodes,
    attempt: NetworkAttempt,
  ): Promise<void> {
    const url = await this.#locate('PUT', path, { op: 'CREATE', ...parameters }, excluded, attempt);
    await this.#toDataNode({ method: 'PUT', url, body, attempt }, excluded);
  }

  /** Bytes of a file. @throws RemoteFailure */
  async open(
    path: string,
    parameters: Parameters,
    excluded: ExcludedDataNodes,
    attempt: NetworkAttempt,
  ): Promise<Buffer> {
    const url = await this.#locate('GET', path, { op: 'OPEN', ...parameters }, excluded, attempt);
    const answer = await this.#toDataNode({ method: 'GET', url, attempt }, excluded);
    return answer.body;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #locate(
    method: 'GET' | 'PUT',
    path: string,
    parameters: Parameters,
    excluded: ExcludedDataNodes,
    attempt: NetworkAttempt,
  ): Promise<URL> {
    const all: Record<string, string> = { ...parameters, noredirect: 'true' };
    if (excluded.size > 0) all.excludedatanodes = [...excluded].join(',');
    try {
      const { answer, host } = await this.#askNameNode(method, path, all, attempt);
      const { location } = answer.headers; // of servers that do not know `noredirect`
      return new URL(location ?? locationIn(jsonOf(answer, host), host));
    } catch (error) {
      // "Failed to find datanode", "No active nodes": it knows no other (W3).
      if (error instanceof RemoteFailure && error.exception === 'IOException') excluded.clear();
      throw error;
    }
  }

  async #toDataNode(
    request: {
      method: 'GET' | 'PUT';
      url: URL;
      body?: OutgoingBody;
      attempt: NetworkAttempt;
    },
    excluded: ExcludedDataNodes,
  ): Promise<Answer> {
    const { host, hostname } = request.url;
    try {
      const answer = await this.#exchange('DataNode', host, request);
      if (answer.status >= 300) throw remoteFailure('DataNode', host, answer);
      return answer;
    } catch (error) {
      if (isUnreached(error)) excluded.add(hostname);
      throw error;
    }
  }

  async #askNameNode(
    method: 'GET' | 'PUT' | 'DELETE',
    path: string,
    parameters: Parameters,
    attempt: NetworkAttempt,
  ): Promise<{ readonly answer: Answer; readonly host: string }> {
    const { nameNodes } = this.#options.address;
    for (let tried = 1; ; tried++) {
      const host = nameNodes[this.#current]!;
      try {
        const url = this.#url(host, path, parameters);
        const answer = await this.#exchange('NameNode', host, { method, url, attempt });
        const isRefused = answer.status >= 300 && !REDIRECTS.has(answer.status);
        if (isRefused) throw remoteFailure('NameNode', host, answer);
        return { answer, host };
      } catch (error) {
        const isElsewhere =
          isUnreached(error) ||
          (error instanceof RemoteFailure && error.exception === 'StandbyException');
        if (!isElsewhere) throw error;
        // Somebody else may have moved on meanwhile.
        if (nameNodes[this.#current] === host)
          this.#current = (this.#current + 1) % nameNodes.length;
        if (tried >= nameNodes.length) throw error; // W2
      }
    }
  }

  async #exchange(
    role: HdfsRole,
    host: string,
    request: {
      method: 'GET' | 'PUT' | 'DELETE';
      url: URL;
      body?: OutgoingBody;
      attempt: NetworkAttempt;
    },
  ): Promise<Answer> {
    const { connectTimeoutMs } = this.#options;
    // What the source of the body throws is no matter of the server.
    const { body, fault } = watched(request.body);
    const whole = { ...request, ...(body === undefined ? {} : { body }) };
    try {
      return await exchange({ ...whole, agent: this.#agent, connectTimeoutMs });
    } catch (cause) {
      if (fault() === cause) throw cause;
      const message = cause instanceof Error && cause.message !== '' ? cause.message : 'no answer';
      throw new RemoteFailure(message, { role, host, status: 0, exception: '' }, { cause });
    }
  }

  #url(host: string, path: string, parameters: Parameters): URL {
    const { address, user, delegationToken } = this.#options;
    const url = new URL(`${address.protocol}//${host}/webhdfs/v1${encodedPath(path || '/')}`);
    if (delegationToken === null) url.searchParams.set('user.name', user);
    else url.searchParams.set('delegation', delegationToken);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url;
  }
}

function isUnreached(error: unknown): boolean {
  return error instanceof RemoteFailure && error.cause instanceof NoConnectionError;
}

function watched(body: OutgoingBody | undefined): {
  readonly body: OutgoingBody | undefined;
  readonly fault: () => unknown;
} {
  if (body === undefined) return { body, fault: () => undefined };
  let fault: unknown;
  const { chunks, sizeBytes } = body;
  async function* watch(): AsyncGenerator<Uint8Array> {
    try {
      yield* chunks;
    } catch (error) {
      fault = error;
      throw error;
    }
  }
  return { body: { chunks: watch(), sizeBytes }, fault: () => fault };
}

function jsonOf(answer: Answer, host: string): unknown {
  if (answer.body.length === 0) return undefined;
  try {
    return JSON.parse(answer.body.toString('utf8'));
  } catch {
    throw remoteFailure('NameNode', host, answer);
  }
}

function locationIn(json: unknown, host: string): string {
  if (typeof json === 'object' && json !== null && 'Location' in json) {
    if (typeof json.Location === 'string') return json.Location;
  }
  const from = { role: 'NameNode', host, status: 200, exception: '' } as const;
  throw new RemoteFailure(`NameNode ${host} names no DataNode`, from);
}
