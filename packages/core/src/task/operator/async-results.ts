import { assert } from '../../base/assert.ts';

// The order in which results of asynchronous calls go out.
//
//   add --> running --complete--> completed --next--> out
//
// A1. `ordered`: inputs and watermarks go out in the order they came in.
// A2. `unordered`: a completed input may overtake inputs, never a watermark: watermarks cut the
//     inputs into segments, and a segment is out before its watermark, which is out before the
//     next segment.
// A3. `held` are all inputs that are not out, in the order they came in: what a snapshot needs.

/** What goes out next. */
export type AsyncElement<Input> =
  | { readonly kind: 'input'; readonly input: Input }
  | { readonly kind: 'watermark'; readonly timeMs: number };

interface Segment<Input> {
  /** Inputs of the segment that are not out. */
  held: number;
  readonly completed: Input[];
  /** What ends it; NaN: it is the last one, and still open. */
  watermarkMs: number;
}

/** Pure: holds back what may not go out yet. Each operation is O(1). */
export class AsyncResults<Input> {
  readonly #ordered: boolean;
  // Per held input: its segment. A Map keeps the order of insertion (A3).
  readonly #held = new Map<Input, Segment<Input>>();
  #segments: Segment<Input>[] = [openSegment()];

  /** An ordered queue is one in which every input is a segment of its own, but without mark. */
  constructor(order: 'ordered' | 'unordered') {
    this.#ordered = order === 'ordered';
  }

  /** Inputs that are not out. */
  get size(): number {
    return this.#held.size;
  }

  /** Neither inputs nor watermarks are held back. */
  get isEmpty(): boolean {
    return this.#held.size === 0 && this.#segments.length === 1;
  }

  held(): IterableIterator<Input> {
    return this.#held.keys();
  }

  add(input: Input): void {
    assert(!this.#held.has(input), 'an input is added once');
    if (this.#ordered && this.#last().held > 0) this.#segments.push(openSegment());
    const segment = this.#last();
    segment.held++;
    this.#held.set(input, segment);
  }

  addWatermark(timeMs: number): void {
    this.#last().watermarkMs = timeMs;
    this.#segments.push(openSegment());
  }

  /** The input's result is there, or it is known that it has none. */
  complete(input: Input): void {
    const segment = this.#held.get(input);
    assert(segment !== undefined, 'an input completes once');
    segment.completed.push(input);
  }

  /** Takes out what may go next; null: wait for a completion. */
  next(): AsyncElement<Input> | null {
    for (;;) {
      const segment = this.#segments[0] as Segment<Input>;
      const input = segment.completed.shift();
      if (input !== undefined) {
        segment.held--;
        this.#held.delete(input);
        return { kind: 'input', input };
      }
      if (segment.held > 0 || this.#segments.length === 1) return null;
      this.#segments.shift();
      if (!Number.isNaN(segment.watermarkMs)) {
        return { kind: 'watermark', timeMs: segment.watermarkMs };
      }
    }
  }

  #last(): Segment<Input> {
    return this.#segments[this.#segments.length - 1] as Segment<Input>;
  }
}

function openSegment<Input>(): Segment<Input> {
  return { held: 0, completed: [], watermarkMs: Number.NaN };
}
