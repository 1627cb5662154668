import type { Key } from '../element/key.ts';
import type { KeyedCoProcessFunction } from '../function/process-function.ts';
import type { StateDescriptors } from '../state/descriptors.ts';
import { OperatorStream, uidOf } from './data-stream.ts';
import type { KeyedStream } from './keyed-stream.ts';
import { erase } from './type-erasure.ts';

/** Two keyed streams that meet in one operator: records of one key see the same state. */
export class ConnectedStreams<T1, T2, K extends Key> {
  readonly #first: KeyedStream<T1, K>;
  readonly #second: KeyedStream<T2, K>;

  /** Made by `keyed.connect(other)`. */
  constructor(first: KeyedStream<T1, K>, second: KeyedStream<T2, K>) {
    this.#first = first;
    this.#second = second;
  }

  /** `onRecord1` gets the records of the first stream, `onRecord2` those of the second. */
  process<Out = never, S extends StateDescriptors = {}>(
    uid: string,
    process: KeyedCoProcessFunction<K, T1, T2, Out, S>,
  ): OperatorStream<Out> {
    const { builder, keyOf: keyOf1, upstreams } = this.#first;
    const { keyOf: keyOf2, upstreams: upstreams2 } = this.#second;
    const operator = builder.add(
      uidOf(uid),
      { kind: 'keyedCoProcess', keyOf1, keyOf2, process: erase(process) },
      [upstreams, upstreams2],
    );
    return new OperatorStream(builder, operator);
  }
}
