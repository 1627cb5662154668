import type { OperatorSpec } from '../../graph/operator-spec.ts';
import { KeyedRecordContext } from './keyed-context.ts';
import { KeyedScope } from './keyed-scope.ts';
import type { Operator, OperatorContext } from './operator.ts';
import { refuseResult } from './refuse-result.ts';

type Spec = OperatorSpec & { kind: 'keyedCoProcess' };

/** Runs a `KeyedCoProcessFunction`: two inputs, one key, shared state and timers. */
export function createKeyedCoProcess(spec: Spec): Operator {
  return new KeyedCoProcessOperator(spec);
}

class KeyedCoProcessOperator implements Operator {
  readonly #spec: Spec;
  #uid = '';
  #scope!: KeyedScope;

  constructor(spec: Spec) {
    this.#spec = spec;
  }

  open(context: OperatorContext): void {
    const { process } = this.#spec;
    this.#uid = context.operatorUid;
    this.#scope = new KeyedScope(
      context,
      process.state,
      process.onTimer === undefined ? null : (timeMs, call) => process.onTimer?.(timeMs, call),
      (state, timers) => new KeyedRecordContext(context, state, timers),
    );
  }

  process(value: unknown, timestampMs: number): void {
    const call = this.#scope.enter(this.#spec.keyOf1(value), timestampMs);
    const result: unknown = this.#spec.process.onRecord1(value, call);
    if (result !== undefined) refuseResult(result, this.#uid);
  }

  process2(value: unknown, timestampMs: number): void {
    const call = this.#scope.enter(this.#spec.keyOf2(value), timestampMs);
    const result: unknown = this.#spec.process.onRecord2(value, call);
    if (result !== undefined) refuseResult(result, this.#uid);
  }

  onWatermark(timeMs: number): boolean {
    return this.#scope.onWatermark(timeMs);
  }

  onProcessingTime(nowMs: number): boolean {
    return this.#scope.onProcessingTime(nowMs);
  }

  close(): void {}
}
