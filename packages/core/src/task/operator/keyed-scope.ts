import type { Key } from '../../element/key.ts';
import { NO_TIMESTAMP } from '../../element/time.ts';
import type { StateDescriptors, StateHandles } from '../../state/descriptors.ts';
import type { KeyedStateStore } from '../../state/keyed-state-store.ts';
import { openTimerService } from '../timer/open-timer-service.ts';
import type { FireTimer, TimerService } from '../timer/timer-service.ts';
import type { KeyedRecordContext } from './keyed-context.ts';
import type { OperatorContext } from './operator.ts';
import { refuseResult } from './refuse-result.ts';

/** Tables of the timers that user functions register. */
const TIMER_TABLES = 'timers';

/** A user function for timers; called with the context set to the timer. */
type OnTimer<Call> = (timeMs: number, call: Call) => unknown;

/** Makes the context of the calls out of state and timers. */
type MakeCall<Call> = (state: StateHandles<StateDescriptors>, timers: TimerService) => Call;

/**
 * What the keyed function operators have in common: state, timers and the context of the calls.
 *
 * C1. The store's current key, `call.key` and `call.timestampMs` are those of the record or timer
 *     in hand, whenever user code runs.
 */
export class KeyedScope<Call extends KeyedRecordContext = KeyedRecordContext> {
  readonly call: Call;
  readonly #store: KeyedStateStore;
  readonly #timers: TimerService;
  readonly #shouldYield: () => boolean;
  readonly #fireEvent: FireTimer;
  readonly #fireProcessing: FireTimer;

  /** Declares the states of the function and its timers; takes in what was restored. */
  constructor(
    context: OperatorContext,
    descriptors: StateDescriptors | undefined,
    onTimer: OnTimer<Call> | null,
    makeCall: MakeCall<Call>,
  ) {
    this.#store = context.keyed;
    const state = this.#store.states(descriptors ?? {});
    this.#timers = openTimerService(this.#store, TIMER_TABLES, context);
    this.#shouldYield = () => context.shouldYield();
    const call = makeCall(state, this.#timers);
    this.call = call;
    const fire = (domain: 'event' | 'processing'): FireTimer => {
      return (timeMs, key) => {
        if (onTimer === null) return;
        call.key = key;
        call.domain = domain;
        call.timestampMs = domain === 'event' ? timeMs : NO_TIMESTAMP;
        const result = onTimer(timeMs, call);
        if (result !== undefined) refuseResult(result, context.operatorUid);
      };
    };
    this.#fireEvent = fire('event');
    this.#fireProcessing = fire('processing');
  }

  /**
   * Sets everything to a record (C1).
   *
   * @throws InvalidKeyError
   */
  enter(key: Key, timestampMs: number): Call {
    this.#store.setCurrentKey(key);
    const call = this.call;
    call.key = key;
    call.timestampMs = timestampMs;
    return call;
  }

  /** See `Operator.onWatermark`. */
  onWatermark(timeMs: number): boolean {
    this.call.watermarkMs = timeMs;
    return this.#timers.advanceEventTime(timeMs, this.#fireEvent, this.#shouldYield);
  }

  /** See `Operator.onProcessingTime`. */
  onProcessingTime(nowMs: number): boolean {
    return this.#timers.advanceProcessingTime(nowMs, this.#fireProcessing, this.#shouldYield);
  }
}
