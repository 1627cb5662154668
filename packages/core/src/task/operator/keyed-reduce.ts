import type { OperatorSpec } from '../../graph/operator-spec.ts';
import type { ValueState } from '../../state/descriptors.ts';
import { value as valueState } from '../../state/descriptors.ts';
import type { KeyedStateStore } from '../../state/keyed-state-store.ts';
import type { Operator, OperatorContext } from './operator.ts';
import { refuseResult } from './refuse-result.ts';

type Spec = OperatorSpec & { kind: 'keyedReduce' };

/** Emits the reduction of all records of a key so far, for every record, with its timestamp. */
export function createKeyedReduce(spec: Spec): Operator {
  return new KeyedReduceOperator(spec);
}

class KeyedReduceOperator implements Operator {
  readonly #spec: Spec;
  #context!: OperatorContext;
  #store!: KeyedStateStore;
  #reduced!: ValueState<unknown>;

  constructor(spec: Spec) {
    this.#spec = spec;
  }

  open(context: OperatorContext): void {
    this.#context = context;
    this.#store = context.keyed;
    this.#reduced = this.#store.states({ reduced: valueState<unknown>(undefined) }).reduced;
  }

  process(value: unknown, timestampMs: number): void {
    this.#store.setCurrentKey(this.#spec.keyOf(value));
    const before: unknown = this.#reduced.get();
    const after = before === undefined ? value : this.#spec.reduce(before, value);
    refuseResult(after, this.#context.operatorUid);
    this.#reduced.set(after);
    this.#context.output.emit(after, timestampMs);
  }

  close(): void {}
}
