import type { Batch } from '../../element/batch.ts';
import type { StopSignal } from '../channel/record-writer.ts';
import type { Output } from '../operator/operator.ts';
import { type OperatorInput, promiseInSyncFunction } from './operator-inputs.ts';
import { PushSegment, type Segment } from './segment.ts';

/** A stateless operator that is written into the loop. */
export interface InlinedOperator {
  readonly kind: 'map' | 'filter' | 'flatMap';
  readonly uid: string;
  readonly call: Function;
  /** Its place in the chain, for counting and for attributing failures. */
  readonly input: OperatorInput;
}

/** What a generated loop does: the inlined operators in order, then one call of the last output. */
export interface SegmentPlan {
  readonly uid: string;
  readonly inlined: readonly InlinedOperator[];
  /** Called with value and timestamp: an operator, a writer, a fan-out. */
  readonly last: Output;
  /** Called after each record when operators can be full; null if none can. */
  readonly afterRecord: (() => void) | null;
}

// Functions made from the same text share their type feedback, and with it the slowest job's
// speed (5.7 against 2.1 ns per record): a serial number keeps the texts apart.
let serial = 0;

/**
 * One loop for a run of stateless operators (0.97 of a hand-written loop, 0.81 for pushing through
 * objects; docs/internals/data-path.md). Falls back to the push interpreter where generating code
 * is forbidden (`--disallow-code-generation-from-strings`).
 *
 * G1. Same results, counters and attribution of failures as `PushSegment` over the same chain.
 */
export function generateSegment(plan: SegmentPlan, signal: StopSignal, push: Output): Segment {
  const { code, names, values } = segmentCode(plan);
  try {
    const make = new Function('segment', 'signal', 'last', 'after', ...names, code);
    const segment: Segment = { uid: plan.uid, position: 0, run: unset };
    segment.run = make(segment, signal, plan.last, plan.afterRecord, ...values) as Segment['run'];
    return segment;
  } catch (error) {
    if (error instanceof EvalError)
      return new PushSegment(plan.uid, push, signal, plan.afterRecord);
    throw error;
  }
}

function unset(_batch: Batch, from: number): number {
  return from;
}

interface Code {
  readonly code: string;
  readonly names: string[];
  readonly values: unknown[];
}

function segmentCode(plan: SegmentPlan): Code {
  const { inlined } = plan;
  const names: string[] = ['promiseError'];
  const values: unknown[] = [promiseInSyncFunction];
  const hoisted: string[] = [];
  inlined.forEach((operator, i) => {
    names.push(`f${i}`, `in${i}`);
    values.push(operator.call, operator.input);
  });
  const after = plan.afterRecord === null ? '' : 'after();';
  const body = operatorCode(inlined, 0, 'v', 'continue', hoisted);
  const counters = inlined.map((_, i) => `let c${i} = 0;`).join(' ');
  const counted = inlined.map((_, i) => `in${i}.recordsIn += c${i};`).join(' ');
  const marks = inlined.map((_, i) => `if (at === ${i}) in${i}.active = true;`).join(' else ');
  const code = `// ${serial++}
'use strict';
return function run(batch, from, to) {
  const values = batch.values, timestamps = batch.timestamps;
  let i = from, at = -1, t = 0.5; ${counters}
  ${hoisted.join('\n  ')}
  try {
    for (; i < to; i++) {
      t = timestamps[i];
      const v = values[i];
      ${body}
      ${after}
      if (signal.stop) { i++; break; }
    }
  } catch (error) {
    segment.position = i;
    ${marks}
    throw error;
  } finally { ${counted} }
  return i;
}`;
  return { code, names, values };
}

// `at` names the operator in work; -1 while the rest of the chain (which marks itself) has it.
function operatorCode(
  inlined: readonly InlinedOperator[],
  at: number,
  value: string,
  skip: string,
  hoisted: string[],
): string {
  if (at === inlined.length) return `at = -1; last.emit(${value}, t);`;
  const uid = JSON.stringify(inlined[at]!.uid);
  const enter = `at = ${at}; c${at}++;`;
  switch (inlined[at]!.kind) {
    case 'map':
      return `${enter} const v${at} = f${at}(${value});
      if (c${at} <= 16 && v${at} instanceof Promise) throw promiseError(${uid});
      ${operatorCode(inlined, at + 1, `v${at}`, skip, hoisted)}`;
    case 'filter':
      return `${enter} const k${at} = f${at}(${value});
      if (k${at} !== true) {
        if (k${at} instanceof Promise) throw promiseError(${uid});
        if (!k${at}) ${skip};
      }
      ${operatorCode(inlined, at + 1, value, skip, hoisted)}`;
    case 'flatMap':
      hoisted.push(
        `const e${at} = (x${at}) => {
    ${operatorCode(inlined, at + 1, `x${at}`, 'return', hoisted)}
    at = ${at};
  };`,
      );
      return `${enter} const r${at} = f${at}(${value}, e${at});
      if (r${at} instanceof Promise) throw promiseError(${uid});`;
  }
}
