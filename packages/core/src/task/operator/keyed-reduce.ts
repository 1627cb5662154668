import type { Key } from '../../element/key.ts';
import type { OperatorSpec } from '../../graph/operator-spec.ts';
import type { ValueState } from '../../state/descriptors.ts';
import { value as valueState } from '../../state/descriptors.ts';
import type { KeyedStateStore } from '../../state/keyed-state-store.ts';
import type { Operator, OperatorContext } from './operator.ts';
import type { LoopRecord, LoopWriter } from './loop-writer.ts';
import { isPromise, refuseResult } from './refuse-result.ts';

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
    const before = this.enter(this.#spec.keyOf(value));
    const after = before === undefined ? value : this.#spec.reduce(before, value);
    if (isPromise(after)) this.refuse(after);
    this.#reduced.set(after);
    this.#context.output.emit(after, timestampMs);
  }

  inline(loop: LoopWriter, { value }: LoopRecord): string {
    const { keyOf, reduce } = this.#spec;
    const [self, reduced] = [loop.bind(this), loop.bind(this.#reduced)];
    const [before, after] = [loop.local(), loop.local()];
    const changed = `${loop.bind(reduce)}(${before}, ${value})`;
    return `const ${before} = ${self}.enter(${loop.bind(keyOf)}(${value}));
      const ${after} = ${before} === undefined ? ${value} : ${changed};
      if (typeof ${after} === 'object' && ${after} !== null && 'then' in ${after}) {
        ${self}.refuse(${after});
      }
      ${reduced}.set(${after});
      ${loop.next(after)}`;
  }

  /** Makes the key current. @returns its reduction so far */
  enter(key: Key): unknown {
    this.#store.setCurrentKey(key);
    return this.#reduced.get();
  }

  /** @throws PromiseInSyncFunctionError if it is one */
  refuse(after: unknown): void {
    refuseResult(after, this.#context.operatorUid);
  }

  close(): void {}
}
