import type { WindowElement } from '../../function/window.ts';
import type { WindowSpec } from '../../graph/operator-spec.ts';
import type { ResultEmitter } from './result-emitter.ts';
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
  readonly #emitter: ResultEmitter;
  readonly #fold: WindowFold | null;
  readonly #keepsElements: boolean;

  constructor(
    spec: WindowSpec,
    storage: WindowStorage,
    firing: FiringContext,
    emitter: ResultEmitter,
  ) {
    this.#spec = spec;
    this.#storage = storage;
    this.#firing = firing;
    this.#emitter = emitter;
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
    const { accumulators, elements } = this.#storage;
    if (!this.#keepsElements) {
      if (!accumulators.has(cell)) return;
      const result = this.#fold!.result(accumulators.get(cell), livesOn);
      this.#emitter.emit(cell.key, cell.window, result);
    } else if (!elements.isEmpty(cell)) {
      if (this.#spec.evictor !== null) this.#fireEvicting(cell, livesOn);
      else this.#emitter.emitAll(cell.key, cell.window, elements.values(cell));
    }
  }

  #fireEvicting(cell: WindowCell, livesOn: boolean): void {
    const evictor = this.#spec.evictor!;
    const { elements } = this.#storage;
    this.#firing.key = cell.key;
    this.#firing.window = cell.window;
    const all = elements.elements(cell);
    const before = evictor.evictBefore?.(all, cell.window, this.#firing) ?? all;
    this.#emitKept(cell, before);
    const after = evictor.evictAfter?.(before, cell.window, this.#firing) ?? before;
    if (livesOn && after.length !== all.length) elements.replace(cell, after);
  }

  #emitKept({ key, window }: WindowCell, kept: readonly WindowElement<unknown>[]): void {
    const fold = this.#fold;
    const values = kept.map(({ value }) => value);
    if (fold === null) this.#emitter.emitAll(key, window, values);
    else if (values.length > 0) this.#emitter.emit(key, window, folded(fold, values));
    else if (this.#spec.body.kind === 'aggregate') {
      this.#emitter.emit(key, window, fold.result(fold.empty(), false));
    } // a reduce of nothing is nothing
  }
}

function folded(fold: WindowFold, [head, ...rest]: readonly unknown[]): unknown {
  const accumulator = rest.reduce((held, value) => fold.add(held, value), fold.first(head));
  return fold.result(accumulator, false);
}
