import { gridStart } from './window-assignment.ts';

// Sliding windows cut into slices at every start and every end of a window, so that each window
// is a run of whole slices, and a slice is in the same windows from its first to its last moment:
//
//   windows    [----------)             size = 2.5 slides
//                  [----------)
//                      [----------)
//   slices     |-|-|-|-|-|-|-|-|-|      two per slide, one if size is a multiple of slide
//
// With slide > size every second slice is a hole, which is in no window.

/** Where the slices of sliding windows begin. Pure. */
export class SliceGrid {
  readonly sizeMs: number;
  readonly slideMs: number;
  readonly #offsetMs: number;
  /** Length of the first slice of a slide; 0: a slide is one slice. */
  readonly #cutMs: number;

  constructor(sizeMs: number, slideMs: number, offsetMs: number) {
    this.sizeMs = sizeMs;
    this.slideMs = slideMs;
    this.#offsetMs = offsetMs;
    this.#cutMs = sizeMs % slideMs;
  }

  /** The start of the slice that holds `timeMs`. */
  sliceStart(timeMs: number): number {
    const base = this.slideStart(timeMs);
    return this.#cutMs > 0 && timeMs >= base + this.#cutMs ? base + this.#cutMs : base;
  }

  /** The start of the slice behind the one that starts at `sliceStartMs`; the end of that one. */
  nextSlice(sliceStartMs: number): number {
    const base = this.slideStart(sliceStartMs);
    if (this.#cutMs === 0 || sliceStartMs !== base) return base + this.slideMs;
    return base + this.#cutMs;
  }

  /** The start of the latest window that begins at or before `timeMs`. */
  slideStart(timeMs: number): number {
    return gridStart(timeMs, this.#offsetMs, this.slideMs);
  }

  /** The end of the last window that holds the slice; at or before its start if it is a hole. */
  lastEnd(sliceStartMs: number): number {
    return this.slideStart(sliceStartMs) + this.sizeMs;
  }

  /** The end of the first window that holds the slice and ends behind `afterMs`. */
  firstEnd(sliceStartMs: number, afterMs = Number.NEGATIVE_INFINITY): number {
    let endMs = this.lastEnd(sliceStartMs);
    for (;;) {
      const earlierMs = endMs - this.slideMs;
      if (earlierMs <= sliceStartMs || earlierMs <= afterMs) return endMs;
      endMs = earlierMs;
    }
  }
}
