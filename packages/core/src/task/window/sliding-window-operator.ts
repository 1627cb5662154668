import { assert } from '../../base/assert.ts';
import { type Key, keyIdentity } from '../../element/key.ts';
import { keyGroupOf } from '../../element/key-group.ts';
import { MIN_WATERMARK } from '../../element/time.ts';
import type { WindowAssigner } from '../../function/window.ts';
import type { WindowSpec } from '../../graph/operator-spec.ts';
import type { Entry, EntryTable } from '../../state/entry-table.ts';
import type { LoopRecord, LoopWriter } from '../operator/loop-writer.ts';
import type { Operator, OperatorContext } from '../operator/operator.ts';
import { inlineFold } from './inline-fold.ts';
import { LateRecords } from './late-records.ts';
import { ResultEmitter } from './result-emitter.ts';
import { SliceGrid } from './slice-grid.ts';
import { NO_SLICE, type Slice, Slices } from './slices.ts';
import { SlidingFiring } from './sliding-firing.ts';
import { TimeHeap } from './time-heap.ts';
import { missingTimestamp } from './window-assignment.ts';
import { FiringContext } from './window-contexts.ts';
import { foldOf, type WindowFold } from './window-fold.ts';
import { WindowGridState } from './window-grid-state.ts';

// Sliding windows of event time that fire once, at their end, from slices: the fast path.
//
//   record -> slice (cached) -> accumulator of its key        one addition, whatever size / slide
//   watermark >= end - 1 -> merge the window's slices by key -> emit -> drop the slices that no
//                           later window holds
//
// D1. A slice has contents until its last window has fired; each of its windows that the watermark
//     has not passed has one timer.
// D2. The cached slice is in a window that has not fired, so the hot path needs no late check.

/** See `windowPathOf`, path `sliding`. Table `slices` by slice start, list `window-grid`. */
export class SlidingWindowOperator implements Operator {
  readonly #spec: WindowSpec;
  readonly #assigner: Extract<WindowAssigner, { readonly kind: 'sliding' }>;
  readonly #keyOf: (value: unknown) => Key;
  readonly #fold: WindowFold;
  readonly #grid: SliceGrid;
  readonly #ends = new TimeHeap<number>();
  readonly #armed = new Set<number>();
  #current = NO_SLICE;
  #slices!: Slices;
  #table!: EntryTable<unknown>;
  #gridState!: WindowGridState;
  #emitter!: ResultEmitter;
  #late!: LateRecords;
  #context!: OperatorContext;
  // Has stopped between two keys and goes on at the next call.
  #firing: SlidingFiring | null = null;
  /** Of `WatermarkView`. */
  watermarkMs = MIN_WATERMARK;

  /** @param spec of path `sliding` */
  constructor(spec: WindowSpec) {
    const { assigner } = spec;
    const fold = foldOf(spec.body);
    assert(assigner.kind === 'sliding', 'windowPathOf chose this operator');
    assert(fold?.merge, 'windowPathOf leaves what cannot merge to the general path');
    this.#spec = spec;
    this.#assigner = assigner;
    this.#keyOf = spec.keyOf;
    this.#fold = fold;
    this.#grid = new SliceGrid(assigner.sizeMs, assigner.slideMs, assigner.offsetMs);
  }

  open(context: OperatorContext): void {
    this.#context = context;
    const firing = new FiringContext(context, this);
    this.#emitter = new ResultEmitter(this.#spec.windowFunction, firing, context);
    this.#late = new LateRecords(this.#spec, context);
    this.#table = context.keyed.table({ name: 'slices', kind: 'window', order: 'sub' });
    this.#slices = new Slices(this.#grid, this.#table, this.#fold.merge!);
    this.#gridState = new WindowGridState(this.#assigner, context);
    const firedMs = (keyGroup: number): number => this.#gridState.firedMs(keyGroup);
    for (const slice of this.#slices.restore(firedMs)) this.#arm(slice);
  }

  process(value: unknown, timestampMs: number): void {
    const slice = this.windowFor(value, timestampMs);
    if (slice === null) return;
    const entry = this.entryFor(slice, this.#keyOf(value), value);
    if (entry !== null) entry.value = this.#fold.add(entry.value, value);
  }

  inline(loop: LoopWriter, record: LoopRecord): string {
    return inlineFold(loop, record, this, this.#spec);
  }

  /** The slice that takes the record; null: it is in no window any more, and dealt with. */
  windowFor(value: unknown, timestampMs: number): Slice | null {
    const slice = this.#current;
    if (timestampMs >= slice.startMs && timestampMs < slice.endMs) return slice;
    return this.#seek(value, timestampMs);
  }

  /** The key's accumulator, about to be changed; null: the record has begun it. */
  entryFor(slice: Slice, key: Key, value: unknown): Entry<unknown> | null {
    const entry = slice.cells.get(keyIdentity(key));
    if (entry === undefined) return this.#begin(slice, key, value);
    this.#table.write(entry);
    return entry;
  }

  onWatermark(timeMs: number): boolean {
    this.watermarkMs = timeMs;
    this.#current = NO_SLICE;
    while (this.#firing !== null || (this.#ends.size > 0 && this.#ends.earliestMs() <= timeMs)) {
      this.#firing ??= this.#startFiring();
      if (!this.#firing.run(() => this.#context.shouldYield())) return false;
      this.#firing = null;
    }
    return true;
  }

  snapshot(): void {
    this.#gridState.snapshot(this.watermarkMs);
  }

  close(): void {}

  /** Windows that wait for their end: this path's timers. */
  timerCounts(): { readonly eventTime: number; readonly processingTime: number } {
    return { eventTime: this.#ends.size, processingTime: 0 };
  }

  // The slice of a record that is not in the cached one.
  #seek(value: unknown, timestampMs: number): Slice | null {
    if (!Number.isFinite(timestampMs)) throw missingTimestamp(timestampMs);
    const startMs = this.#grid.sliceStart(timestampMs);
    const lastEndMs = this.#grid.lastEnd(startMs);
    if (lastEndMs <= startMs || lastEndMs - 1 <= this.watermarkMs) {
      this.#late.offer(value, timestampMs, this.watermarkMs); // or in a hole
      return null;
    }
    const slice = this.#slices.at(startMs);
    if (slice.cells.size === 0) this.#arm(slice);
    this.#current = slice;
    return slice;
  }

  #begin(slice: Slice, key: Key, value: unknown): null {
    const group = keyGroupOf(key, this.#context.maxParallelism);
    const entry = this.#table.create(key, group, slice.startMs, this.#fold.first(value));
    slice.cells.set(keyIdentity(key), entry);
    return null;
  }

  // D1.
  #arm({ startMs, firstEndMs }: Slice): void {
    let endMs = this.#grid.lastEnd(startMs);
    for (; endMs > startMs && endMs >= firstEndMs; endMs -= this.#grid.slideMs) {
      if (endMs - 1 <= this.watermarkMs || this.#armed.has(endMs)) continue;
      this.#armed.add(endMs);
      this.#ends.push(endMs - 1, endMs);
    }
  }

  #startFiring(): SlidingFiring {
    const endMs = this.#ends.pop();
    this.#armed.delete(endMs);
    const bounds = { startMs: endMs - this.#grid.sizeMs, endMs };
    return new SlidingFiring(bounds, this.#slices, this.#table, this.#fold, this.#emitter);
  }
}
