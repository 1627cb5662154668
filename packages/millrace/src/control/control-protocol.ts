import type { CompletedCheckpoint, JobResult, JobStatus, OperatorMetrics } from '@millrace/core';
import type { ErrorData } from '../command/error-report.ts';

// The local control socket, version 1: line-delimited JSON over a socket of the file system.
// docs/internals/control-socket.md is its description.
//
//   server                                client
//     |--- Greeting ------------------------>|      once, right after the connection is made
//     |<-- Request (id, command) ------------|      any number, without waiting
//     |--- Response (id, result | error) --->|      one per request, in the order they end
//
// S1. A line is one JSON object in UTF-8 and ends with "\n"; the greeting says the version.
// S2. A request of another version or of an unknown command gets an error, and changes nothing.
// S3. Every request gets its response before the server closes, unless the process dies.

/** The version that this module speaks. */
export const protocolVersion = 1;

/** Longest request in characters; a longer line closes the connection. */
export const maxLineLength = 65_536;

/** What a job can be asked for. */
export type ControlCommand =
  | { readonly command: 'status' }
  | { readonly command: 'metrics' }
  | { readonly command: 'checkpoint' }
  | { readonly command: 'savepoint'; readonly directory: string }
  | {
      readonly command: 'stop';
      readonly drain: boolean;
      /** null: a last checkpoint instead of a savepoint. */
      readonly savepointDirectory: string | null;
    }
  | { readonly command: 'cancel' };

/** First line from the server. */
export interface Greeting {
  readonly millrace: number;
  readonly job: string;
  readonly pid: number;
}

/** A command with the number that its response will carry. */
export type Request = ControlCommand & { readonly millrace: number; readonly id: number };

/** The answer to one request. */
export type Response =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number | null; readonly ok: false; readonly error: ErrorData };

/** Result of `status`. Times in milliseconds since 1970. */
export interface StatusReport {
  readonly job: string;
  readonly pid: number;
  readonly status: JobStatus;
  readonly startedAtMs: number;
  readonly lastCheckpoint: CompletedCheckpoint | null;
}

/** `OperatorMetrics` for JSON: a watermark that is not a number of milliseconds is null. */
export type OperatorReport = Omit<OperatorMetrics, 'watermarkMs'> & {
  readonly watermarkMs: number | null;
};

/** What each command resolves with. */
export interface ControlResults {
  readonly status: StatusReport;
  readonly metrics: readonly OperatorReport[];
  readonly checkpoint: CompletedCheckpoint;
  readonly savepoint: CompletedCheckpoint;
  readonly stop: JobResult;
  readonly cancel: null;
}

/** @returns the metrics as they stand in a response */
export function operatorReports(metrics: readonly OperatorMetrics[]): OperatorReport[] {
  return metrics.map((operator) => ({
    ...operator,
    watermarkMs: Number.isFinite(operator.watermarkMs) ? operator.watermarkMs : null,
  }));
}

/** A request, or why the line is none; `id` is null where even that cannot be read. */
export type ReadRequest =
  | { readonly kind: 'request'; readonly request: Request }
  | { readonly kind: 'refused'; readonly id: number | null; readonly reason: string };

/** Reads one line from a client. Pure; never throws. */
export function readRequest(line: string): ReadRequest {
  const value = parsedObject(line);
  if (value === null) return { kind: 'refused', id: null, reason: 'a line is one JSON object' };
  const id = typeof value.id === 'number' ? value.id : null;
  const refused = (reason: string): ReadRequest => ({ kind: 'refused', id, reason });
  const version = value.millrace;
  if (version !== protocolVersion) {
    return refused(`this job speaks version ${protocolVersion}, not ${String(version)}`);
  }
  if (id === null) return refused('a request needs a number as its id');
  const command = readCommand(value);
  if (typeof command === 'string') return refused(command);
  return { kind: 'request', request: { millrace: protocolVersion, id, ...command } };
}

function readCommand(value: Readonly<Record<string, unknown>>): ControlCommand | string {
  const { command, directory, drain = false, savepointDirectory = null } = value;
  switch (command) {
    case 'status':
    case 'metrics':
    case 'checkpoint':
    case 'cancel':
      return { command };
    case 'savepoint':
      if (typeof directory !== 'string' || directory === '') return 'savepoint needs a directory';
      return { command, directory };
    case 'stop':
      if (typeof drain !== 'boolean') return 'drain is true or false';
      if (savepointDirectory !== null && typeof savepointDirectory !== 'string') {
        return 'savepointDirectory is a text or null';
      }
      return { command, drain, savepointDirectory };
    default:
      return `there is no command ${JSON.stringify(command) ?? 'undefined'}`;
  }
}

function parsedObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { ...value }
      : null;
  } catch {
    return null;
  }
}

/** Cuts a stream of text into lines. */
export class LineSplitter {
  #rest = '';

  /** @returns the lines that are complete now, without their ends */
  push(chunk: string): string[] {
    const parts = (this.#rest + chunk).split('\n');
    this.#rest = parts.pop()!;
    return parts.filter((line) => line.trim() !== '');
  }

  /** Length of the line that is not complete yet. */
  get pendingLength(): number {
    return this.#rest.length;
  }
}
