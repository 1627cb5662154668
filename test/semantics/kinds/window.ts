import type { KeyedStream } from '../../../packages/core/src/api/keyed-stream.ts';
import { evictors } from '../../../packages/core/src/function/evictors.ts';
import { triggers } from '../../../packages/core/src/function/triggers.ts';
import {
  dynamicSession,
  globalWindow,
  session,
  sliding,
  tumbling,
} from '../../../packages/core/src/function/window-assigners.ts';
import type {
  Evictor,
  Trigger,
  WindowAssigner,
  WindowFunction,
} from '../../../packages/core/src/function/window.ts';
import { type } from '../../../packages/core/src/function/process-function.ts';
import { type StateDescriptors, value } from '../../../packages/core/src/state/descriptors.ts';
import {
  type CaseKind,
  type Data,
  dataOf,
  notSupported,
  numberOf,
  onlyKnown,
  textOfNumber,
  textOfTimestamp,
} from '../case.ts';
import {
  type CaseRecord,
  neverReadSource,
  OPERATOR,
  type OperatorRun,
  operatorVariants,
} from '../operator-case.ts';

/** Windows with triggers, evictors, lateness; sums both ways: incremental and over all records. */
export const windowKind: CaseKind = {
  name: 'window',
  variants(testCase) {
    const { job } = testCase;
    const ways = job.aggregate === 'sum' ? ['incremental', 'collected'] : ['collected'];
    return ways.flatMap((way) =>
      operatorVariants(testCase, () => windowRun(job, way === 'incremental'), {
        prefix: `${way}, `,
      }),
    );
  },
  wholeJob: ({ job }) => windowRun(job, job.aggregate === 'sum'),
};

/** The window of a case. */
export function assignerOf(window: Data): WindowAssigner<CaseRecord> {
  const { kind } = window;
  const known = [
    'kind',
    'sizeMs',
    'slideMs',
    'offsetMs',
    'gapMs',
    'time',
    'fire',
    'showWatermarks',
  ];
  onlyKnown(window, 'window', ...known);
  const time = window.time === 'processing' ? 'processing' : 'event';
  const offsetMs = numberOf(window.offsetMs ?? 0);
  switch (kind) {
    case 'tumbling':
      return tumbling(numberOf(window.sizeMs), { offsetMs, time });
    case 'sliding': {
      const { sizeMs, slideMs } = window;
      return sliding(numberOf(sizeMs), numberOf(slideMs), { offsetMs, time });
    }
    case 'session':
      return session(numberOf(window.gapMs), { time });
    case 'dynamicSession':
      return dynamicSession((record: CaseRecord) => Number(record.value), { time });
    case 'global':
      return globalWindow(window.fire === 'endOfStream' ? { fire: 'endOfStream' } : {});
    default:
      return notSupported(`window ${String(kind)}`);
  }
}

// Flink's global window has the trigger `never`; ours is refused unless it is asked for.
function needsNever(window: Data, trigger: unknown): boolean {
  return trigger === undefined && window.kind === 'global' && window.fire !== 'endOfStream';
}

function triggerOf(trigger: Data): Trigger<CaseRecord> {
  const inner = (): Trigger<CaseRecord> => triggerOf(dataOf(trigger.inner));
  switch (trigger.kind) {
    case 'eventTime':
      return triggers.eventTime();
    case 'processingTime':
      return triggers.processingTime();
    case 'count':
      return triggers.count(numberOf(trigger.count));
    case 'purging':
      return triggers.purging(inner());
    case 'continuousEventTime':
      return triggers.continuousEventTime(numberOf(trigger.intervalMs));
    case 'continuousProcessingTime':
      return triggers.continuousProcessingTime(numberOf(trigger.intervalMs));
    case 'delta':
      return triggers.delta(numberOf(trigger.threshold), distance);
    case 'timeout':
      return triggers.timeout(inner(), {
        timeoutMs: numberOf(trigger.timeoutMs),
        ...optional(trigger, 'resetOnRecord'),
        ...optional(trigger, 'clearOnTimeout'),
      });
    case 'never':
      return triggers.never();
    case 'endOfStream':
      return triggers.endOfStream();
    default:
      return notSupported(`trigger ${String(trigger.kind)}`);
  }
}

function optional(data: Data, name: string): Record<string, boolean> {
  return data[name] === undefined ? {} : { [name]: data[name] === true };
}

function distance(older: CaseRecord, newer: CaseRecord): number {
  return Number(newer.value) - Number(older.value);
}

function evictorOf(evictor: Data): Evictor<CaseRecord> {
  const options = optional(evictor, 'after');
  switch (evictor.kind) {
    case 'count':
      return evictors.count(numberOf(evictor.count), options);
    case 'time':
      return evictors.time(numberOf(evictor.ms), options);
    case 'delta':
      return evictors.delta(numberOf(evictor.threshold), distance, options);
    default:
      return notSupported(`evictor ${String(evictor.kind)}`);
  }
}

interface Firing {
  readonly key: string;
  readonly value: unknown;
  readonly windowStartMs: number;
  readonly windowEndMs: number;
}

type CollectFunction = WindowFunction<string, CaseRecord, Firing, StateDescriptors>;

const SUM = {
  create: () => 0,
  add: (sum: number, record: CaseRecord) => sum + Number(record.value),
  merge: (a: number, b: number) => a + b,
};

const COUNTERS = { firings: value(0) };

type CounterFunction = WindowFunction<string, CaseRecord, Firing, typeof COUNTERS>;

function plain(result: (records: Iterable<CaseRecord>, watermarkMs: number) => unknown) {
  const collect: CollectFunction = {
    output: type<Firing>(),
    onWindow(records, { key, window, watermarkMs, emit }) {
      const { startMs: windowStartMs, endMs: windowEndMs } = window;
      emit({ key, value: result(records, watermarkMs), windowStartMs, windowEndMs });
    },
  };
  return collect;
}

function counting(scope: 'windowState' | 'state'): CounterFunction {
  return {
    state: COUNTERS,
    output: type<Firing>(),
    onWindow(_records, context) {
      const { firings } = context[scope];
      firings.set(firings.get() + 1);
      const { startMs: windowStartMs, endMs: windowEndMs } = context.window;
      context.emit({ key: context.key, value: firings.get(), windowStartMs, windowEndMs });
    },
  };
}

const FUNCTIONS: Readonly<Record<string, CollectFunction | CounterFunction>> = {
  sum: plain((records) => [...records].reduce((sum, { value: one }) => sum + Number(one), 0)),
  list: plain((records) => [...records].map((record) => record.value)),
  watermark: plain((_records, watermarkMs) => textOfNumber(watermarkMs)),
  firing: counting('windowState'),
  globalFiring: counting('state'),
};

function windowRun(job: Data, incremental: boolean): OperatorRun {
  const known = ['trigger', 'evictor', 'latenessMs', 'lateOutput', 'aggregate', 'showWatermarks'];
  onlyKnown(job, 'job', 'window', 'maxParallelism', 'parallelism', ...known);
  const window = dataOf(job.window);
  const aggregate = String(job.aggregate);
  const windowFunction = FUNCTIONS[aggregate] ?? notSupported(`aggregate ${aggregate}`);
  return {
    droppedCounter: 'lateRecordsDropped',
    lateSide: 'late#records',
    define(flow) {
      const stream: KeyedStream<CaseRecord, string> = flow
        .from('in', neverReadSource())
        .keyBy((record) => record.key);
      let windowed = stream.window(assignerOf(window));
      const { trigger, evictor, latenessMs } = job;
      if (trigger !== undefined) windowed = windowed.trigger(triggerOf(dataOf(trigger)));
      else if (needsNever(window, trigger)) windowed = windowed.trigger(triggers.never());
      if (evictor !== undefined) windowed = windowed.evictor(evictorOf(dataOf(evictor)));
      if (latenessMs !== undefined) windowed = windowed.allowedLatenessMs(numberOf(latenessMs));
      const results = incremental
        ? windowed.aggregate(OPERATOR, SUM)
        : windowed.process(OPERATOR, windowFunction as CollectFunction);
      return job.lateOutput === true ? [results, results.late()] : [results];
    },
    itemOf({ value: result, timestampMs }) {
      const { key, value: sum, windowStartMs, windowEndMs } = result as Firing;
      if (windowEndMs === undefined) return [{ late: { key, value: sum } }];
      const bounds = Number.isFinite(windowEndMs)
        ? { windowStart: windowStartMs, windowEnd: windowEndMs }
        : {};
      return [{ out: { key, ...bounds, value: sum, ts: textOfTimestamp(timestampMs) } }];
    },
  };
}
