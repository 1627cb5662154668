import { DEAD_LETTERS, type DeadLetter, type Source } from '../function/source.ts';
import { InvalidJobError } from '../graph/job-errors.ts';
import type { OperatorSpec } from '../graph/operator-spec.ts';
import type { StreamGraphBuilder } from '../graph/stream-graph-builder.ts';
import { type DataStream, OperatorStream, uidOf } from './data-stream.ts';
import { type EventTimeOptions, watermarkStrategyOf } from './event-time.ts';
import { erase } from './type-erasure.ts';

/** Where a job begins: it makes streams out of sources. */
export class Flow {
  readonly #builder: StreamGraphBuilder;

  /** Given to the function of `job()`. */
  constructor(builder: StreamGraphBuilder) {
    this.#builder = builder;
  }

  /**
   * Reads a source.
   *
   * @param uid identity of the source's positions in checkpoints: keep it when the job changes
   */
  from<T>(uid: string, source: Source<T>): SourceStream<T> {
    const spec: OperatorSpec = { kind: 'source', source: erase(source), watermarks: null };
    return new SourceStream(this.#builder, this.#builder.add(uidOf(uid), spec, []));
  }
}

/** The records of a source. */
export class SourceStream<T> extends OperatorStream<T> {
  /**
   * Reads event time from the records and makes watermarks, per split. It belongs to the source:
   * whatever else reads this stream sees it too.
   *
   * @throws InvalidOptionError, and InvalidJobError on a second call
   */
  override eventTime(options: EventTimeOptions<T>): SourceStream<T> {
    const { builder, operator } = this;
    const { spec, uid } = operator;
    builder.assertOpen(uid);
    if (spec.kind !== 'source' || spec.watermarks !== null) {
      throw new InvalidJobError(
        `source "${uid}" has its event time already`,
        { job: builder.jobName, operatorUid: uid },
        { hint: 'For another one on a branch write source.forward().eventTime(...).' },
      );
    }
    operator.spec = { ...spec, watermarks: erase(watermarkStrategyOf(options)) };
    return this;
  }

  /** Input that could not be decoded, if the source was told to go on after it. */
  deadLetters(): DataStream<DeadLetter> {
    return this.outputNamed(DEAD_LETTERS);
  }
}
