import type { Key } from '../../element/key.ts';
import type { Window, WindowFunction, WindowResult } from '../../function/window.ts';
import type { StateDescriptors } from '../../state/descriptors.ts';
import { refuseResult } from '../operator/refuse-result.ts';
import type { OperatorContext } from '../operator/operator.ts';
import type { FiringContext } from './window-contexts.ts';

/** Emits what a window has come to: as a `WindowResult`, or through the window function. */
export class ResultEmitter {
  readonly #function: WindowFunction<Key, unknown, unknown, StateDescriptors> | null;
  readonly #firing: FiringContext;
  readonly #operator: OperatorContext;

  /** @param firing what the function sees */
  constructor(
    windowFunction: WindowFunction<Key, unknown, unknown, StateDescriptors> | null,
    firing: FiringContext,
    operator: OperatorContext,
  ) {
    this.#function = windowFunction;
    this.#firing = firing;
    this.#operator = operator;
  }

  /**
   * The one value of a reduce or aggregate.
   *
   * @param window belongs to its readers from here on: do not change it afterwards
   * @throws PromiseInSyncFunctionError if a function of the user is asynchronous
   */
  emit(key: Key, window: Window, value: unknown): void {
    if (this.#function !== null) this.emitAll(key, window, [value]);
    else this.#emitResult(key, window, value);
  }

  /** All records of a window. The same contract. */
  emitAll(key: Key, window: Window, values: readonly unknown[]): void {
    if (this.#function === null) {
      this.#emitResult(key, window, values);
      return;
    }
    this.#firing.key = key;
    this.#firing.window = window;
    const result: unknown = this.#function.onWindow(values, this.#firing);
    if (result !== undefined) refuseResult(result, this.#operator.operatorUid);
  }

  #emitResult(key: Key, { startMs, endMs }: Window, value: unknown): void {
    refuseResult(value, this.#operator.operatorUid);
    const result: WindowResult<Key, unknown> = {
      key,
      windowStartMs: startMs,
      windowEndMs: endMs,
      value,
    };
    this.#operator.output.emit(result, endMs - 1);
  }
}
