import type { Attempt, StreamElement } from '../../element/element.ts';
import type { KeyGroupRange } from '../../element/key-group.ts';
import type { SubtaskId } from '../../protocol/messages.ts';
import { LocalChannel } from './channel.ts';

/** A channel, as whoever watches it wants to know it. */
export interface ChannelInfo {
  readonly attempt: Attempt;
  readonly from: SubtaskId;
  readonly to: SubtaskId;
  /** 0, or 1 for the second input of a two-input operator. */
  readonly input: number;
  /** Behind `keyBy`: the key groups of the receiver; else null. */
  readonly keyGroups: KeyGroupRange | null;
}

/** Asked once per channel of an attempt; what it returns sees each element as it is sent. */
export type ChannelObserver = (channel: ChannelInfo) => (element: StreamElement) => void;

/** A channel that somebody watches, for tests: what the watcher throws fails the sender. */
export class ObservedChannel extends LocalChannel {
  readonly #observe: (element: StreamElement) => void;

  constructor(capacity: number, observe: (element: StreamElement) => void) {
    super(capacity);
    this.#observe = observe;
  }

  override send(element: StreamElement): void {
    this.#observe(element);
    super.send(element);
  }
}
