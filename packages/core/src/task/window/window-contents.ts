import type { WindowElement, WindowResult } from '../../function/window.ts';
import type { WindowSpec } from '../../graph/operator-spec.ts';
import type { Key } from '../../element/key.ts';
import type { Output } from '../operator/operator.ts';
import type { WindowCell } from './window-cells.ts';
import type { FiringContext } from './window-contexts.ts';
import { foldOf, type WindowFold } from './window-fold.ts';
import type { WindowStorage } from './window-storage.ts';

/**
 * What the windows of the general path hold, and how it goes out: one accumulator, or all records
 * if the body collects or an evictor has to see them.
 */
export class WindowContents {
  readonly #spec: WindowSpec;
  readonly #storage: WindowStorage;
  readonly #firing: FiringContext;
  readonly #output: Output;
  readonly #fold: WindowFold | null;
  readonly #keepsElements: boolean;

  constructor(spec: WindowSpec, storage: WindowStorage, firing: FiringContext, output: Output) {
    this.#spec = spec;
    this.#storage = storage;
    this.#firing = firing;
    this.#output = output;
    this.#fold = foldOf(spec.body);
    this.#keepsElements = this.#fold === null || spec.evictor !== null;
  }

  add(cell: WindowCell, value: unknown, timestampMs: number): void {
    if (this.#keepsElements) {
      this.#storage.elements.append(cell, value, timestampMs);
      return;
    }
    const fold = this.#fold!;
    const { accumulators } = this.#storage;
    if (accumulators.has(cell)) accumulators.update(cell, (held) => fold.add(held, value));
    else accumulators.set(cell, fold.first(value));
  }

  clear(cell: WindowCell): void {
    this.#storage.elements.clear(cell);
    this.#storage.accumulators.clear(cell);
  }

  /**
   * Emits the result; a window without contents emits nothing.
   *
   * @param livesOn the contents stay after this firing
   */
  fire(cell: WindowCell, livesOn: boolean): void {
    this.#firing.key = cell.key;
    this.#firing.window = cell.window;
    if (!this.#keepsElements) {
      const { accumulators } = this.#storage;
      if (!accumulators.has(cell)) return;
      this.#emit(cell, [this.#fold!.result(accumulators.get(cell), livesOn)]);
    } else if (!this.#storage.elements.isEmpty(cell)) {
      if (this.#spec.evictor === null) this.#emit(cell, this.#storage.elements.values(cell));
      else this.#fireEvicting(cell, livesOn);
    }
  }

  #fireEvicting(cell: WindowCell, livesOn: boolean): void {
    const evictor = this.#spec.evictor!;
    const { elements } = this.#storage;
    const all = elements.elements(cell);
    const before = evictor.evictBefore?.(all, cell.window, this.#firing) ?? all;
    this.#emit(cell, this.#folded(before));
    const after = evictor.evictAfter?.(before, cell.window, this.#firing) ?? before;
    if (livesOn && after.length !== all.length) elements.replace(cell, after);
  }

  // What the function sees of kept records; nothing for a reduce over none.
  #folded(kept: readonly WindowElement<unknown>[]): unknown[] | null {
    const fold = this.#fold;
    if (fold === null) return kept.map(({ value }) => value);
    if (kept.length === 0) return this.#spec.body.kind === 'reduce' ? null : [this.#emptyResult()];
    let accumulator = fold.first(kept[0]!.value);
    for (let i = 1; i < kept.length; i++) accumulator = fold.add(accumulator, kept[i]!.value);
    return [fold.result(accumulator, false)];
  }

  #emptyResult(): unknown {
    return this.#fold!.result(this.#fold!.empty(), false);
  }

  #emit(cell: WindowCell, values: unknown[] | null): void {
    if (values === null) return;
    const { windowFunction } = this.#spec;
    if (windowFunction !== null) {
      windowFunction.onWindow(values, this.#firing);
      return;
    }
    const { startMs, endMs } = cell.window;
    const value = this.#fold === null ? values : values[0];
    const result: WindowResult<Key, unknown> = {
      key: cell.key,
      windowStartMs: startMs,
      windowEndMs: endMs,
      value,
    };
    this.#output.emit(result, endMs - 1);
  }
}
