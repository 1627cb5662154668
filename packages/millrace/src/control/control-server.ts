import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { JobExecution } from '@millrace/core';
import { errorData } from '../command/error-report.ts';
import {
  LineSplitter,
  maxLineLength,
  operatorReports,
  protocolVersion,
  readRequest,
  type ControlCommand,
  type ControlResults,
  type Greeting,
  type Response,
} from './control-protocol.ts';

/** Where and for which job a server listens. */
export interface ControlServerOptions {
  readonly socketPath: string;
  readonly pid: number;
  readonly startedAtMs: number;
}

/** An open control socket. */
export interface ControlServer {
  /** Answers what has been asked (S3), then closes and removes the socket. */
  close(): Promise<void>;
}

/**
 * Opens the control socket of a running job; only the user who runs the job can connect.
 *
 * @returns rejects if the socket cannot be made (the job does not depend on it)
 */
export async function openControlServer(
  execution: JobExecution,
  options: ControlServerOptions,
): Promise<ControlServer> {
  const connections = new Set<Connection>();
  const server = createServer((socket) => {
    const connection = new Connection(socket, execution, options);
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
  });
  await listening(server, options.socketPath);
  if (process.platform !== 'win32') chmodSync(options.socketPath, 0o600);
  server.unref();
  return {
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...connections].map((connection) => connection.end()));
      await closed;
      rmSync(options.socketPath, { force: true });
    },
  };
}

function listening(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** One client. */
class Connection {
  readonly #socket: Socket;
  readonly #execution: JobExecution;
  readonly #options: ControlServerOptions;
  readonly #lines = new LineSplitter();
  readonly #pending = new Set<Promise<void>>();

  constructor(socket: Socket, execution: JobExecution, options: ControlServerOptions) {
    this.#socket = socket;
    this.#execution = execution;
    this.#options = options;
    socket.setEncoding('utf8');
    // A client that is gone cannot be answered; what it asked for goes on.
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => this.#onData(chunk.toString()));
    this.#send({ millrace: protocolVersion, job: execution.jobName, pid: options.pid });
  }

  /** Resolves once all requests are answered and the answers are handed to the system. */
  async end(): Promise<void> {
    await Promise.all(this.#pending);
    if (this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.end(() => this.#socket.destroy());
    });
  }

  #onData(chunk: string): void {
    for (const line of this.#lines.push(chunk)) {
      const answer = this.#answer(line).then((response) => this.#send(response));
      this.#pending.add(answer);
      void answer.finally(() => this.#pending.delete(answer));
    }
    if (this.#lines.pendingLength > maxLineLength) this.#socket.destroy();
  }

  async #answer(line: string): Promise<Response> {
    const read = readRequest(line);
    if (read.kind === 'refused') {
      const { id, reason } = read;
      const error = {
        code: 'BAD_REQUEST',
        domain: 'user',
        hint: '',
        causes: [],
        location: '',
        message: reason,
      };
      return { id, ok: false, error };
    }
    const { id } = read.request;
    try {
      return { id, ok: true, result: await this.#carryOut(read.request) };
    } catch (error) {
      return { id, ok: false, error: errorData(error) };
    }
  }

  async #carryOut(request: ControlCommand): Promise<ControlResults[ControlCommand['command']]> {
    const execution = this.#execution;
    switch (request.command) {
      case 'status':
        return {
          job: execution.jobName,
          pid: this.#options.pid,
          status: execution.status(),
          startedAtMs: this.#options.startedAtMs,
          lastCheckpoint: execution.lastCheckpoint(),
        };
      case 'metrics':
        return operatorReports(execution.metrics());
      case 'checkpoint':
        return execution.triggerCheckpoint();
      case 'savepoint':
        return execution.triggerSavepoint(request.directory);
      case 'stop': {
        const { drain, savepointDirectory } = request;
        return execution.stop({
          drain,
          ...(savepointDirectory === null ? {} : { savepointDirectory }),
        });
      }
      case 'cancel':
        await execution.cancel();
        return null;
    }
  }

  #send(message: Greeting | Response): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(message)}\n`);
  }
}
