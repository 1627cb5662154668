import type { Key } from '../../element/key.ts';
import type { OperatorSpec } from '../../graph/operator-spec.ts';
import type { StateDescriptors, StateHandles } from '../../state/descriptors.ts';
import type { KeyedStateStore } from '../../state/keyed-state-store.ts';
import type { BroadcastState } from '../../state/operator-state.ts';
import type { TimerService } from '../timer/timer-service.ts';
import { RecordContext } from './function-context.ts';
import { KeyedRecordContext } from './keyed-context.ts';
import { KeyedScope } from './keyed-scope.ts';
import type { Operator, OperatorContext } from './operator.ts';
import { ReadOnlyBroadcast } from './read-only-broadcast.ts';
import { refuseResult } from './refuse-result.ts';

type Spec = OperatorSpec & { kind: 'keyedBroadcastProcess' };

/**
 * Runs a `KeyedBroadcastProcessFunction`: input 0 is keyed and sees the rules, input 1 changes
 * them.
 *
 * No key is current while the broadcast side runs, so that touching keyed state there, or a timer,
 * fails always. (Flink fails only before the first keyed record, and later silently takes the key
 * of the last one.)
 */
export function createKeyedBroadcastProcess(spec: Spec): Operator {
  return new KeyedBroadcastProcessOperator(spec);
}

class KeyedSideContext extends KeyedRecordContext {
  readonly broadcast: ReadOnlyBroadcast;

  constructor(
    context: OperatorContext,
    state: StateHandles<StateDescriptors>,
    timers: TimerService,
    broadcast: ReadOnlyBroadcast,
  ) {
    super(context, state, timers);
    this.broadcast = broadcast;
  }
}

class BroadcastSideContext extends RecordContext {
  readonly broadcast: BroadcastState<unknown, unknown>;
  readonly applyToKeys: (stateName: string, visit: (key: Key, state: unknown) => void) => void;

  constructor(
    context: OperatorContext,
    broadcast: BroadcastState<unknown, unknown>,
    state: StateHandles<StateDescriptors>,
  ) {
    super(context);
    const store = context.keyed;
    this.broadcast = broadcast;
    this.applyToKeys = (stateName, visit) => {
      const handle = state[stateName];
      store.forEachKey(stateName, (key) => {
        const result: unknown = visit(key, handle);
        if (result !== undefined) refuseResult(result, context.operatorUid);
      });
      store.clearCurrentKey();
    };
  }
}

class KeyedBroadcastProcessOperator implements Operator {
  readonly #spec: Spec;
  #uid = '';
  #store!: KeyedStateStore;
  #scope!: KeyedScope<KeyedSideContext>;
  #broadcastCall!: BroadcastSideContext;

  constructor(spec: Spec) {
    this.#spec = spec;
  }

  open(context: OperatorContext): void {
    const { process, stateName } = this.#spec;
    this.#uid = context.operatorUid;
    this.#store = context.keyed;
    const broadcast = context.operatorState.broadcast<unknown, unknown>(stateName);
    const readOnly = new ReadOnlyBroadcast(broadcast);
    this.#scope = new KeyedScope<KeyedSideContext>(
      context,
      process.state,
      process.onTimer === undefined ? null : (timeMs, call) => process.onTimer?.(timeMs, call),
      (state, timers) => new KeyedSideContext(context, state, timers, readOnly),
    );
    this.#broadcastCall = new BroadcastSideContext(context, broadcast, this.#scope.call.state);
  }

  process(value: unknown, timestampMs: number): void {
    const call = this.#scope.enter(this.#spec.keyOf(value), timestampMs);
    const result: unknown = this.#spec.process.onRecord(value, call);
    if (result !== undefined) refuseResult(result, this.#uid);
  }

  process2(value: unknown, timestampMs: number): void {
    this.#store.clearCurrentKey();
    this.#broadcastCall.timestampMs = timestampMs;
    const result: unknown = this.#spec.process.onBroadcast(value, this.#broadcastCall);
    if (result !== undefined) refuseResult(result, this.#uid);
  }

  onWatermark(timeMs: number): boolean {
    this.#broadcastCall.watermarkMs = timeMs;
    return this.#scope.onWatermark(timeMs);
  }

  onProcessingTime(nowMs: number): boolean {
    return this.#scope.onProcessingTime(nowMs);
  }

  close(): void {}
}
