import type { CheckpointId } from '@millrace/core/connector';

interface Item<T> {
  readonly value: T;
  /** The smallest checkpoint that has been given it. */
  handedTo: CheckpointId;
}

/**
 * What a sink writer has closed and no checkpoint has been given yet.
 *
 *   add -> cut(1) -> (never asked for: aborted) -> cut(2) -> take: given to checkpoint 2
 *
 * H1. What is closed before a cut is given to that cut's checkpoint unless an older checkpoint has
 *     been given it: a snapshot whose persist was never asked for loses nothing.
 * H2. An older cut that is asked for after a younger one is given its items as well: to commit
 *     twice changes nothing, a checkpoint that does not name its output loses it.
 */
export class Handover<T> {
  #open: Item<T>[] = [];

  get size(): number {
    return this.#open.length;
  }

  add(value: T): void {
    this.#open.push({ value, handedTo: Number.POSITIVE_INFINITY });
  }

  /** @returns a function that gives what belongs to the checkpoint, in the order of closing */
  cut(checkpointId: CheckpointId): () => T[] {
    const before = [...this.#open];
    return () => {
      const mine = before.filter((item) => item.handedTo >= checkpointId);
      for (const item of mine) item.handedTo = checkpointId;
      this.#open = this.#open.filter((item) => item.handedTo === Number.POSITIVE_INFINITY);
      return mine.map((item) => item.value);
    };
  }
}
