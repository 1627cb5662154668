import type {
  CheckpointId,
  EnumeratorContext,
  SourceSplit,
  SplitEnumerator,
} from '@millrace/core/connector';

/**
 * Deals out splits that are all known at the start, one per request, in order. A reader that asks
 * when none is left is told that there will be no more.
 */
export class StaticSplits<Split extends SourceSplit>
  implements SplitEnumerator<Split, readonly Split[]>
{
  readonly #context: EnumeratorContext<Split>;
  readonly #pending: Split[];

  /** @param splits those not yet assigned: all of them, or what a snapshot held */
  constructor(context: EnumeratorContext<Split>, splits: readonly Split[]) {
    this.#context = context;
    this.#pending = [...splits];
  }

  start(): void {}

  onSplitRequest(subtaskIndex: number): void {
    const split = this.#pending.shift();
    if (split === undefined) this.#context.signalNoMoreSplits(subtaskIndex);
    else this.#context.assignSplits(subtaskIndex, [split]);
  }

  addSplitsBack(splits: readonly Split[]): void {
    this.#pending.unshift(...splits);
  }

  snapshot(_checkpointId: CheckpointId): readonly Split[] {
    return [...this.#pending];
  }

  close(): void {}
}
