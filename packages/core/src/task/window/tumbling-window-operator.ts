import { assert } from '../../base/assert.ts';
import { type Key, type KeyIdentity, keyIdentity } from '../../element/key.ts';
import { keyGroupOf } from '../../element/key-group.ts';
import { MIN_WATERMARK } from '../../element/time.ts';
import type { Window, WindowAssigner } from '../../function/window.ts';
import type { WindowSpec } from '../../graph/operator-spec.ts';
import type { Entry, EntryTable } from '../../state/entry-table.ts';
import type { LoopRecord, LoopWriter } from '../operator/loop-writer.ts';
import type { Operator, OperatorContext } from '../operator/operator.ts';
import { inlineFold } from './inline-fold.ts';
import { LateRecords } from './late-records.ts';
import { ResultEmitter } from './result-emitter.ts';
import { takeValue } from './take-value.ts';
import { TimeHeap } from './time-heap.ts';
import { gridStart, missingTimestamp } from './window-assignment.ts';
import { FiringContext } from './window-contexts.ts';
import { foldOf, type WindowFold } from './window-fold.ts';
import { WindowGridState } from './window-grid-state.ts';

// Tumbling windows of event time that fire at their end: the fast path of the most common window.
//
//   record --same window as the one before--> accumulator of its key
//     |                                             |
//     +--another window--> late? (rare path)        | watermark >= end - 1: one timer per window
//                                                   v
//                            waiting --fire--> fired (only with allowed lateness) --> gone
//                               ^                 |  ^
//                               +--after restore--+  +-- late record: added, fires at once
//
// T1. `waiting` accumulators fire at the window's end, `fired` ones have: after a restore, when the
//     watermark passes the end again, they do not, unless a new record has made them wait again.
// T2. The cached window has not been passed by the watermark, so the hot path needs no late check.
// T3. A window leaves when the watermark passes its end by the allowed lateness.

/** Accumulators by key of one window. */
export class OpenWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly waiting = new Map<KeyIdentity, Entry<unknown>>();
  readonly fired = new Map<KeyIdentity, Entry<unknown>>();
  /** Has a timer for its end; for its cleanup. */
  isArmed = false;
  isKept = false;

  constructor(startMs: number, endMs: number) {
    this.startMs = startMs;
    this.endMs = endMs;
  }
}

const NO_WINDOW = new OpenWindow(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);

/**
 * See `windowPathOf`, path `tumbling`. Tables `windows` and `windows-fired`, both by window end;
 * list `window-grid`.
 */
export class TumblingWindowOperator implements Operator {
  readonly #spec: WindowSpec;
  readonly #keyOf: (value: unknown) => Key;
  readonly #fold: WindowFold;
  readonly #assigner: Extract<WindowAssigner, { readonly kind: 'tumbling' }>;
  readonly #sizeMs: number;
  readonly #offsetMs: number;
  readonly #latenessMs: number;
  readonly #windows = new Map<number, OpenWindow>();
  readonly #ends = new TimeHeap<OpenWindow>();
  readonly #kept = new TimeHeap<OpenWindow>();
  #current = NO_WINDOW;
  #table!: EntryTable<unknown>;
  #firedTable!: EntryTable<unknown>;
  #emitter!: ResultEmitter;
  #late!: LateRecords;
  #gridState!: WindowGridState;
  #context!: OperatorContext;
  // A firing that has stopped between two keys goes on here.
  #firing: { window: OpenWindow; bounds: Window; rest: Iterator<Entry<unknown>> } | null = null;
  /** Of `WatermarkView`. */
  watermarkMs = MIN_WATERMARK;

  /** @param spec of path `tumbling` */
  constructor(spec: WindowSpec) {
    assert(spec.assigner.kind === 'tumbling', 'windowPathOf chose this operator');
    const fold = foldOf(spec.body);
    assert(fold !== null, 'windowPathOf leaves collect to the general path');
    this.#spec = spec;
    this.#keyOf = spec.keyOf;
    this.#fold = fold;
    this.#assigner = spec.assigner;
    this.#sizeMs = spec.assigner.sizeMs;
    this.#offsetMs = spec.assigner.offsetMs;
    this.#latenessMs = spec.allowedLatenessMs;
  }

  open(context: OperatorContext): void {
    this.#context = context;
    const firing = new FiringContext(context, this);
    this.#emitter = new ResultEmitter(this.#spec.windowFunction, firing, context);
    this.#late = new LateRecords(this.#spec, context);
    this.#gridState = new WindowGridState(this.#assigner, context);
    this.#table = context.keyed.table({ name: 'windows', kind: 'window', order: 'sub' });
    this.#firedTable = context.keyed.table({ name: 'windows-fired', kind: 'window', order: 'sub' });
    this.#table.restored((entry) => {
      const window = this.#windowAt(entry.sub as number);
      this.#arm(window);
      window.waiting.set(keyIdentity(entry.key), entry);
    });
    this.#firedTable.restored((entry) => {
      const window = this.#windowAt(entry.sub as number);
      this.#keep(window);
      window.fired.set(keyIdentity(entry.key), entry);
    });
  }

  process(value: unknown, timestampMs: number): void {
    const window = this.windowFor(value, timestampMs);
    if (window === null) return;
    const entry = this.entryFor(window, this.#keyOf(value), value);
    if (entry !== null) entry.value = this.#fold.add(entry.value, value);
  }

  inline(loop: LoopWriter, record: LoopRecord): string {
    return inlineFold(loop, record, this, this.#spec);
  }

  /** The window that takes the record; null: it is late, and dealt with. */
  windowFor(value: unknown, timestampMs: number): OpenWindow | null {
    const window = this.#current;
    if (timestampMs >= window.startMs && timestampMs < window.endMs) return window;
    return this.#seek(value, timestampMs);
  }

  /** The key's accumulator, about to be changed; null: the record has begun it. */
  entryFor(window: OpenWindow, key: Key, value: unknown): Entry<unknown> | null {
    const entry = window.waiting.get(keyIdentity(key));
    if (entry === undefined) return this.#begin(window, key, value);
    this.#table.write(entry);
    return entry;
  }

  onWatermark(timeMs: number): boolean {
    this.watermarkMs = timeMs;
    if (this.#current.endMs - 1 <= timeMs) this.#current = NO_WINDOW; // T2
    while (this.#firing !== null || this.#isDue(this.#ends, timeMs)) {
      if (!this.#fire()) return false;
    }
    while (this.#isDue(this.#kept, timeMs - this.#latenessMs)) this.#cleanUp(this.#kept.pop());
    return true;
  }

  snapshot(): void {
    this.#gridState.snapshot(this.watermarkMs);
  }

  close(): void {}

  /** Windows that wait for their end or their cleanup: this path's timers. */
  timerCounts(): { readonly eventTime: number; readonly processingTime: number } {
    return { eventTime: this.#ends.size + this.#kept.size, processingTime: 0 };
  }

  // The window of a record that is not in the cached one.
  #seek(value: unknown, timestampMs: number): OpenWindow | null {
    if (!Number.isFinite(timestampMs)) throw missingTimestamp(timestampMs);
    const endMs = gridStart(timestampMs, this.#offsetMs, this.#sizeMs) + this.#sizeMs;
    if (endMs - 1 <= this.watermarkMs - this.#latenessMs) {
      this.#late.offer(value, timestampMs, this.watermarkMs);
      return null;
    }
    const window = this.#windowAt(endMs);
    if (endMs - 1 <= this.watermarkMs) {
      this.#addLate(window, value);
      return null;
    }
    this.#arm(window);
    this.#current = window;
    return window;
  }

  // The first record of a key since the window was opened, or restored after it had fired (T1).
  #begin(window: OpenWindow, key: Key, value: unknown): null {
    const identity = keyIdentity(key);
    const fired = window.fired.get(identity);
    let accumulator: unknown;
    if (fired === undefined) {
      accumulator = this.#fold.first(value);
    } else {
      accumulator = this.#fold.add(takeValue(this.#firedTable, fired), value);
      window.fired.delete(identity);
    }
    const group = keyGroupOf(key, this.#context.maxParallelism);
    window.waiting.set(identity, this.#table.create(key, group, window.endMs, accumulator));
    return null;
  }

  // A record behind the watermark but within the allowed lateness: its window fires at once.
  #addLate(window: OpenWindow, value: unknown): void {
    this.#keep(window);
    const key = this.#keyOf(value);
    const identity = keyIdentity(key);
    let entry = window.fired.get(identity);
    if (entry === undefined) {
      const group = keyGroupOf(key, this.#context.maxParallelism);
      entry = this.#firedTable.create(key, group, window.endMs, this.#fold.first(value));
      window.fired.set(identity, entry);
    } else {
      this.#firedTable.write(entry);
      entry.value = this.#fold.add(entry.value, value);
    }
    const bounds = { startMs: window.startMs, endMs: window.endMs };
    this.#emitter.emit(key, bounds, this.#fold.result(entry.value, true));
  }

  // Fires the earliest window, or what is left of it. False: stopped between two keys.
  #fire(): boolean {
    this.#firing ??= this.#startFiring();
    const firing = this.#firing;
    const { window, bounds } = firing;
    const livesOn = !(window.endMs - 1 <= this.watermarkMs - this.#latenessMs);
    for (let next = firing.rest.next(); next.done !== true; next = firing.rest.next()) {
      const entry = next.value;
      this.#emitter.emit(entry.key, bounds, this.#fold.result(entry.value, livesOn));
      const accumulator = takeValue(this.#table, entry);
      if (livesOn) this.#keepFired(window, entry, accumulator);
      if (this.#context.shouldYield()) return false;
    }
    this.#firing = null;
    window.waiting.clear();
    if (livesOn) this.#keep(window);
    else if (!window.isKept) this.#windows.delete(window.endMs);
    return true;
  }

  #startFiring(): { window: OpenWindow; bounds: Window; rest: Iterator<Entry<unknown>> } {
    const window = this.#ends.pop();
    window.isArmed = false;
    const bounds = { startMs: window.startMs, endMs: window.endMs };
    return { window, bounds, rest: window.waiting.values() };
  }

  #keepFired(window: OpenWindow, { key, keyGroup }: Entry<unknown>, accumulator: unknown): void {
    const entry = this.#firedTable.create(key, keyGroup, window.endMs, accumulator);
    window.fired.set(keyIdentity(key), entry);
  }

  #cleanUp(window: OpenWindow): void {
    for (const entry of window.fired.values()) this.#firedTable.remove(entry);
    this.#windows.delete(window.endMs);
  }

  #windowAt(endMs: number): OpenWindow {
    let window = this.#windows.get(endMs);
    if (window === undefined) {
      window = new OpenWindow(endMs - this.#sizeMs, endMs);
      this.#windows.set(endMs, window);
    }
    return window;
  }

  #arm(window: OpenWindow): void {
    if (window.isArmed) return;
    window.isArmed = true;
    this.#ends.push(window.endMs - 1, window);
  }

  #keep(window: OpenWindow): void {
    if (window.isKept) return;
    window.isKept = true;
    this.#kept.push(window.endMs - 1, window);
  }

  #isDue(heap: TimeHeap<OpenWindow>, limitMs: number): boolean {
    return heap.size > 0 && heap.earliestMs() <= limitMs;
  }
}
