import type { JobDefinition, JobExecution, RunOptions } from '@millrace/core';

/** Where a command writes. Progress and errors go to the error stream, answers to the other. */
export interface Terminal {
  /** Whether the error stream is a terminal that can be redrawn. */
  readonly isInteractive: boolean;
  /** Columns of that terminal. */
  readonly columns: number;
  /** Writes to standard output, as it is (no line end is added). */
  out(text: string): void;
  /**
   * Waits until what was written to standard output has been taken, so that a long answer does not
   * pile up. @returns false: nobody reads it any more
   */
  outTaken(): Promise<boolean>;
  /** Writes to standard error, as it is. */
  error(text: string): void;
  /**
   * Calls before anybody in the process writes to standard output, if that is the same screen: a
   * drawing must be taken away first. @returns takes the listener away again
   */
  onOutput(listener: () => void): () => void;
}

/** A request to end, from a terminal or a supervisor. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/** Everything that commands touch beyond files: given by main.ts, and by tests. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly workingDirectory: string;
  /** Where running jobs are registered and their sockets are. */
  readonly runtimeDirectory: string;
  readonly pid: number;
  run(job: JobDefinition, options: RunOptions): Promise<JobExecution>;
  /** Wall clock, milliseconds. */
  nowMs(): number;
  /** Calls `run` again and again; does not keep the process alive. @returns ends it */
  every(periodMs: number, run: () => void): () => void;
  /** @returns takes the listener away again */
  onSignal(listener: (signal: StopSignal) => void): () => void;
}
