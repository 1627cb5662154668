import type { BroadcastState, ReadonlyBroadcastState } from '../../state/operator-state.ts';

/** A broadcast state that cannot be changed, not even by a cast: for the side of the records. */
export class ReadOnlyBroadcast implements ReadonlyBroadcastState<unknown, unknown> {
  readonly #state: BroadcastState<unknown, unknown>;

  constructor(state: BroadcastState<unknown, unknown>) {
    this.#state = state;
  }

  get(key: unknown): unknown {
    return this.#state.get(key);
  }

  has(key: unknown): boolean {
    return this.#state.has(key);
  }

  entries(): Iterable<readonly [unknown, unknown]> {
    return this.#state.entries();
  }

  get size(): number {
    return this.#state.size;
  }
}
