import { assert } from '../../base/assert.ts';
import { StreamError } from '../../base/errors.ts';
import type { Operator, Output } from '../operator/operator.ts';

// The plain push interpreter: one object per operator, one virtual call per record and operator.
// It is the reference for the generated segments (see generated-segment.ts) and the fallback.

/** The way into an operator. */
export interface OperatorInput extends Output {
  /** Records given to it. */
  recordsIn: number;
  /**
   * True while a record is inside. After an exception the flags stay up from the head of the chain
   * down to the operator that threw: that is how a failure is attributed at no cost per record.
   */
  active: boolean;
}

/** A function that has to be synchronous returned a promise. */
export class PromiseInSyncFunctionError extends StreamError<{ operatorUid: string }> {
  static override readonly code = 'PROMISE_IN_SYNC_FUNCTION';
  static override readonly domain = 'user';
  static override readonly retry = 'never';
}

/** @returns the error for a promise that an operator's function returned */
export function promiseInSyncFunction(operatorUid: string): PromiseInSyncFunctionError {
  return new PromiseInSyncFunctionError(
    `a function of operator "${operatorUid}" returned a promise, but has to be synchronous`,
    { operatorUid },
    { hint: 'Use mapAsync for asynchronous work; it keeps order, capacity and state.' },
  );
}

// An async function returns a promise always, so looking at the first results finds it.
const RESULTS_CHECKED = 16;

/** Applies a function to each record. */
export class MapOutput implements OperatorInput {
  recordsIn = 0;
  active = false;
  readonly #uid: string;
  readonly #map: (value: unknown) => unknown;
  readonly #next: Output;

  constructor(uid: string, map: (value: unknown) => unknown, next: Output) {
    this.#uid = uid;
    this.#map = map;
    this.#next = next;
  }

  emit(value: unknown, timestampMs: number): void {
    this.active = true;
    const mapped = this.#map(value);
    if (this.recordsIn++ < RESULTS_CHECKED && mapped instanceof Promise) {
      throw promiseInSyncFunction(this.#uid);
    }
    this.#next.emit(mapped, timestampMs);
    this.active = false;
  }
}

/** Lets pass what a predicate accepts. */
export class FilterOutput implements OperatorInput {
  recordsIn = 0;
  active = false;
  readonly #uid: string;
  readonly #filter: (value: unknown) => boolean;
  readonly #next: Output;

  constructor(uid: string, filter: (value: unknown) => boolean, next: Output) {
    this.#uid = uid;
    this.#filter = filter;
    this.#next = next;
  }

  emit(value: unknown, timestampMs: number): void {
    this.active = true;
    this.recordsIn++;
    const accepted: unknown = this.#filter(value);
    if (accepted) {
      if (accepted instanceof Promise) throw promiseInSyncFunction(this.#uid);
      this.#next.emit(value, timestampMs);
    }
    this.active = false;
  }
}

/** Any number of records for one. `emit` is one closure for the life of the chain. */
export class FlatMapOutput implements OperatorInput {
  recordsIn = 0;
  active = false;
  #timestampMs = 0.5; // a double from the start, so that storing one does not allocate
  readonly #uid: string;
  readonly #flatMap: (value: unknown, emit: (value: unknown) => void) => unknown;
  readonly #emit: (value: unknown) => void;

  constructor(
    uid: string,
    flatMap: (value: unknown, emit: (value: unknown) => void) => void,
    next: Output,
  ) {
    this.#uid = uid;
    this.#flatMap = flatMap;
    this.#emit = (value) => next.emit(value, this.#timestampMs);
  }

  emit(value: unknown, timestampMs: number): void {
    this.active = true;
    this.recordsIn++;
    this.#timestampMs = timestampMs;
    const returned = this.#flatMap(value, this.#emit);
    if (returned instanceof Promise) throw promiseInSyncFunction(this.#uid);
    this.active = false;
  }
}

/** The way into an operator object; `process` or `process2`. */
export class CoreInput implements OperatorInput {
  recordsIn = 0;
  active = false;
  readonly #operator: Operator;

  constructor(operator: Operator) {
    this.#operator = operator;
  }

  emit(value: unknown, timestampMs: number): void {
    this.active = true;
    this.recordsIn++;
    this.#operator.process(value, timestampMs);
    this.active = false;
  }
}

/** The second input of a two-input operator. */
export class SecondCoreInput implements OperatorInput {
  recordsIn = 0;
  active = false;
  readonly #operator: Operator;

  constructor(operator: Operator) {
    assert(operator.process2 !== undefined, 'an operator with a second input handles it');
    this.#operator = operator;
  }

  emit(value: unknown, timestampMs: number): void {
    this.active = true;
    this.recordsIn++;
    this.#operator.process2!(value, timestampMs);
    this.active = false;
  }
}

/** Several readers of one output: each gets every record, in the order of their definition. */
export class FanOutOutput implements Output {
  readonly nexts: readonly Output[];

  constructor(nexts: readonly Output[]) {
    this.nexts = nexts;
  }

  emit(value: unknown, timestampMs: number): void {
    for (const next of this.nexts) next.emit(value, timestampMs);
  }
}

/** Nobody reads. */
export const NO_OUTPUT: Output = { emit() {} };

/** Freezes what passes, so that a function that changes a value it was given fails at once. */
export class FreezingOutput implements Output {
  readonly #next: Output;

  constructor(next: Output) {
    this.#next = next;
  }

  emit(value: unknown, timestampMs: number): void {
    deepFreeze(value);
    this.#next.emit(value, timestampMs);
  }
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  if (ArrayBuffer.isView(value)) return; // views cannot be frozen
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}
