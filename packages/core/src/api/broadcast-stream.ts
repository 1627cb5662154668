import type { Key } from '../element/key.ts';
import type { BroadcastDescriptor } from '../function/process-function.ts';
import type { Upstream } from '../graph/stream-graph-builder.ts';

/**
 * Rules of type `B` on their way to every subtask of whatever they are connected with, where they
 * make a broadcast state: a map from `BK` to `BV`.
 */
export class BroadcastStream<B, BK extends Key, BV> {
  /** For the engine: the outputs that feed this stream. */
  readonly upstreams: readonly Upstream[];
  readonly state: BroadcastDescriptor<BK, BV>;
  /** Only for the compiler. Never set. */
  declare readonly elementType?: B;

  /** Made by `stream.broadcast(broadcastMap(...))`. */
  constructor(upstreams: readonly Upstream[], state: BroadcastDescriptor<BK, BV>) {
    this.upstreams = upstreams;
    this.state = state;
  }
}
