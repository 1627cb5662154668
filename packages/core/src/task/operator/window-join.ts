import type { OperatorSpec, WindowJoinBody } from '../../graph/operator-spec.ts';
import { type SidedRecord, windowSpecOfJoin } from '../../graph/window-join-spec.ts';
import { createWindowOperator } from '../window/window-operator.ts';
import type { Operator, OperatorContext } from './operator.ts';
import { refuseResult } from './refuse-result.ts';

type Spec = OperatorSpec & { kind: 'windowJoin' };

/**
 * Joins or co-groups two keyed streams by key and window.
 *
 * @throws InvalidWindowError if the window cannot work
 */
export function createWindowJoin(spec: Spec): Operator {
  return new WindowJoinOperator(spec);
}

/** A window operator with a second way in. */
class WindowJoinOperator implements Operator {
  readonly #window: Operator;
  #uid = '';

  constructor(spec: Spec) {
    const body = synchronousBody(spec.body, () => this.#uid);
    this.#window = createWindowOperator(windowSpecOfJoin({ ...spec, body }));
  }

  open(context: OperatorContext): void {
    this.#uid = context.operatorUid;
    this.#window.open(context);
  }

  process(value: unknown, timestampMs: number): void {
    const record: SidedRecord = [0, value];
    this.#window.process(record, timestampMs);
  }

  process2(value: unknown, timestampMs: number): void {
    const record: SidedRecord = [1, value];
    this.#window.process(record, timestampMs);
  }

  onWatermark(timeMs: number): boolean {
    return this.#window.onWatermark?.(timeMs) ?? true;
  }

  onProcessingTime(nowMs: number): boolean {
    return this.#window.onProcessingTime?.(nowMs) ?? true;
  }

  finish(): boolean {
    return this.#window.finish?.() ?? true;
  }

  snapshot(checkpointId: number): void {
    this.#window.snapshot?.(checkpointId);
  }

  close(): Promise<void> | void {
    return this.#window.close();
  }
}

function synchronousBody(body: WindowJoinBody, uid: () => string): WindowJoinBody {
  if (body.kind === 'coGroup') {
    const { coGroup } = body;
    return {
      kind: 'coGroup',
      coGroup: {
        onWindow: (left, right, context) =>
          refuseResult(coGroup.onWindow(left, right, context), uid()),
      },
    };
  }
  return {
    kind: 'join',
    join(left, right) {
      const joined = body.join(left, right);
      refuseResult(joined, uid());
      return joined;
    },
  };
}
