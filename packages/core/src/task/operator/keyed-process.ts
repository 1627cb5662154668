import type { Key } from '../../element/key.ts';
import type { KeyedProcessFunction } from '../../function/process-function.ts';
import type { KeySelector, OperatorSpec } from '../../graph/operator-spec.ts';
import type { StateDescriptors } from '../../state/descriptors.ts';
import { KeyedRecordContext } from './keyed-context.ts';
import { KeyedScope } from './keyed-scope.ts';
import type { LoopRecord, LoopWriter } from './loop-writer.ts';
import type { Operator, OperatorContext } from './operator.ts';
import { refuseResult } from './refuse-result.ts';

type Process = KeyedProcessFunction<Key, unknown, unknown, StateDescriptors>;

/** Runs a `KeyedProcessFunction`: state and timers per key. */
export function createKeyedProcess(spec: OperatorSpec & { kind: 'keyedProcess' }): Operator {
  return new KeyedProcessOperator(spec.keyOf, spec.process);
}

class KeyedProcessOperator implements Operator {
  readonly #keyOf: KeySelector;
  readonly #process: Process;
  #uid = '';
  #scope!: KeyedScope;

  constructor(keyOf: KeySelector, process: Process) {
    this.#keyOf = keyOf;
    this.#process = process;
  }

  open(context: OperatorContext): void {
    const process = this.#process;
    this.#uid = context.operatorUid;
    this.#scope = new KeyedScope(
      context,
      process.state,
      process.onTimer === undefined ? null : (timeMs, call) => process.onTimer?.(timeMs, call),
      (state, timers) => new KeyedRecordContext(context, state, timers),
    );
  }

  process(value: unknown, timestampMs: number): void {
    const call = this.#scope.enter(this.#keyOf(value), timestampMs);
    const result: unknown = this.#process.onRecord(value, call);
    if (result !== undefined) this.refuse(result);
  }

  inline(loop: LoopWriter, { value, time }: LoopRecord): string {
    const [scope, process] = [loop.bind(this.#scope), loop.bind(this.#process)];
    const [call, result] = [loop.local(), loop.local()];
    return `const ${call} = ${scope}.enter(${loop.bind(this.#keyOf)}(${value}), ${time});
      const ${result} = ${process}.onRecord(${value}, ${call});
      if (${result} !== undefined) ${loop.bind(this)}.refuse(${result});`;
  }

  /** @throws PromiseInSyncFunctionError if it is one */
  refuse(result: unknown): void {
    refuseResult(result, this.#uid);
  }

  onWatermark(timeMs: number): boolean {
    return this.#scope.onWatermark(timeMs);
  }

  onProcessingTime(nowMs: number): boolean {
    return this.#scope.onProcessingTime(nowMs);
  }

  close(): void {}
}
