import type { Key } from '../../element/key.ts';
import type { Window, WindowFunction, WindowResult } from '../../function/window.ts';
import type { StateDescriptors } from '../../state/descriptors.ts';
import type { Output, OperatorContext } from '../operator/operator.ts';
import { FiringContext, type WatermarkView } from './window-contexts.ts';

/** Emits what a window has come to: as a `WindowResult`, or through the window function. */
export class ResultEmitter {
  readonly #function: WindowFunction<Key, unknown, unknown, StateDescriptors> | null;
  readonly #firing: FiringContext;
  readonly #output: Output;

  constructor(
    windowFunction: WindowFunction<Key, unknown, unknown, StateDescriptors> | null,
    context: OperatorContext,
    time: WatermarkView,
  ) {
    this.#function = windowFunction;
    this.#firing = new FiringContext(context, time);
    this.#output = context.output;
  }

  /** @param window belongs to its readers from here on: do not change it afterwards */
  emit(key: Key, window: Window, value: unknown): void {
    if (this.#function !== null) {
      this.#call(key, window, value);
      return;
    }
    const { startMs, endMs } = window;
    const result: WindowResult<Key, unknown> = {
      key,
      windowStartMs: startMs,
      windowEndMs: endMs,
      value,
    };
    this.#output.emit(result, endMs - 1);
  }

  /** Windows that merge have no state of their own. */
  refuseWindowState(): void {
    this.#firing.handles = null;
  }

  #call(key: Key, window: Window, value: unknown): void {
    this.#firing.key = key;
    this.#firing.window = window;
    this.#function!.onWindow([value], this.#firing);
  }
}
