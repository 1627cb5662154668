import type { Key } from '../element/key.ts';
import {
  type CoGroupFunction,
  checkJoinInterval,
  type IntervalJoinFunction,
  type JoinInterval,
} from '../function/join-function.ts';
import type { SideOutputTag } from '../function/process-function.ts';
import { checkWindow } from '../function/window-assigners.ts';
import type { Trigger, WindowAssigner } from '../function/window.ts';
import type { WindowJoinBody } from '../graph/operator-spec.ts';
import type { StateDescriptors } from '../state/descriptors.ts';
import { OperatorStream, uidOf } from './data-stream.ts';
import type { KeyedStream } from './keyed-stream.ts';
import { erase } from './type-erasure.ts';

/** Which pairs join, and where records go that came too late for any. */
export interface IntervalJoinOptions<Left, Right> extends JoinInterval {
  /** Read with `result.sideOutput(tag)`. Default: counted and dropped. */
  readonly lateLeft?: SideOutputTag<Left>;
  readonly lateRight?: SideOutputTag<Right>;
}

/** Two keyed streams whose records join if their times are near enough. */
export class IntervalJoinedStreams<Left, Right, K extends Key> {
  readonly #left: KeyedStream<Left, K>;
  readonly #right: KeyedStream<Right, K>;
  readonly #options: IntervalJoinOptions<Left, Right>;

  /** Made by `left.intervalJoin(right, ...)`. @throws InvalidOptionError */
  constructor(
    left: KeyedStream<Left, K>,
    right: KeyedStream<Right, K>,
    options: IntervalJoinOptions<Left, Right>,
  ) {
    checkJoinInterval(options);
    this.#left = left;
    this.#right = right;
    this.#options = options;
  }

  /** Called for each pair. */
  process<Out = never>(
    uid: string,
    join: IntervalJoinFunction<Left, Right, Out>,
  ): OperatorStream<Out> {
    const { lateLeft, lateRight, ...interval } = this.#options;
    const { builder, keyOf, upstreams } = this.#left;
    const operator = builder.add(
      uidOf(uid),
      {
        kind: 'intervalJoin',
        keyOf1: keyOf,
        keyOf2: this.#right.keyOf,
        interval,
        lateOutputs: {
          left: lateLeft?.sideOutput ?? null,
          right: lateRight?.sideOutput ?? null,
        },
        join: erase(join),
      },
      [upstreams, this.#right.upstreams],
    );
    return new OperatorStream(builder, operator);
  }
}

/** How the windows of a join are cut and fired. */
interface JoinWindow {
  readonly assigner: WindowAssigner;
  readonly trigger: Trigger | null;
  readonly allowedLatenessMs: number;
}

/** Two keyed streams that meet in windows; the last method makes the operator. */
export class WindowJoinedStreams<Left, Right, K extends Key> {
  readonly #left: KeyedStream<Left, K>;
  readonly #right: KeyedStream<Right, K>;
  readonly #window: JoinWindow;

  /** Made by `left.windowJoin(right, ...)`. */
  constructor(left: KeyedStream<Left, K>, right: KeyedStream<Right, K>, window: JoinWindow) {
    this.#left = left;
    this.#right = right;
    this.#window = window;
  }

  /** Fires by another rule than the end of the window. Replaces the window's own. */
  trigger<S extends StateDescriptors>(
    trigger: Trigger<Left | Right, S>,
  ): WindowJoinedStreams<Left, Right, K> {
    const window = { ...this.#window, trigger: erase<Trigger>(trigger) };
    return new WindowJoinedStreams(this.#left, this.#right, window);
  }

  /** How long after its end a window still takes records, and fires again. Default 0. */
  allowedLatenessMs(allowedLatenessMs: number): WindowJoinedStreams<Left, Right, K> {
    return new WindowJoinedStreams(this.#left, this.#right, {
      ...this.#window,
      allowedLatenessMs,
    });
  }

  /** One result per pair of one window; none without a partner. @throws InvalidWindowError */
  join<Out>(uid: string, join: (left: Left, right: Right) => Out): OperatorStream<Out> {
    return this.#operator(uid, { kind: 'join', join: erase(join) });
  }

  /** Both sides of each window at once; either may be empty. @throws InvalidWindowError */
  coGroup<Out = never>(
    uid: string,
    coGroup: CoGroupFunction<K, Left, Right, Out>,
  ): OperatorStream<Out> {
    return this.#operator(uid, { kind: 'coGroup', coGroup: erase(coGroup) });
  }

  #operator<Out>(uid: string, body: WindowJoinBody): OperatorStream<Out> {
    const { assigner, trigger, allowedLatenessMs } = this.#window;
    checkWindow({ assigner, trigger, allowedLatenessMs, contentsMerge: true });
    const { builder, keyOf: keyOf1, upstreams } = this.#left;
    const { keyOf: keyOf2, upstreams: upstreams2 } = this.#right;
    const operator = builder.add(
      uidOf(uid),
      { kind: 'windowJoin', keyOf1, keyOf2, assigner, trigger, allowedLatenessMs, body },
      [upstreams, upstreams2],
    );
    return new OperatorStream(builder, operator);
  }
}
