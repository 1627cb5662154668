/** Something that happened at a time. */
export interface Timed {
  readonly timeMs: number;
}

// Elements that left stay in front until there are this many of them and they are half of all.
const COMPACT_AT = 32;

/** Elements in the order of their time, for range queries and removal from the front. */
export class TimeBuffer<E extends Timed> {
  #elements: E[] = [];
  #start = 0;

  get size(): number {
    return this.#elements.length - this.#start;
  }

  /** The smallest time; Infinity if there is nothing (see `size`). */
  get firstMs(): number {
    return this.#elements[this.#start]?.timeMs ?? Number.POSITIVE_INFINITY;
  }

  /** Behind all of the same time. Cost: O(1) in the order of time, else O(elements behind it). */
  add(element: E): void {
    const elements = this.#elements;
    let at = elements.length;
    while (at > this.#start && (elements[at - 1] as E).timeMs > element.timeMs) at--;
    if (at === elements.length) elements.push(element);
    else elements.splice(at, 0, element);
  }

  /** Removes what is at or before `timeMs`, from the smallest time on. */
  removeThrough(timeMs: number, removed: (element: E) => void): void {
    const elements = this.#elements;
    while (this.#start < elements.length && (elements[this.#start] as E).timeMs <= timeMs) {
      removed(elements[this.#start++] as E);
    }
    if (this.#start >= COMPACT_AT && this.#start * 2 >= elements.length) {
      this.#elements = elements.slice(this.#start);
      this.#start = 0;
    }
  }

  /**
   * Visits the times from `lowestMs` to `highestMs`, both included: the latest time first, at one
   * time in the order they were added. Cost: O(log n + visited).
   */
  visitRange(lowestMs: number, highestMs: number, visit: (element: E) => void): void {
    const elements = this.#elements;
    let end = this.#upperBound(highestMs);
    while (end > this.#start && (elements[end - 1] as E).timeMs >= lowestMs) {
      const { timeMs } = elements[end - 1] as E;
      let first = end - 1;
      while (first > this.#start && (elements[first - 1] as E).timeMs === timeMs) first--;
      for (let i = first; i < end; i++) visit(elements[i] as E);
      end = first;
    }
  }

  // Index behind the last element with time <= `timeMs`.
  #upperBound(timeMs: number): number {
    let low = this.#start;
    let high = this.#elements.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#elements[middle] as E).timeMs <= timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
