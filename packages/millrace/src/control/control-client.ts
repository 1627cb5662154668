import { createConnection } from 'node:net';
import { JobNotFoundError, RemoteCommandError } from '../command/command-errors.ts';
import {
  LineSplitter,
  protocolVersion,
  type ControlCommand,
  type ControlResults,
  type Greeting,
  type Response,
} from './control-protocol.ts';
import type { RegisteredJob } from './job-registry.ts';

/** A job that does not greet within this time is stuck in a turn of its own. */
const greetingMs = 5_000;

/**
 * Asks a running job for one thing and waits for the answer, however long the job takes.
 *
 * @throws RemoteCommandError with the job's own code if it refused or failed
 * @throws JobNotFoundError if nothing answers at the socket (`isGone`: nobody listens there), or
 *   the process died over it
 */
export async function askJob<C extends ControlCommand>(
  job: RegisteredJob,
  request: C,
): Promise<ControlResults[C['command']]> {
  const response = await exchange(job, request);
  // The server and this client share one protocol version: what stands under `result` is of the
  // command's type.
  if (response.ok) return response.result as ControlResults[C['command']];
  const { message, code, hint } = response.error;
  throw new RemoteCommandError(
    `${request.command} of job "${job.job}" failed: ${message}`,
    { job: job.job, command: request.command, remoteCode: code },
    hint === '' ? {} : { hint },
  );
}

function exchange(job: RegisteredJob, request: ControlCommand): Promise<Response> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(job.socketPath);
    const lines = new LineSplitter();
    let greeted = false;
    const gone = (cause?: Error): void => {
      clearTimeout(timer);
      const message = `job "${job.job}" (process ${job.pid}) does not answer`;
      const code = cause !== undefined && 'code' in cause ? cause.code : '';
      const isGone = code === 'ECONNREFUSED' || code === 'ENOENT';
      reject(new JobNotFoundError(message, { job: job.job, isGone }, cause ? { cause } : {}));
    };
    const timer = setTimeout(() => socket.destroy(), greetingMs);
    const onLine = (line: string): void => {
      if (greeted) {
        resolve(JSON.parse(line));
        socket.end();
        return;
      }
      const greeting: Greeting = JSON.parse(line);
      greeted = true;
      clearTimeout(timer);
      if (greeting.millrace !== protocolVersion) {
        reject(otherVersion(job, request, greeting.millrace));
        socket.destroy();
        return;
      }
      socket.write(`${JSON.stringify({ millrace: protocolVersion, id: 1, ...request })}\n`);
    };
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => lines.push(chunk.toString()).forEach(onLine));
    socket.on('error', gone);
    socket.on('close', () => gone());
  });
}

function otherVersion(job: RegisteredJob, request: ControlCommand, version: number): Error {
  const versions = `version ${version} of the control socket, this command ${protocolVersion}`;
  return new RemoteCommandError(
    `job "${job.job}" speaks ${versions}`,
    { job: job.job, command: request.command, remoteCode: 'PROTOCOL_VERSION' },
    { hint: 'Use the millrace that the job was started with.' },
  );
}
