import { assert } from '../../base/assert.ts';
import { MIN_WATERMARK } from '../../element/time.ts';

/** What a valve lets through; a stream element, ready to be handled. */
export type ValveOutput =
  | { readonly kind: 'watermark'; readonly timeMs: number }
  | { readonly kind: 'watermarkStatus'; readonly idle: boolean };

const NOTHING: readonly ValveOutput[] = [];

interface ChannelTime {
  timeMs: number;
  isIdle: boolean;
  /** Counts for the minimum: active, and not behind what is already out. */
  isAligned: boolean;
}

// One channel, as the valve sees it:
//
//                      idle
//      +-----------+ -------> +------+
//      |  aligned  |          | idle |  its watermarks are ignored
//      +-----------+ <------- +------+
//           ^       active and      |
//  caught   |      not behind       | active, but behind the output
//   up      |                       v
//      +---------------------------------+
//      | behind: left out of the minimum |
//      +---------------------------------+

/**
 * Merges watermarks and idleness of all channels of one input into one sequence.
 *
 * V1. The output never goes back.
 * V2. The output is the minimum over the aligned channels; a channel that has said nothing is at
 *     the minimum of time, so nothing comes out before every active channel has spoken.
 * V3. An idle channel holds nothing back; one that returns behind the output is left out until it
 *     has caught up, for otherwise V1 would stop the others.
 * V4. The output is idle exactly while all channels are. When the last channel goes idle and it was
 *     the one that held the minimum, the greatest watermark of all comes out first: nothing that is
 *     still to come before it can be known of.
 *
 * The end of a channel is the watermark `MAX_WATERMARK` on it. Not part of a snapshot.
 * Source: Flink's StatusWatermarkValve.
 */
export class WatermarkValve {
  readonly #channels: readonly ChannelTime[];
  #outputMs = MIN_WATERMARK;
  #isIdle = false;

  /** @param channelCount 1 or more; all channels begin active and without a watermark */
  constructor(channelCount: number) {
    assert(channelCount > 0, 'a valve has a channel');
    this.#channels = Array.from({ length: channelCount }, () => ({
      timeMs: MIN_WATERMARK,
      isIdle: false,
      isAligned: true,
    }));
  }

  /** The last watermark let through; `MIN_WATERMARK` before the first. */
  get outputMs(): number {
    return this.#outputMs;
  }

  /** Whether all channels are idle. */
  get isIdle(): boolean {
    return this.#isIdle;
  }

  /**
   * Takes in a watermark. One that is not above the channel's last, or on an idle channel, changes
   * nothing. Cost: O(channels).
   */
  onWatermark(channelIndex: number, timeMs: number): readonly ValveOutput[] {
    const channel = this.#channels[channelIndex]!;
    if (channel.isIdle || timeMs <= channel.timeMs) return NOTHING;
    channel.timeMs = timeMs;
    if (timeMs >= this.#outputMs) channel.isAligned = true;
    return this.#advanceTo(this.#minimum());
  }

  /** Takes in a change between idle and active; a repeated one changes nothing. O(channels). */
  onStatus(channelIndex: number, idle: boolean): readonly ValveOutput[] {
    const channel = this.#channels[channelIndex]!;
    if (channel.isIdle === idle) return NOTHING;
    channel.isIdle = idle;
    return idle ? this.#onIdle(channel) : this.#onActive(channel);
  }

  #onIdle(channel: ChannelTime): readonly ValveOutput[] {
    channel.isAligned = false;
    const heldBack = channel.timeMs === this.#outputMs;
    if (this.#channels.some((other) => !other.isIdle)) {
      return heldBack ? this.#advanceTo(this.#minimum()) : NOTHING;
    }
    const flushed = heldBack ? this.#advanceTo(this.#maximum()) : NOTHING; // V4
    this.#isIdle = true;
    return [...flushed, { kind: 'watermarkStatus', idle: true }];
  }

  #onActive(channel: ChannelTime): readonly ValveOutput[] {
    channel.isAligned = channel.timeMs >= this.#outputMs; // V3
    if (!this.#isIdle) return NOTHING;
    this.#isIdle = false;
    return [{ kind: 'watermarkStatus', idle: false }];
  }

  #minimum(): number {
    let minimum = Number.POSITIVE_INFINITY;
    let found = false;
    for (const channel of this.#channels) {
      if (!channel.isAligned) continue;
      found = true;
      if (channel.timeMs < minimum) minimum = channel.timeMs;
    }
    return found ? minimum : MIN_WATERMARK;
  }

  #maximum(): number {
    return this.#channels.reduce((most, { timeMs }) => Math.max(most, timeMs), MIN_WATERMARK);
  }

  #advanceTo(timeMs: number): readonly ValveOutput[] {
    if (timeMs <= this.#outputMs) return NOTHING; // V1
    this.#outputMs = timeMs;
    return [{ kind: 'watermark', timeMs }];
  }
}
