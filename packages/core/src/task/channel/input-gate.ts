import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/environment.ts';
import type { Batch } from '../../element/batch.ts';
import type {
  Attempt,
  CheckpointBarrier,
  CheckpointId,
  CheckpointMode,
  StreamElement,
} from '../../element/element.ts';
import { type AlignerDecision, BarrierAligner } from '../barrier/barrier-aligner.ts';
import { type ValveOutput, WatermarkValve } from '../barrier/watermark-valve.ts';
import type { LocalChannel } from './channel.ts';

/** What a task is to be given next. */
export type GateEvent =
  | { readonly kind: 'batch'; readonly input: number; readonly batch: Batch }
  | { readonly kind: 'watermark'; readonly input: number; readonly timeMs: number }
  | { readonly kind: 'idle'; readonly input: number; readonly idle: boolean }
  | { readonly kind: 'endInput'; readonly input: number }
  | {
      readonly kind: 'aligned';
      readonly barrier: CheckpointBarrier;
      readonly alignmentMs: number;
    }
  | { readonly kind: 'aborted'; readonly checkpointId: CheckpointId; readonly reason: string }
  | { readonly kind: 'nothing' };

/** A channel and the input (0 or 1) that it belongs to. */
export interface GateChannel {
  readonly input: number;
  readonly channel: LocalChannel;
}

interface GateInput {
  readonly valve: WatermarkValve;
  liveChannels: number;
}

const NOTHING: GateEvent = { kind: 'nothing' };

/**
 * All channels of a task: takes elements from them in turn, merges watermarks per input, holds
 * channels back for barriers, and says what the task is to be given.
 *
 * I1. Elements of one channel come out in order; channels take turns.
 * I2. The watermark of an input comes out before its end.
 */
export class InputGate {
  readonly attempt: Attempt;
  readonly #channels: readonly GateChannel[];
  /** Index of each channel among those of its input. */
  readonly #placeInInput: readonly number[];
  readonly #inputs: readonly GateInput[];
  readonly #aligner: BarrierAligner;
  readonly #clock: Clock;
  #ready: GateEvent[] = [];
  #turn = 0;

  constructor(
    channels: readonly GateChannel[],
    mode: CheckpointMode,
    attempt: Attempt,
    clock: Clock,
  ) {
    assert(channels.length > 0, 'a gate has a channel');
    this.attempt = attempt;
    this.#channels = channels;
    this.#clock = clock;
    this.#aligner = new BarrierAligner(channels.length, mode);
    const counts = [0, 0];
    this.#placeInInput = channels.map(({ input }) => counts[input]!++);
    this.#inputs = counts
      .filter((count) => count > 0)
      .map((count) => ({ valve: new WatermarkValve(count), liveChannels: count }));
  }

  /** The next event; undefined if every channel is empty or held back. Cost: O(channels). */
  next(): GateEvent | undefined {
    const waiting = this.#ready.shift();
    if (waiting !== undefined) return waiting;
    for (let tried = 0; tried < this.#channels.length; tried++) {
      const index = this.#turn;
      this.#turn = index + 1 === this.#channels.length ? 0 : index + 1;
      if (this.#aligner.isBlocked(index)) continue;
      const element = this.#channels[index]!.channel.take();
      if (element === undefined) continue;
      this.#handle(index, element);
      return this.#ready.shift() ?? NOTHING;
    }
    return undefined;
  }

  /** The coordinator gave a checkpoint up. */
  abort(checkpointId: CheckpointId): void {
    this.#decide(this.#aligner.onAborted(checkpointId));
  }

  #handle(index: number, element: StreamElement): void {
    const { input } = this.#channels[index]!;
    const { valve } = this.#inputs[input]!;
    const place = this.#placeInInput[index]!;
    switch (element.kind) {
      case 'batch':
        this.#ready.push({ kind: 'batch', input, batch: element.batch });
        break;
      case 'watermark':
        this.#merge(input, valve.onWatermark(place, element.timeMs));
        break;
      case 'watermarkStatus':
        this.#merge(input, valve.onStatus(place, element.idle));
        break;
      case 'barrier':
        this.#decide(this.#aligner.onBarrier(index, element.barrier, this.#clock.monotonicMs()));
        break;
      case 'cancelBarrier':
        this.#decide(this.#aligner.onCancel(element.checkpointId));
        break;
      case 'endOfInput':
        this.#end(index, input);
        break;
    }
  }

  // A barrier that this end completes comes after the end: nothing was sent in between.
  #end(index: number, input: number): void {
    const state = this.#inputs[input]!;
    state.liveChannels--;
    if (state.liveChannels === 0) this.#ready.push({ kind: 'endInput', input });
    this.#decide(this.#aligner.onEndOfInput(index, this.#clock.monotonicMs()));
  }

  #merge(input: number, outputs: readonly ValveOutput[]): void {
    for (const output of outputs) {
      this.#ready.push(
        output.kind === 'watermark'
          ? { kind: 'watermark', input, timeMs: output.timeMs }
          : { kind: 'idle', input, idle: output.idle },
      );
    }
  }

  #decide(decisions: readonly AlignerDecision[]): void {
    for (const decision of decisions) {
      this.#ready.push(
        decision.kind === 'checkpoint'
          ? { kind: 'aligned', barrier: decision.barrier, alignmentMs: decision.alignmentMs }
          : {
              kind: 'aborted',
              checkpointId: decision.checkpointId,
              reason: `barrier ${decision.reason}`,
            },
      );
    }
  }
}
