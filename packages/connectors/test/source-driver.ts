import {
  type DeadLetter,
  type Environment,
  MetricGroup,
  type Source,
  type SourceReader,
  type SourceSplit,
  type SplitEnumerator,
} from '@millrace/core/connector';

/** What a checkpoint holds of a source; plain data. */
export interface SourceSnapshot<Split, State> {
  readonly enumerator: State;
  readonly splits: readonly Split[];
}

/** Runs an enumerator and its readers as the engine does, one poll at a time. */
export class SourceDriver<T, Split extends SourceSplit, State> {
  readonly metrics = new MetricGroup();
  readonly deadLetters: DeadLetter[] = [];
  readonly origins: string[] = [];
  readonly finishedSplits: string[] = [];
  failure: unknown = null;
  readonly #enumerator: SplitEnumerator<Split, State>;
  readonly #readers: SourceReader<T, Split>[];
  readonly #ended: boolean[] = [];

  constructor(
    source: Source<T, Split, State>,
    environment: Environment,
    parallelism = 1,
    restored?: SourceSnapshot<Split, State>,
  ) {
    const requests: (() => void)[] = [];
    this.#enumerator = source.createEnumerator(
      {
        environment,
        parallelism,
        assignSplits: (subtask, splits) => this.#readers[subtask]!.addSplits(splits),
        signalNoMoreSplits: (subtask) => this.#readers[subtask]!.noMoreSplits(),
        fail: (error) => {
          this.failure = error;
        },
      },
      restored?.enumerator,
    );
    this.#readers = Array.from({ length: parallelism }, (_, subtaskIndex) =>
      source.createReader({
        environment,
        subtaskIndex,
        parallelism,
        metrics: this.metrics,
        requestSplits: () => queueMicrotask(() => requests[subtaskIndex]!()),
      }),
    );
    for (let subtask = 0; subtask < parallelism; subtask++) {
      requests.push(() => this.#enumerator.onSplitRequest(subtask));
    }
    this.#enumerator.start();
    if (restored !== undefined) this.#enumerator.addSplitsBack(restored.splits);
    for (const request of requests) request();
  }

  /** One poll of each reader. @returns the records; null: all readers have ended */
  async step(maxRecords: number): Promise<T[] | null> {
    const records: T[] = [];
    for (const [subtask, reader] of this.#readers.entries()) {
      if (this.failure !== null) throw this.failure;
      if (this.#ended[subtask]) continue;
      const polled = reader.poll(maxRecords);
      this.finishedSplits.push(...reader.finishedSplits());
      if (polled === 'end') this.#ended[subtask] = true;
      else if (polled === 'wait') await Promise.race([reader.available(), pause()]);
      else {
        const { batch } = polled;
        records.push(...(batch.values.slice(0, batch.size) as T[]));
        for (let i = 0; i < batch.size; i++) this.origins.push(batch.origin?.describe(i) ?? '');
        this.deadLetters.push(...(polled.deadLetters ?? []));
      }
    }
    return records.length === 0 && this.#readers.every((_, at) => this.#ended[at]) ? null : records;
  }

  /** All records of a bounded source. */
  async drain(maxRecords = 100): Promise<T[]> {
    const records: T[] = [];
    for (;;) {
      const more = await this.step(maxRecords);
      if (more === null) return records;
      records.push(...more);
    }
  }

  /** As the engine stores it: through JSON. */
  snapshot(): SourceSnapshot<Split, State> {
    return JSON.parse(
      JSON.stringify({
        enumerator: this.#enumerator.snapshot(1),
        splits: this.#readers.flatMap((reader) => reader.snapshot(1)),
      }),
    );
  }

  async close(): Promise<void> {
    this.#enumerator.close();
    await Promise.all(this.#readers.map((reader) => reader.close()));
  }
}

/** Reads a bounded source, with a snapshot and a restore after every poll that gave something. */
export async function drainWithRestores<T, Split extends SourceSplit, State>(
  source: Source<T, Split, State>,
  environment: Environment,
  maxRecords: number,
): Promise<T[]> {
  const records: T[] = [];
  let driver = new SourceDriver(source, environment);
  for (;;) {
    const more = await driver.step(maxRecords);
    if (more === null) return records;
    records.push(...more);
    const snapshot = driver.snapshot();
    if (more.length === 0) continue;
    await driver.close();
    driver = new SourceDriver(source, environment, 1 + (records.length % 3), snapshot);
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
