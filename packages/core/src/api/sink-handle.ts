import type { OperatorDraft, StreamGraphBuilder } from '../graph/stream-graph-builder.ts';
import { setChaining, setName, setSize } from './operator-settings.ts';

/** A sink in the graph: the end of a stream. */
export class SinkHandle {
  readonly #builder: StreamGraphBuilder;
  readonly #operator: OperatorDraft;

  constructor(builder: StreamGraphBuilder, operator: OperatorDraft) {
    this.#builder = builder;
    this.#operator = operator;
  }

  /** Shown in plans and metrics instead of the uid; plays no part in anything else. */
  name(name: string): this {
    setName(this.#builder, this.#operator, name);
    return this;
  }

  /** Number of writers. Default: the job's. @throws InvalidJobError */
  parallelism(parallelism: number): this {
    setSize(this.#builder, this.#operator, 'parallelism', parallelism);
    return this;
  }

  /** Upper bound of the parallelism at any later restart. @throws InvalidJobError */
  maxParallelism(maxParallelism: number): this {
    setSize(this.#builder, this.#operator, 'maxParallelism', maxParallelism);
    return this;
  }

  /** Begins a chain: the writers run in tasks of their own. */
  startNewChain(): this {
    setChaining(this.#builder, this.#operator, 'head');
    return this;
  }

  /** The same for a sink, which nothing could be chained to. */
  disableChaining(): this {
    setChaining(this.#builder, this.#operator, 'never');
    return this;
  }
}
