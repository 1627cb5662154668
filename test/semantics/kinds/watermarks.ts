import {
  BoundedOutOfOrderness,
  type WatermarkGenerator,
} from '../../../packages/core/src/function/watermark-strategy.ts';
import { monotonic } from '../../../packages/core/src/function/watermark-strategies.ts';
import {
  type ValveOutput,
  WatermarkValve,
} from '../../../packages/core/src/task/barrier/watermark-valve.ts';
import { IdlenessTimer } from '../../../packages/core/src/task/source/idleness-timer.ts';
import {
  pausedSources,
  type SourceProgress,
} from '../../../packages/core/src/task/source/watermark-alignment.ts';
import { WatermarkMerge } from '../../../packages/core/src/task/source/watermark-merge.ts';
import { MIN_WATERMARK } from '../../../packages/core/src/element/time.ts';
import {
  type CaseKind,
  type Data,
  dataOf,
  notSupported,
  numberOf,
  onlyKnown,
  textOfNumber,
  timestampOf,
} from '../case.ts';
import { stepVariant } from '../step-case.ts';

/** Watermarks and idleness of several channels of one input, merged. */
export const valveKind: CaseKind = {
  name: 'valve',
  variants: (testCase) => [
    stepVariant(testCase, () => {
      const inputs = numberOf(dataOf(testCase.job.valve).inputs);
      const valve = new WatermarkValve(inputs);
      return (step) => {
        onlyKnown(step, 'step', 'watermark', 'status', 'input');
        const all = [...new Array(inputs).keys()];
        const channels = step.input === undefined ? all : [numberOf(step.input)];
        return channels.flatMap((channel) => valveItems(valve, channel, step));
      };
    }),
  ],
};

function valveItems(valve: WatermarkValve, channel: number, step: Data): Data[] {
  const outputs =
    step.status === undefined
      ? valve.onWatermark(channel, numberOf(step.watermark))
      : valve.onStatus(channel, step.status === 'idle');
  return outputs.map((output: ValveOutput) =>
    output.kind === 'watermark'
      ? { watermark: textOfNumber(output.timeMs) }
      : { status: output.idle ? 'idle' : 'active' },
  );
}

function generatorOf({ kind, ms }: Data): WatermarkGenerator<unknown> {
  if (kind === 'boundedOutOfOrderness') return new BoundedOutOfOrderness(numberOf(ms));
  if (kind === 'monotonic') return monotonic<unknown>().createGenerator();
  return notSupported(`generator ${String(kind)}`);
}

/** A generator with its idleness; looked at by periodic ticks. */
export const generatorKind: CaseKind = {
  name: 'generator',
  variants: (testCase) => [
    stepVariant(testCase, () => {
      const options = dataOf(testCase.job.generator);
      onlyKnown(options, 'generator', 'kind', 'ms', 'idleMs');
      const generator = generatorOf(options);
      const { idleMs } = options;
      const idleness = idleMs === undefined ? null : new IdlenessTimer(numberOf(idleMs));
      let isIdle = false;
      return (step, nowMs) => {
        if (step.record !== undefined) {
          const record = dataOf(step.record);
          const punctuated = generator.onRecord(record.value, timestampOf(record));
          idleness?.onActivity();
          isIdle = false;
          return punctuated === undefined ? [] : [{ watermark: textOfNumber(punctuated) }];
        }
        if (step.periodic !== true) return notSupported(`step ${JSON.stringify(step)}`);
        if (idleness?.isIdle(nowMs)) {
          const told = isIdle;
          isIdle = true;
          return told ? [] : [{ status: 'idle' }];
        }
        return [{ watermark: textOfNumber(generator.onPeriodic()) }];
      };
    }),
  ],
};

/** The watermarks of the splits of one source, merged. */
export const splitWatermarksKind: CaseKind = {
  name: 'splitWatermarks',
  variants: (testCase) => [
    stepVariant(testCase, () => {
      const merge = new WatermarkMerge();
      let lastMs = MIN_WATERMARK;
      let lastIdle = false;
      return (step) => {
        onSplitStep(merge, step);
        const { timeMs, idle } = merge.current();
        const items: Data[] = [];
        if (timeMs > lastMs) items.push({ watermark: textOfNumber(timeMs) });
        if (idle !== lastIdle) items.push({ status: idle ? 'idle' : 'active' });
        lastMs = timeMs;
        lastIdle = idle;
        return items;
      };
    }),
  ],
};

function onSplitStep(merge: WatermarkMerge, step: Data): void {
  const { addSplit, removeSplit, split, watermark, status, deferred } = step;
  if (addSplit !== undefined) merge.addSplit(String(addSplit));
  else if (removeSplit !== undefined) merge.removeSplit(String(removeSplit));
  else if (split !== undefined && watermark !== undefined) {
    merge.advance(String(split), numberOf(watermark), deferred === true ? 'deferred' : 'now');
  } else if (split !== undefined && status !== undefined) {
    merge.setIdle(String(split), status === 'idle');
  } else if (step.periodic === true) merge.tick();
  else notSupported(`step ${JSON.stringify(step)}`);
}

/** Which sources must wait for the others. */
export const alignmentKind: CaseKind = {
  name: 'alignment',
  variants: (testCase) => [
    stepVariant(testCase, () => {
      const { maxDriftMs, sources } = dataOf(testCase.job.alignment);
      const progress = new Map<number, SourceProgress>();
      for (let source = 0; source < numberOf(sources); source++) {
        progress.set(source, { watermarkMs: MIN_WATERMARK, idle: false });
      }
      return (step) => {
        if (step.periodic === true) {
          return [{ paused: [...pausedSources(progress, numberOf(maxDriftMs))].sort() }];
        }
        const source = numberOf(step.source);
        const { watermarkMs } = progress.get(source)!;
        if (step.status !== undefined) {
          progress.set(source, { watermarkMs, idle: step.status === 'idle' });
        } else progress.set(source, { watermarkMs: numberOf(step.watermark), idle: false });
        return [];
      };
    }),
  ],
};
