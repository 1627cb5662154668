import type { OperatorSpec } from '../../graph/operator-spec.ts';
import type { OperatorListState } from '../../state/operator-state.ts';
import { NO_TIMESTAMP } from '../../element/time.ts';
import { RecordContext } from './function-context.ts';
import type { Operator, OperatorContext } from './operator.ts';
import { refuseResult } from './refuse-result.ts';

type Spec = OperatorSpec & { kind: 'process' };

/** Runs a `ProcessFunction`: no key, lists of the operator. */
export function createProcess(spec: Spec): Operator {
  return new ProcessOperator(spec);
}

class ListContext extends RecordContext {
  readonly lists: Readonly<Record<string, OperatorListState<unknown>>>;

  constructor(
    context: OperatorContext,
    lists: Readonly<Record<string, OperatorListState<unknown>>>,
  ) {
    super(context);
    this.lists = lists;
  }
}

class ProcessOperator implements Operator {
  readonly #spec: Spec;
  #uid = '';
  #call!: ListContext;

  constructor(spec: Spec) {
    this.#spec = spec;
  }

  open(context: OperatorContext): void {
    const { process } = this.#spec;
    this.#uid = context.operatorUid;
    const lists = Object.fromEntries(
      Object.entries(process.operatorState ?? {}).map(([name, { redistribution }]) => [
        name,
        context.operatorState.list<unknown>(name, redistribution),
      ]),
    );
    this.#call = new ListContext(context, lists);
    refuseResult(process.open?.(this.#call), this.#uid);
  }

  process(value: unknown, timestampMs: number): void {
    const call = this.#call;
    call.timestampMs = timestampMs;
    const result: unknown = this.#spec.process.onRecord(value, call);
    if (result !== undefined) refuseResult(result, this.#uid);
  }

  onWatermark(timeMs: number): boolean {
    this.#call.watermarkMs = timeMs;
    return true;
  }

  finish(): boolean {
    this.#call.timestampMs = NO_TIMESTAMP;
    refuseResult(this.#spec.process.onEnd?.(this.#call), this.#uid);
    return true;
  }

  close(): void {}
}
