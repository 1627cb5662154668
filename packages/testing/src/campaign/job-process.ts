import {
  type JobDefinition,
  type JobEvent,
  type JobExecution,
  type JobResult,
  run,
  type RunOptions,
} from '@millrace/core';
import type { VirtualEnvironment } from '../environment/virtual-environment.ts';

/** How a process ended by itself. */
export type ProcessEnd = { readonly result: JobResult } | { readonly error: unknown };

/** One simulated process that runs a job, from its start to its own end or its death. */
export class JobProcess {
  readonly index: number;
  readonly environment: VirtualEnvironment;
  /** null: it has not begun yet, or failed to. */
  execution: JobExecution | null = null;
  /** null: it still runs, or was killed. */
  end: ProcessEnd | null = null;
  /** Of its claim; null before. */
  generation: number | null = null;

  /**
   * Starts at once.
   *
   * @param onEvent gets every event of the job, and the process
   */
  constructor(
    index: number,
    environment: VirtualEnvironment,
    job: JobDefinition,
    options: RunOptions,
    onEvent: (process: JobProcess, event: JobEvent) => void,
  ) {
    this.index = index;
    this.environment = environment;
    const started = run(job, {
      ...options,
      environment,
      onEvent: (event) => {
        if (event.kind === 'claimed') this.generation = event.generation;
        onEvent(this, event);
      },
    });
    const ended = started.then((execution) => {
      this.execution = execution;
      return execution.done;
    });
    ended.then(
      (result) => {
        this.end = { result };
      },
      (error: unknown) => {
        this.end = { error };
      },
    );
  }

  /** It can still do something. */
  get isRunning(): boolean {
    return this.end === null && this.environment.isAlive;
  }
}
