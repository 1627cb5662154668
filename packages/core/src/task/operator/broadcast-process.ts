import type { OperatorSpec } from '../../graph/operator-spec.ts';
import type { BroadcastState, ReadonlyBroadcastState } from '../../state/operator-state.ts';
import { RecordContext } from './function-context.ts';
import type { Operator, OperatorContext } from './operator.ts';
import { ReadOnlyBroadcast } from './read-only-broadcast.ts';
import { refuseResult } from './refuse-result.ts';

type Spec = OperatorSpec & { kind: 'broadcastProcess' };

/** Runs a `BroadcastProcessFunction`: input 0 sees the rules, input 1 changes them. */
export function createBroadcastProcess(spec: Spec): Operator {
  return new BroadcastProcessOperator(spec);
}

class BroadcastContext<B extends ReadonlyBroadcastState<unknown, unknown>> extends RecordContext {
  readonly broadcast: B;

  constructor(context: OperatorContext, broadcast: B) {
    super(context);
    this.broadcast = broadcast;
  }
}

class BroadcastProcessOperator implements Operator {
  readonly #spec: Spec;
  #uid = '';
  #recordCall!: BroadcastContext<ReadOnlyBroadcast>;
  #broadcastCall!: BroadcastContext<BroadcastState<unknown, unknown>>;

  constructor(spec: Spec) {
    this.#spec = spec;
  }

  open(context: OperatorContext): void {
    this.#uid = context.operatorUid;
    const state = context.operatorState.broadcast<unknown, unknown>(this.#spec.stateName);
    this.#recordCall = new BroadcastContext(context, new ReadOnlyBroadcast(state));
    this.#broadcastCall = new BroadcastContext(context, state);
  }

  process(value: unknown, timestampMs: number): void {
    this.#recordCall.timestampMs = timestampMs;
    const result: unknown = this.#spec.process.onRecord(value, this.#recordCall);
    if (result !== undefined) refuseResult(result, this.#uid);
  }

  process2(value: unknown, timestampMs: number): void {
    this.#broadcastCall.timestampMs = timestampMs;
    const result: unknown = this.#spec.process.onBroadcast(value, this.#broadcastCall);
    if (result !== undefined) refuseResult(result, this.#uid);
  }

  onWatermark(timeMs: number): boolean {
    this.#recordCall.watermarkMs = timeMs;
    this.#broadcastCall.watermarkMs = timeMs;
    return true;
  }

  close(): void {}
}
