import type {
  CompletedCheckpoint,
  JobDefinition,
  JobEvent,
  JobExecution,
  JobResult,
  JobStatus,
  OperatorMetrics,
  RunOptions,
} from '@millrace/core';

/** A checkpoint as a job would report it. */
export function fakeCheckpoint(changes: Partial<CompletedCheckpoint> = {}): CompletedCheckpoint {
  return {
    checkpointId: 7,
    kind: 'checkpoint',
    path: 'chk-7/manifest.json',
    triggeredAtMs: 1_000,
    durationMs: 45,
    writtenBytes: 1_200,
    totalBytes: 3_400,
    figures: {
      changedBytes: 2_000,
      writtenBytes: 1_000,
      mergedBytes: 200,
      inlineBytes: 0,
      files: 1,
      uploadMs: 12,
    },
    ...changes,
  };
}

/** Figures of one operator. */
export function fakeMetrics(changes: Partial<OperatorMetrics> = {}): OperatorMetrics {
  return {
    uid: 'orders',
    kind: 'source',
    parallelism: 1,
    recordsIn: 0,
    recordsOut: 0,
    watermarkMs: Number.NEGATIVE_INFINITY,
    more: {},
    ...changes,
  };
}

/** A job that does nothing until it is told to end; remembers what it was asked. */
export class FakeExecution implements JobExecution {
  readonly jobName: string;
  readonly asked: string[] = [];
  readonly done: Promise<JobResult>;
  operators: readonly OperatorMetrics[] = [fakeMetrics()];
  /** Rejects every request but `cancel` with this, if set. */
  refusal: Error | null = null;
  /** Keeps a stop from ending the job, like a checkpoint that takes for ever. */
  ignoresStop = false;
  #status: JobStatus = 'running';
  readonly #listeners = new Set<(event: JobEvent) => void>();
  readonly #outcome = Promise.withResolvers<JobResult>();

  constructor(jobName = 'orders') {
    this.jobName = jobName;
    this.done = this.#outcome.promise;
    this.done.catch(() => {});
  }

  emit(event: JobEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  end(result: Partial<JobResult> = {}): JobResult {
    const whole: JobResult = { status: 'finished', lastCheckpoint: null, attempts: 1, ...result };
    this.#status = whole.status;
    this.#outcome.resolve(whole);
    return whole;
  }

  fail(error: unknown): void {
    this.#status = 'failed';
    this.#outcome.reject(error);
  }

  status(): JobStatus {
    return this.#status;
  }

  async triggerCheckpoint(): Promise<CompletedCheckpoint> {
    this.#ask('checkpoint');
    return fakeCheckpoint();
  }

  async triggerSavepoint(directory: string): Promise<CompletedCheckpoint> {
    this.#ask(`savepoint ${directory}`);
    return fakeCheckpoint({ kind: 'savepoint', path: `${directory}/orders-1` });
  }

  async stop(
    options: { readonly drain?: boolean; readonly savepointDirectory?: string } = {},
  ): Promise<JobResult> {
    this.#ask(`stop ${JSON.stringify(options)}`);
    if (this.ignoresStop) return this.done;
    const path = options.savepointDirectory;
    const lastCheckpoint =
      path === undefined ? fakeCheckpoint() : fakeCheckpoint({ kind: 'savepoint', path });
    return this.end({ status: 'stopped', lastCheckpoint });
  }

  async cancel(): Promise<void> {
    this.asked.push('cancel');
    this.end({ status: 'cancelled' });
  }

  metrics(): readonly OperatorMetrics[] {
    return this.operators;
  }

  onEvent(listener: (event: JobEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  lastCheckpoint(): CompletedCheckpoint | null {
    return fakeCheckpoint();
  }

  #ask(what: string): void {
    this.asked.push(what);
    if (this.refusal !== null) throw this.refusal;
  }
}

/** A `run` that hands out one execution and passes its events on. */
export function fakeRun(execution: FakeExecution): {
  readonly run: (job: JobDefinition, options: RunOptions) => Promise<JobExecution>;
  readonly calls: { readonly job: JobDefinition; readonly options: RunOptions }[];
} {
  const calls: { job: JobDefinition; options: RunOptions }[] = [];
  return {
    calls,
    async run(job, options) {
      calls.push({ job, options });
      if (options.onEvent !== undefined) execution.onEvent(options.onEvent);
      return execution;
    },
  };
}
