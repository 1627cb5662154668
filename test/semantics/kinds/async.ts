import {
  type CaseKind,
  type Data,
  dataOf,
  notSupported,
  numberOf,
  onlyKnown,
  textOfTimestamp,
} from '../case.ts';
import {
  type CaseRecord,
  neverReadSource,
  OPERATOR,
  type OperatorRun,
  operatorVariants,
} from '../operator-case.ts';

/** Asynchronous calls; the key of a record is the id of its call. */
export const asyncKind: CaseKind = {
  name: 'async',
  variants(testCase) {
    const options = dataOf(testCase.job.async);
    // A restore starts the time of every call anew, so it cannot go unseen.
    const restarts = options.timeoutMs === undefined;
    return operatorVariants(testCase, () => asyncRun(options), { restarts });
  },
};

interface Call {
  resolve(values: readonly unknown[]): void;
  reject(error: Error): void;
}

function asyncRun(options: Data): OperatorRun {
  onlyKnown(options, 'async', 'order', 'timeoutMs', 'onTimeout', 'capacity');
  const calls = new Map<string, Call>();
  const answered = new Map<string, readonly unknown[]>();
  let invoked: string[] = [];
  let invokedBefore: string[] = [];
  const { order, timeoutMs, onTimeout, capacity } = options;
  return {
    keyOf: (record) => record.key,
    define(flow) {
      const results = flow.from('in', neverReadSource()).mapAsync(
        OPERATOR,
        (record: CaseRecord) =>
          new Promise<readonly unknown[]>((resolve, reject) => {
            invoked.push(record.key);
            calls.set(record.key, { resolve, reject });
          }),
        {
          order: order === 'unordered' ? 'unordered' : 'ordered',
          ...(timeoutMs === undefined ? {} : { timeoutMs: numberOf(timeoutMs) }),
          ...(capacity === undefined ? {} : { capacity: numberOf(capacity) }),
          ...timeoutOptions(onTimeout),
        },
      );
      return [results];
    },
    // One call gives one output here, so the lists of the cases travel whole and are opened here.
    itemOf: ({ value, timestampMs }) =>
      (value as readonly unknown[]).map((one) => ({
        out: { value: one, ts: textOfTimestamp(timestampMs) },
      })),
    async step(step, harness) {
      if (step.pending === true) return [{ invoked: [...invoked] }];
      const answer = step.complete ?? step.completeError;
      if (answer === undefined) return undefined;
      const id = String(dataOf(answer).id);
      const call = calls.get(id);
      if (step.complete !== undefined) {
        const values = dataOf(answer).values as readonly unknown[];
        answered.set(id, values);
        call?.resolve(values);
      } else call?.reject(new Error(`call ${id} failed`));
      await harness.settle();
      return [];
    },
    restoring(unseen) {
      invokedBefore = invoked;
      invoked = [];
      if (!unseen) answered.clear();
    },
    async restored(harness, unseen) {
      if (!unseen) return;
      invoked = invokedBefore;
      // What had been answered and not emitted was called again: it gets the same answer.
      for (const [id, values] of answered) calls.get(id)?.resolve(values);
      await harness.settle();
    },
  };
}

function timeoutOptions(onTimeout: unknown) {
  switch (onTimeout) {
    case undefined:
      return {};
    case 'fail':
    case 'drop':
      return { onTimeout } as const;
    case 'fallback': {
      const fallback = ({ key }: CaseRecord) => [[`fallback-${key}`]];
      return { onTimeout, fallback } as const;
    }
    default:
      return notSupported(`onTimeout ${String(onTimeout)}`);
  }
}
