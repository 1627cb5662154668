import type {
  CheckpointId,
  EnumeratorContext,
  SourceSplit,
  SplitEnumerator,
} from '@millrace/core/connector';

/**
 * Deals out splits that are all known at the start, all at once: each reader gets its share when it
 * first asks, and is told that there will be no more when it asks again.
 *
 * For splits that may never end. A reader asks for another split only when it has read one to its
 * end, so that dealt out one by one, some would wait for ever; and since watermarks do not wait for
 * a split that nobody has, the records of a split that waits are late.
 */
export class DealtSplits<Split extends SourceSplit>
  implements SplitEnumerator<Split, readonly Split[]>
{
  readonly #context: EnumeratorContext<Split>;
  /** By subtask: what it has not asked for yet. */
  readonly #shares: Split[][];
  #dealt = 0;

  /** @param splits those not yet assigned: all of them, or what a snapshot held */
  constructor(context: EnumeratorContext<Split>, splits: readonly Split[]) {
    this.#context = context;
    this.#shares = Array.from({ length: context.parallelism }, () => []);
    this.addSplitsBack(splits);
  }

  start(): void {}

  onSplitRequest(subtaskIndex: number): void {
    const share = this.#shares[subtaskIndex]!;
    this.#shares[subtaskIndex] = [];
    if (share.length === 0) this.#context.signalNoMoreSplits(subtaskIndex);
    else this.#context.assignSplits(subtaskIndex, share);
  }

  addSplitsBack(splits: readonly Split[]): void {
    for (const split of splits) this.#shares[this.#dealt++ % this.#shares.length]!.push(split);
  }

  snapshot(_checkpointId: CheckpointId): readonly Split[] {
    return this.#shares.flat();
  }

  close(): void {}
}
