import { sideOutput, type } from '../../../packages/core/src/function/process-function.ts';
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
  outItem,
} from '../operator-case.ts';
import { assignerOf } from './window.ts';

/** Pairs of records whose times are near enough. */
export const intervalJoinKind: CaseKind = {
  name: 'intervalJoin',
  variants: (testCase) => operatorVariants(testCase, () => intervalJoinRun(testCase.job)),
};

/** Pairs, or both sides, of one window. */
export const windowJoinKind: CaseKind = {
  name: 'windowJoin',
  variants: (testCase) => operatorVariants(testCase, () => windowJoinRun(testCase.job)),
};

interface Pair {
  readonly key: string;
  readonly value: unknown;
  readonly leftTs?: number;
  readonly rightTs?: number;
}

const LATE_LEFT = sideOutput<CaseRecord>('lateLeft');
const LATE_RIGHT = sideOutput<CaseRecord>('lateRight');

function intervalJoinRun(job: Data): OperatorRun {
  const join = dataOf(job.intervalJoin);
  const bounds = ['lowerMs', 'upperMs', 'lowerInclusive', 'upperInclusive', 'lateOutput'];
  onlyKnown(join, 'intervalJoin', ...bounds);
  const inclusive = (name: string): Record<string, boolean> =>
    join[name] === undefined ? {} : { [name]: join[name] === true };
  return {
    define(flow) {
      const left = flow.from('left', neverReadSource()).keyBy((record) => record.key);
      const right = flow.from('right', neverReadSource()).keyBy((record) => record.key);
      const late = join.lateOutput === true ? { lateLeft: LATE_LEFT, lateRight: LATE_RIGHT } : {};
      const joined = left.intervalJoin(right, {
        lowerMs: numberOf(join.lowerMs),
        upperMs: numberOf(join.upperMs),
        ...inclusive('lowerInclusive'),
        ...inclusive('upperInclusive'),
        ...late,
      });
      const pairs = joined.process(OPERATOR, {
        output: type<Pair>(),
        onPair(one, other, { leftTimestampMs, rightTimestampMs, emit }) {
          const value = `${one.value}-${other.value}`;
          emit({ key: one.key, value, leftTs: leftTimestampMs, rightTs: rightTimestampMs });
        },
      });
      return [pairs];
    },
    itemOf(output) {
      if (output.side === null) return [outItem(output)];
      const late = { ...dataOf(output.value), ts: textOfTimestamp(output.timestampMs) };
      return [{ [output.side]: late }];
    },
  };
}

function windowJoinRun(job: Data): OperatorRun {
  const join = dataOf(job.windowJoin);
  onlyKnown(join, 'windowJoin', 'kind', 'window', 'latenessMs');
  return {
    define(flow) {
      const left = flow.from('left', neverReadSource()).keyBy((record) => record.key);
      const right = flow.from('right', neverReadSource()).keyBy((record) => record.key);
      const joined = left
        .windowJoin(right, assignerOf(dataOf(join.window)))
        .allowedLatenessMs(numberOf(join.latenessMs ?? 0));
      if (join.kind === 'join') {
        const pair = ({ key, value }: CaseRecord, other: CaseRecord): Pair => ({
          key,
          value: `${value}-${other.value}`,
        });
        return [joined.join(OPERATOR, pair)];
      }
      if (join.kind === 'coGroup') {
        const groups = joined.coGroup(OPERATOR, {
          output: type<Pair>(),
          onWindow(ones, others, { key, emit }) {
            const valuesOf = (records: readonly CaseRecord[]) => records.map(({ value }) => value);
            emit({ key, value: { left: valuesOf(ones), right: valuesOf(others) } });
          },
        });
        return [groups];
      }
      return notSupported(`windowJoin ${String(join.kind)}`);
    },
  };
}
