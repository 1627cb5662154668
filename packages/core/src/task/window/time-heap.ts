/**
 * A binary min-heap of times with something for each; equal times come out in any order. Times
 * stand in a typed array, so that none is allocated.
 */
export class TimeHeap<T> {
  #times = new Float64Array(16);
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The least time; Infinity if the heap is empty, which is a time as well: look at `size`. */
  earliestMs(): number {
    return this.#items.length === 0 ? Number.POSITIVE_INFINITY : this.#times[0]!;
  }

  /** O(log size). */
  push(timeMs: number, item: T): void {
    let at = this.#items.length;
    if (at === this.#times.length) {
      const larger = new Float64Array(at * 2);
      larger.set(this.#times);
      this.#times = larger;
    }
    const times = this.#times;
    const items = this.#items;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (times[parent]! <= timeMs) break;
      times[at] = times[parent]!;
      items[at] = items[parent]!;
      at = parent;
    }
    times[at] = timeMs;
    items[at] = item;
  }

  /** Takes the item of the least time out. Precondition: not empty. O(log size). */
  pop(): T {
    const items = this.#items;
    const top = items[0]!;
    const last = items.pop()!;
    const size = items.length;
    if (size > 0) this.#sink(this.#times[size]!, last, size);
    return top;
  }

  #sink(timeMs: number, item: T, size: number): void {
    const times = this.#times;
    const items = this.#items;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && times[child + 1]! < times[child]!) child++;
      if (times[child]! >= timeMs) break;
      times[at] = times[child]!;
      items[at] = items[child]!;
      at = child;
    }
    times[at] = timeMs;
    items[at] = item;
  }
}
