import type { Batch } from '../../element/batch.ts';
import type { WatermarkStrategy } from '../../function/watermark-strategy.ts';
import { assignTimestamp, invalidTimestamp } from './assign-timestamp.ts';

/**
 * Writes the event times of a batch into it.
 *
 * @returns the greatest; -Infinity if no record has one
 * @throws InvalidTimestampError
 */
export type AssignLoop = (batch: Batch) => number;

let serial = 0; // see generated-segment.ts

/**
 * The loop over `assignTimestamp` of one source. Generated, so that the strategy's function can be
 * inlined, and its result stays a number in a register.
 *
 * @param generateCode false: the plain loop, which is also the fallback where code is forbidden
 */
export function assignLoop(
  strategy: WatermarkStrategy<unknown>,
  generateCode: boolean,
): AssignLoop {
  if (!generateCode || strategy.timestamp === undefined) return plainLoop(strategy);
  try {
    return new Function('strategy', 'invalid', loopText())(strategy, invalidTimestamp);
  } catch (error) {
    if (error instanceof EvalError) return plainLoop(strategy);
    throw error;
  }
}

function plainLoop(strategy: WatermarkStrategy<unknown>): AssignLoop {
  return ({ values, timestamps, size }) => {
    let maxMs = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < size; i++) {
      const timestampMs = assignTimestamp(strategy, values[i], timestamps[i]!);
      timestamps[i] = timestampMs;
      if (timestampMs > maxMs) maxMs = timestampMs;
    }
    return maxMs;
  };
}

function loopText(): string {
  return `// ${serial++}
'use strict';
return function assign(batch) {
  const values = batch.values, timestamps = batch.timestamps, size = batch.size;
  let max = -Infinity;
  for (let i = 0; i < size; i++) {
    const t = strategy.timestamp(values[i], timestamps[i]);
    if (typeof t !== 'number' || t !== t) throw invalid(t);
    timestamps[i] = t;
    if (t > max) max = t;
  }
  return max;
}`;
}
