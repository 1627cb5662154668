import type { Key } from '../element/key.ts';
import { checkWindow, type ExpandedWindow } from '../function/window-assigners.ts';
import type { Evictor, Trigger, WindowFunction, WindowResult } from '../function/window.ts';
import type { OperatorSpec, WindowBody } from '../graph/operator-spec.ts';
import type { AggregateFunction, StateDescriptors } from '../state/descriptors.ts';
import { uidOf, WindowResultStream } from './data-stream.ts';
import type { KeyedStream } from './keyed-stream.ts';
import { erase } from './type-erasure.ts';

/** The parts of a window, without the type of its records (or a stream would not be covariant). */
type WindowSettings = ExpandedWindow<unknown> & { readonly allowedLatenessMs: number };

/** A keyed stream in windows; each method gives a new one, the last makes the operator. */
export class WindowedStream<T, K extends Key> {
  readonly #stream: KeyedStream<T, K>;
  readonly #window: WindowSettings;

  /** Made by `keyed.window(...)`. */
  constructor(stream: KeyedStream<T, K>, window: WindowSettings) {
    this.#stream = stream;
    this.#window = window;
  }

  /** Fires by another rule than the end of the window. Replaces the window's own. */
  trigger<S extends StateDescriptors>(trigger: Trigger<T, S>): WindowedStream<T, K> {
    return new WindowedStream(this.#stream, { ...this.#window, trigger: erase(trigger) });
  }

  /**
   * Removes records before or after each firing. The window then keeps all of its records, even
   * for `reduce` and `aggregate`.
   */
  evictor(evictor: Evictor<T>): WindowedStream<T, K> {
    return new WindowedStream(this.#stream, { ...this.#window, evictor: erase(evictor) });
  }

  /**
   * How long after its end a window still takes records, and fires again for each. What comes even
   * later is in `late()` of the result. Default 0.
   */
  allowedLatenessMs(allowedLatenessMs: number): WindowedStream<T, K> {
    return new WindowedStream(this.#stream, { ...this.#window, allowedLatenessMs });
  }

  /** The reduction of each window, kept as one value. @throws InvalidWindowError */
  reduce(
    uid: string,
    reduce: (reduced: T, value: T) => T,
  ): WindowResultStream<WindowResult<K, T>, T>;
  /** The same, given to a function that knows the window. */
  reduce<Out = never, S extends StateDescriptors = {}>(
    uid: string,
    reduce: (reduced: T, value: T) => T,
    windowFunction: WindowFunction<K, T, Out, S>,
  ): WindowResultStream<Out, T>;
  reduce<Out, S extends StateDescriptors>(
    uid: string,
    reduce: (reduced: T, value: T) => T,
    windowFunction?: WindowFunction<K, T, Out, S>,
  ): WindowResultStream<WindowResult<K, T> | Out, T> {
    return this.#operator(uid, { kind: 'reduce', reduce: erase(reduce) }, true, windowFunction);
  }

  /** The aggregate of each window, kept as one accumulator. @throws InvalidWindowError */
  aggregate<Acc, Result = Acc>(
    uid: string,
    aggregate: AggregateFunction<T, Acc, Result>,
  ): WindowResultStream<WindowResult<K, Result>, T>;
  /** The same, given to a function that knows the window. */
  aggregate<Acc, Result = Acc, Out = never, S extends StateDescriptors = {}>(
    uid: string,
    aggregate: AggregateFunction<T, Acc, Result>,
    windowFunction: WindowFunction<K, Result, Out, S>,
  ): WindowResultStream<Out, T>;
  aggregate<Acc, Result, Out, S extends StateDescriptors>(
    uid: string,
    aggregate: AggregateFunction<T, Acc, Result>,
    windowFunction?: WindowFunction<K, Result, Out, S>,
  ): WindowResultStream<WindowResult<K, Result> | Out, T> {
    const body: WindowBody = { kind: 'aggregate', aggregate: erase(aggregate) };
    return this.#operator(uid, body, aggregate.merge !== undefined, windowFunction);
  }

  /** All records of each window; they are kept until the window goes. @throws InvalidWindowError */
  process<Out = never, S extends StateDescriptors = {}>(
    uid: string,
    windowFunction: WindowFunction<K, T, Out, S>,
  ): WindowResultStream<Out, T> {
    return this.#operator(uid, { kind: 'collect' }, true, windowFunction);
  }

  #operator<Out>(
    uid: string,
    body: WindowBody,
    contentsMerge: boolean,
    windowFunction: unknown,
  ): WindowResultStream<Out, T> {
    const { assigner, trigger, evictor, allowedLatenessMs } = this.#window;
    const spec: OperatorSpec = {
      kind: 'window',
      window: {
        keyOf: this.#stream.keyOf,
        assigner,
        trigger,
        evictor,
        allowedLatenessMs,
        lateOutput: null,
        body,
        windowFunction: erase(windowFunction ?? null),
      },
    };
    checkWindow({
      assigner: spec.window.assigner,
      trigger: spec.window.trigger,
      allowedLatenessMs,
      contentsMerge: contentsMerge || evictor !== null,
    });
    const { builder, upstreams } = this.#stream;
    return new WindowResultStream(builder, builder.add(uidOf(uid), spec, [upstreams]));
  }
}
