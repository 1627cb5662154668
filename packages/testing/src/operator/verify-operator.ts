import { AssertionError } from 'node:assert';
import type { Operator } from '@millrace/core/host';
import type { HarnessInput, HarnessOutput } from './harness-elements.ts';
import { OperatorHarness, type HarnessOptions } from './operator-harness.ts';

type HarnessRecord = HarnessInput & { kind: 'record' };

/** How an operator is verified. */
export interface VerifyOptions extends Omit<HarnessOptions, 'parallelism' | 'yieldOften'> {
  /**
   * What an output belongs to: order is compared within a key. Default: the `key` of the value if
   * it is an object that has one, else one key for all.
   */
  readonly outputKeyOf?: (value: unknown) => unknown;
  /** Nothing may be left at the end: no keyed state, no timers. Default false. */
  readonly leavesNothing?: boolean;
  /** Only these modes. Default: all. */
  readonly modes?: readonly VerifyMode[];
}

/** The ways in which the same input is given; every one must lead to the same output. */
export const VERIFY_MODES = [
  'plain',
  'snapshot after each element',
  'restart after each element',
  'restart from a savepoint after each element',
  'aborted snapshot after each element, restart after every third',
  'rescale 1 -> 3 -> 2',
  'output full on every other call',
  'batches',
] as const;

/** One of `VERIFY_MODES`. */
export type VerifyMode = (typeof VERIFY_MODES)[number];

/** A verification that has its input; `expect` runs it. */
export interface Verification {
  input(elements: readonly HarnessInput[]): Verification;
  /**
   * Runs the input in every mode and compares what comes out. Watermarks are compared only if some
   * are expected.
   *
   * @throws AssertionError that names the mode and shows the difference
   */
  expect(outputs: readonly HarnessInput[]): Promise<void>;
}

/**
 * Verifies an operator with its state, timers and snapshots: its output must not depend on where a
 * checkpoint, a crash, a rescale or a full output happens.
 *
 * @param make makes a new object of the operator on every call
 */
export function verifyOperator(make: () => Operator, options: VerifyOptions = {}): Verification {
  const given: HarnessInput[] = [];
  const verification: Verification = {
    input(elements) {
      given.push(...elements);
      return verification;
    },
    async expect(outputs) {
      for (const mode of options.modes ?? VERIFY_MODES) {
        await verifyMode(make, options, mode, given, outputs);
      }
    },
  };
  return verification;
}

async function verifyMode(
  make: () => Operator,
  options: VerifyOptions,
  mode: VerifyMode,
  input: readonly HarnessInput[],
  expected: readonly HarnessInput[],
): Promise<void> {
  const yieldOften = mode === 'output full on every other call';
  // Hardly any memory, too: an operator must not see whether its state is there or comes back.
  const stateBytes = yieldOften ? 500 : Infinity;
  const harness = await OperatorHarness.open(make, { stateBytes, ...options, yieldOften });
  try {
    if (mode === 'batches') await giveBatches(harness, input);
    else {
      for (const [index, element] of input.entries()) {
        await harness.give(element);
        await betweenElements(harness, mode, index, input.length);
      }
    }
  } catch (error) {
    throw new Error(`mode "${mode}": ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  compare(mode, harness.takeOutputs(), expected, options.outputKeyOf ?? keyOfValue);
  if (options.leavesNothing) await verifyNothingLeft(mode, harness);
  await harness.close();
}

async function giveBatches(
  harness: OperatorHarness,
  input: readonly HarnessInput[],
): Promise<void> {
  let batch: HarnessRecord[] = [];
  for (const element of input) {
    if (element.kind === 'record') {
      batch.push(element);
      continue;
    }
    await harness.giveBatch(batch);
    batch = [];
    await harness.give(element);
  }
  await harness.giveBatch(batch);
}

async function betweenElements(
  harness: OperatorHarness,
  mode: VerifyMode,
  index: number,
  count: number,
): Promise<void> {
  const mayRestart = !harness.restartWouldShow;
  switch (mode) {
    case 'snapshot after each element':
      await harness.snapshot();
      return;
    case 'restart after each element':
      if (mayRestart) await harness.restartUnseen();
      return;
    case 'restart from a savepoint after each element':
      if (mayRestart) await harness.restartUnseen(harness.parallelism, 'savepoint');
      return;
    case 'aborted snapshot after each element, restart after every third':
      await harness.abortedSnapshot();
      if (index % 3 === 2 && mayRestart) await harness.restartUnseen();
      return;
    case 'rescale 1 -> 3 -> 2': {
      const wanted = 3 * (index + 1) >= 2 * count ? 2 : 3 * (index + 1) >= count ? 3 : 1;
      if (wanted !== harness.parallelism && mayRestart) await harness.restartUnseen(wanted);
      return;
    }
    case 'plain':
    case 'output full on every other call':
    case 'batches':
      return;
  }
}

async function verifyNothingLeft(mode: VerifyMode, harness: OperatorHarness): Promise<void> {
  const actual = await harness.inspect();
  const expected = { eventTimers: 0, processingTimers: 0, stateEmpty: true };
  if (JSON.stringify(actual) === JSON.stringify(expected)) return;
  throw new AssertionError({
    message: `mode "${mode}": state or timers are left over: ${JSON.stringify(actual)}`,
    actual,
    expected,
    operator: 'deepStrictEqual',
  });
}

function keyOfValue(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'key' in value ? value.key : undefined;
}

interface ComparedOutput {
  readonly side: string | null;
  readonly value: unknown;
  readonly timestampMs: number | null;
}

function compare(
  mode: VerifyMode,
  actual: readonly HarnessOutput[],
  expected: readonly HarnessInput[],
  outputKeyOf: (value: unknown) => unknown,
): void {
  // After a rescale the subtasks' outputs have no order among each other: only keys have.
  const found = byKey(actual, outputKeyOf);
  const wanted = byKey(expected, outputKeyOf);
  let message = differences(found, wanted);
  if (message === '' && expected.some((one) => one.kind === 'watermark')) {
    const foundWatermarks = watermarksOf(actual);
    const wantedWatermarks = watermarksOf(expected);
    if (foundWatermarks !== wantedWatermarks) {
      message = `watermarks ${foundWatermarks} instead of ${wantedWatermarks}`;
    }
  }
  if (message === '') return;
  throw new AssertionError({
    message: `mode "${mode}": ${message}`,
    actual: Object.fromEntries(found),
    expected: Object.fromEntries(wanted),
    operator: 'deepStrictEqual',
  });
}

function byKey(
  elements: readonly (HarnessInput | HarnessOutput)[],
  outputKeyOf: (value: unknown) => unknown,
): Map<string, ComparedOutput[]> {
  const groups = new Map<string, ComparedOutput[]>();
  for (const element of elements) {
    if (element.kind !== 'record') continue;
    const { value, timestampMs, side } = element;
    const key = textOf(outputKeyOf(value));
    const group = groups.get(key) ?? [];
    group.push({ side, value, timestampMs: Number.isNaN(timestampMs) ? null : timestampMs });
    groups.set(key, group);
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function differences(
  found: ReadonlyMap<string, readonly ComparedOutput[]>,
  wanted: ReadonlyMap<string, readonly ComparedOutput[]>,
): string {
  const lines: string[] = [];
  for (const key of new Set([...wanted.keys(), ...found.keys()])) {
    const actual = (found.get(key) ?? []).map(textOf);
    const expected = (wanted.get(key) ?? []).map(textOf);
    const at = expected.findIndex((text, index) => text !== actual[index]);
    if (at < 0 && actual.length <= expected.length) continue;
    const place = at < 0 ? expected.length : at;
    lines.push(
      `output ${place} of key ${key} is ${actual[place] ?? 'missing'}` +
        `, expected ${expected[place] ?? 'nothing more'}`,
    );
  }
  return lines.join('\n');
}

function watermarksOf(elements: readonly (HarnessInput | HarnessOutput)[]): string {
  const times: number[] = [];
  for (const element of elements) {
    if (element.kind !== 'watermark') continue;
    // A restart delivers watermarks again, several subtasks deliver each.
    if (times.length === 0 || element.timeMs > times.at(-1)!) times.push(element.timeMs);
  }
  return times.join(', ');
}

// Text with types told apart, keys in order, for comparison and messages.
function textOf(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? String(value);
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Map) return `Map(${[...value].map(textOf).join(', ')})`;
  if (value instanceof Set) return `Set(${[...value].map(textOf).join(', ')})`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${String(value)})`;
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{ ${fields.map(([name, field]) => `${name}: ${textOf(field)}`).join(', ')} }`;
}
