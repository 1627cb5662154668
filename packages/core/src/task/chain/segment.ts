import type { Batch } from '../../element/batch.ts';
import type { Output } from '../operator/operator.ts';
import type { StopSignal } from '../channel/record-writer.ts';

/** The loop at the head of a chain: takes the records of a batch through it. */
export interface Segment {
  /** The operator to blame if nothing better is known. */
  readonly uid: string;
  /** Index of the record in work; after an exception, of the one that failed. */
  position: number;
  /** Handles records `from` to `to - 1`. @returns where it stopped: less than `to` if asked to */
  run(batch: Batch, from: number, to: number): number;
}

/** The plain loop over an output. Stops between two records when `stopSignal` says so. */
export class PushSegment implements Segment {
  readonly uid: string;
  position = 0;
  readonly #output: Output;
  readonly #signal: StopSignal;
  readonly #afterRecord: (() => void) | null;

  /** @param afterRecord may raise the signal; null if nothing has to be asked */
  constructor(
    uid: string,
    output: Output,
    signal: StopSignal,
    afterRecord: (() => void) | null = null,
  ) {
    this.#afterRecord = afterRecord;
    this.uid = uid;
    this.#output = output;
    this.#signal = signal;
  }

  run(batch: Batch, from: number, to: number): number {
    const { values, timestamps } = batch;
    for (let i = from; i < to; i++) {
      this.position = i;
      this.#output.emit(values[i], timestamps[i]!);
      this.#afterRecord?.();
      if (this.#signal.stop) return i + 1;
    }
    return to;
  }
}
