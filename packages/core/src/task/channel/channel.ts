import type { StreamElement } from '../../element/element.ts';

/** What a sender sees of a channel. */
export interface ChannelSender {
  /**
   * Appends; always possible, so that what one record emits never has to be split. The sender
   * stops taking input while `isFull`.
   */
  send(element: StreamElement): void;
  /** No credit is left: the receiver is behind. Cost: one comparison. */
  readonly isFull: boolean;
}

/**
 * A bounded queue between two subtasks of one thread. Batches pass by reference.
 *
 * C1. Order is kept: a barrier is never overtaken, by nothing.
 * C2. Credits count batches only; control elements always fit.
 * C3. `onAvailable` is called when the queue stops being empty, `onSpace` when it stops being full.
 */
export class LocalChannel implements ChannelSender {
  #queue: StreamElement[] = [];
  #head = 0;
  #batches = 0;
  readonly #capacity: number;
  /** Set by the receiver. */
  onAvailable: () => void = ignore;
  /** Set by the sender. */
  onSpace: () => void = ignore;

  /** @param capacity batches in flight, 1 or more */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get isFull(): boolean {
    return this.#batches >= this.#capacity;
  }

  get isEmpty(): boolean {
    return this.#head === this.#queue.length;
  }

  send(element: StreamElement): void {
    const wasEmpty = this.isEmpty;
    this.#queue.push(element);
    if (element.kind === 'batch') this.#batches++;
    if (wasEmpty) this.onAvailable();
  }

  /** Takes the oldest element out; undefined if there is none. Amortised O(1). */
  take(): StreamElement | undefined {
    if (this.isEmpty) return undefined;
    const element = this.#queue[this.#head]!;
    this.#head++;
    if (this.isEmpty) {
      this.#queue = [];
      this.#head = 0;
    }
    if (element.kind === 'batch') {
      const wasFull = this.isFull;
      this.#batches--;
      if (wasFull) this.onSpace();
    }
    return element;
  }
}

function ignore(): void {}
