import {
  MAX_WATERMARK,
  MIN_WATERMARK,
  NO_TIMESTAMP,
} from '../../packages/core/src/element/time.ts';

import type { OperatorRun } from './operator-case.ts';

/** Plain JSON data of a case: its vocabulary is in README.md. */
export type Data = { readonly [name: string]: unknown };

/** One line of a case file. */
export interface SemanticsCase {
  readonly id: string;
  readonly area: string;
  readonly title: string;
  readonly job: Data;
  readonly steps: readonly Data[];
  readonly expect: readonly Data[];
  readonly expectLate?: readonly Data[];
  readonly expectDropped?: number;
  readonly expectError?: string;
  readonly compare?: string;
  readonly note?: string;
}

/** What a run of a case came to. Items carry the `step` that caused them. */
export interface Observed {
  readonly items: Data[];
  readonly late: Data[];
  /** null: this kind does not count. */
  dropped: number | null;
  error: unknown;
}

/** One way to run a case; `name` tells it apart in messages. */
export interface Variant {
  readonly name: string;
  run(): Promise<Observed>;
}

/** Knows one kind of job. */
export interface CaseKind {
  /** The key of `job` that says so. */
  readonly name: string;
  /** @throws NotSupportedError */
  variants(testCase: SemanticsCase): readonly Variant[];
  /** For kinds with one input: what a whole job with a source and a sink can be made of. */
  wholeJob?(testCase: SemanticsCase): OperatorRun;
}

/** The case uses a word that the runner does not know. */
export class NotSupportedError extends Error {}

/** @throws NotSupportedError always */
export function notSupported(what: string): never {
  throw new NotSupportedError(what);
}

/** @returns a fresh, empty observation */
export function nothingObserved(): Observed {
  return { items: [], late: [], dropped: null, error: undefined };
}

/** A time or number of a case as the engine has it: `"max"` and `"min"` are infinities. */
export function numberOf(value: unknown): number {
  if (value === 'max') return MAX_WATERMARK;
  if (value === 'min') return MIN_WATERMARK;
  if (typeof value !== 'number') notSupported(`number ${JSON.stringify(value)}`);
  return value;
}

/** The same backwards. */
export function textOfNumber(value: number): number | string {
  if (value === MAX_WATERMARK) return 'max';
  return value === MIN_WATERMARK ? 'min' : value;
}

/** A record's timestamp: left out, null or `"min"` (Flink's way to say so) = it has none. */
export function timestampOf(record: Data): number {
  const { ts } = record;
  return ts === undefined || ts === null || ts === 'min' ? NO_TIMESTAMP : numberOf(ts);
}

/** The same backwards. */
export function textOfTimestamp(timestampMs: number): number | string | null {
  return Number.isNaN(timestampMs) ? null : textOfNumber(timestampMs);
}

/** A part of a case that has to be an object. */
export function dataOf(value: unknown): Data {
  if (typeof value !== 'object' || value === null) notSupported(`data ${JSON.stringify(value)}`);
  return value as Data;
}

/** Fails on a key that is not among those known: it could change the meaning. */
export function onlyKnown(data: Data, where: string, ...known: readonly string[]): void {
  for (const name of Object.keys(data)) {
    if (!known.includes(name)) notSupported(`${where}.${name}`);
  }
}
