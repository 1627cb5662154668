import type { Batch } from '../../element/batch.ts';
import type { StopSignal } from '../channel/record-writer.ts';
import type { LoopRecord, LoopWriter } from '../operator/loop-writer.ts';
import type { Operator, Output } from '../operator/operator.ts';
import {
  FanOutOutput,
  NO_OUTPUT,
  type OperatorInput,
  promiseInSyncFunction,
} from './operator-inputs.ts';
import { PushSegment, type Segment } from './segment.ts';

/** An operator that can be written into the loop. */
export interface InlinedOperator {
  /** Its place in the chain: those behind it have greater ones. */
  readonly index: number;
  readonly uid: string;
  /** For counting and for attributing failures. */
  readonly input: OperatorInput;
  readonly output: Output;
  readonly body:
    | { readonly kind: 'map' | 'filter' | 'flatMap'; readonly call: Function }
    | { readonly kind: 'operator'; readonly operator: Operator };
}

/** What a generated loop does: everything that happens to a record from `entry` on. */
export interface SegmentPlan {
  readonly uid: string;
  readonly entry: Output;
  /** The operator that an output leads into; undefined for writers and second inputs. */
  operatorAt(output: Output): InlinedOperator | undefined;
  /** Called after each record when operators can be full; null if none can. */
  readonly afterRecord: (() => void) | null;
}

// Functions made from the same text share their type feedback, and with it the slowest job's
// speed (5.7 against 2.1 ns per record): a serial number keeps the texts apart.
let serial = 0;

/**
 * One loop for a whole chain, with the calls of the user's functions in it (figures and traps:
 * docs/internals/data-path.md). Falls back to the push interpreter where generating code is
 * forbidden (`--disallow-code-generation-from-strings`).
 *
 * G1. Same results, counters and attribution of failures as `PushSegment` over the same chain.
 */
export function generateSegment(plan: SegmentPlan, signal: StopSignal): Segment {
  const text = new LoopText(plan);
  const code = text.code(plan.entry, plan.afterRecord !== null);
  try {
    const make = new Function('segment', 'signal', 'after', 'promiseError', ...text.names, code);
    const segment: Segment = { uid: plan.uid, position: 0, run: unset };
    const { afterRecord } = plan;
    segment.run = make(segment, signal, afterRecord, promiseInSyncFunction, ...text.values);
    return segment;
  } catch (error) {
    if (error instanceof EvalError) {
      return new PushSegment(plan.uid, plan.entry, signal, plan.afterRecord);
    }
    throw error;
  }
}

function unset(_batch: Batch, from: number): number {
  return from;
}

/** Writes the text. `at` is the operator in work, `c<n>` counts the records of operator n. */
class LoopText {
  readonly names: string[] = [];
  readonly values: unknown[] = [];
  readonly #plan: SegmentPlan;
  readonly #hoisted: string[] = [];
  readonly #inlined: { readonly index: number; readonly input: string }[] = [];
  #locals = 0;

  constructor(plan: SegmentPlan) {
    this.#plan = plan;
  }

  code(entry: Output, asksAfterRecord: boolean): string {
    const body = this.#output(entry, -1, { value: 'v', time: 't' });
    const counters = this.#inlined.map(({ index }) => `let c${index} = 0;`).join(' ');
    const counted = this.#inlined.map(({ index, input }) => `${input}.recordsIn += c${index};`);
    const marks = this.#inlined.map(({ index, input }) => {
      return `if (at === ${index}) ${input}.active = true;`;
    });
    return `// ${serial++}
'use strict';
return function run(batch, from, to) {
  const values = batch.values, timestamps = batch.timestamps;
  let i = from, at = -1; ${counters}
  ${this.#hoisted.join('\n  ')}
  try {
    for (; i < to; i++) {
      const t = timestamps[i], v = values[i];
      ${body}
      ${asksAfterRecord ? 'after();' : ''}
      if (signal.stop) { i++; break; }
    }
  } catch (error) {
    segment.position = i;
    ${marks.join(' ')}
    throw error;
  } finally { ${counted.join(' ')} }
  return i;
}`;
  }

  #bind(value: unknown): string {
    const known = this.values.indexOf(value);
    if (known >= 0) return this.names[known]!;
    const name = `b${this.names.length}`;
    this.names.push(name);
    this.values.push(value);
    return name;
  }

  /** @param from index of the operator that emits; -1: the record has just come in */
  #output(output: Output, from: number, record: LoopRecord): string {
    if (output === NO_OUTPUT) return '';
    if (output instanceof FanOutOutput) {
      return output.nexts.map((next) => this.#output(next, from, record)).join('\n');
    }
    const operator = this.#plan.operatorAt(output);
    const inlined = operator === undefined ? null : this.#operator(operator, record);
    if (inlined !== null) return inlined;
    // It marks itself when it fails; a writer leaves the blame to who emitted.
    return `at = ${from}; ${this.#bind(output)}.emit(${record.value}, ${record.time});`;
  }

  #operator(operator: InlinedOperator, record: LoopRecord): string | null {
    const { index, body, output } = operator;
    const next = (value: string, time = record.time): string =>
      this.#output(output, index, { value, time });
    const enter = `at = ${index}; c${index}++;`;
    if (body.kind === 'operator') {
      if (body.operator.inline === undefined) return null;
      const loop: LoopWriter = {
        bind: (value) => this.#bind(value),
        local: () => `x${this.#locals++}`,
        next,
      };
      const text = body.operator.inline(loop, record);
      this.#list(operator);
      return `${enter} ${text}`;
    }
    this.#list(operator);
    const call = this.#bind(body.call);
    const uid = JSON.stringify(operator.uid);
    const result = `r${index}`;
    const refuse = `if (${result} instanceof Promise) throw promiseError(${uid});`;
    switch (body.kind) {
      case 'map':
        return `${enter} const ${result} = ${call}(${record.value});
      if (c${index} <= 16) { ${refuse} }
      ${next(result)}`;
      case 'filter':
        return `${enter} const ${result} = ${call}(${record.value});
      if (${result}) {
        if (${result} !== true) { ${refuse} }
        ${next(record.value)}
      }`;
      case 'flatMap':
        // The closure reads the time from the batch: a captured number is allocated per record.
        this.#hoisted.push(`const e${index} = (x) => {
    ${next('x', 'timestamps[i]')}
    at = ${index};
  };`);
        return `${enter} const ${result} = ${call}(${record.value}, e${index});
      ${refuse}`;
    }
  }

  #list({ index, input }: InlinedOperator): void {
    this.#inlined.push({ index, input: this.#bind(input) });
  }
}
