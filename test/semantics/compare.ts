import { isDeepStrictEqual } from 'node:util';
import { StreamError } from '../../packages/core/src/base/errors.ts';
import { type Data, notSupported, type Observed, type SemanticsCase } from './case.ts';

// A function that is not given the state at all cannot touch it: its TypeError counts too.
const NO_KEY = ['NO_CURRENT_KEY', 'USER_FUNCTION', 'TypeError'];

/** Classes of errors in the cases, and the codes of ours that are meant by them. */
const ERROR_CLASSES: Readonly<Record<string, readonly string[]>> = {
  'no-timestamp': ['MISSING_TIMESTAMP', 'INVALID_TIMESTAMP'],
  'invalid-argument': ['INVALID_WINDOW', 'INVALID_OPTION', 'INVALID_SESSION_GAP', 'INVALID_TIMER'],
  'invalid-job': ['INVALID_WINDOW', 'INVALID_JOB', 'DUPLICATE_UID', 'INVALID_OPTION'],
  'per-window-state-with-merging': ['PER_WINDOW_STATE', 'PER_WINDOW_STATE_WITH_MERGING'],
  'no-key': NO_KEY,
  'no-current-key': NO_KEY,
  'no-key-context': NO_KEY,
  'keyed-state-without-key': NO_KEY,
  'keyed-state-in-broadcast': NO_KEY,
  'invalid-key': ['INVALID_KEY'],
};

/** Whatever fails the job. */
const ANY_ERROR = new Set(['job-failure', 'task-failure', 'failure']);

/** @returns one line per difference; empty = the case passes */
export function differences(testCase: SemanticsCase, observed: Observed): string[] {
  if (testCase.expectError !== undefined) return errorDifferences(testCase, observed);
  if (observed.error !== undefined) return [`fails with ${describeError(observed.error)}`];
  const lines = [
    ...itemDifferences(testCase, observed.items, testCase.expect, testCase.compare),
    ...(testCase.expectLate === undefined
      ? []
      : itemDifferences(testCase, observed.late, testCase.expectLate, undefined)),
  ];
  const { expectDropped } = testCase;
  if (expectDropped !== undefined && observed.dropped !== null) {
    if (expectDropped !== observed.dropped) {
      lines.push(`late records dropped: ${observed.dropped}, expected ${expectDropped}`);
    }
  }
  return lines;
}

/** Code and message of an error; a stack for what is none of ours. */
export function describeError(error: unknown): string {
  if (error instanceof StreamError) {
    const cause = error.cause === undefined ? '' : ` <- ${describeError(error.cause)}`;
    return `${error.code}: ${error.message}${cause}`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function errorDifferences(testCase: SemanticsCase, { error }: Observed): string[] {
  const wanted = testCase.expectError!;
  if (error === undefined) return [`no error, expected ${wanted}`];
  if (ANY_ERROR.has(wanted)) return [];
  const codes = ERROR_CLASSES[wanted] ?? [wanted.toUpperCase().replaceAll('-', '_')];
  const found = codesOf(error);
  if (found.some((code) => codes.includes(code))) return [];
  if (ERROR_CLASSES[wanted] === undefined && error instanceof StreamError) {
    notSupported(`class of errors ${wanted} (the run failed with ${found.join(', ')})`);
  }
  return [`fails with ${describeError(error)}, expected ${wanted}`];
}

function codesOf(error: unknown): string[] {
  if (!(error instanceof StreamError)) return error instanceof TypeError ? ['TypeError'] : [];
  return [error.code, ...codesOf(error.cause)];
}

function itemDifferences(
  testCase: SemanticsCase,
  actual: readonly Data[],
  expected: readonly Data[],
  compare: string | undefined,
): string[] {
  const lines: string[] = [];
  const steps = new Set([...actual, ...expected].map((item) => item.step));
  for (const step of [...steps].sort((a, b) => Number(a ?? -1) - Number(b ?? -1))) {
    const found = comparable(testCase, itemsOf(actual, step), compare);
    const wanted = comparable(testCase, itemsOf(expected, step), compare);
    if (isDeepStrictEqual(projected(found, wanted), wanted)) continue;
    lines.push(
      `step ${String(step)}: actual   ${JSON.stringify(found)}`,
      `step ${String(step)}: expected ${JSON.stringify(wanted)}`,
    );
  }
  return lines;
}

function itemsOf(items: readonly Data[], step: unknown): Data[] {
  return items.filter((item) => item.step === step).map(withoutStep);
}

function withoutStep({ step: _step, ...item }: Data): Data {
  return item;
}

// Exact per key; between keys the order of the timestamps holds. Watermarks cut the sequence.
function comparable(
  testCase: SemanticsCase,
  items: readonly Data[],
  compare: string | undefined,
): unknown {
  if (compare === 'set-per-subtask') return items.map(sortedAssignments);
  const cuts: unknown[] = [];
  let segment: Data[] = [];
  const close = (): void => {
    if (segment.length > 0) cuts.push(ordered(testCase, segment));
    segment = [];
  };
  for (const item of items) {
    if ('watermark' in item || 'status' in item) {
      close();
      cuts.push(item);
    } else {
      segment.push(item);
    }
  }
  close();
  return cuts;
}

function ordered(testCase: SemanticsCase, segment: readonly Data[]): unknown {
  const groups = new Map<string, Data[]>();
  for (const item of segment) {
    const group = groupOf(testCase, item);
    groups.set(group, [...(groups.get(group) ?? []), item]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, items]) => items);
}

function groupOf(testCase: SemanticsCase, item: Data): string {
  const [kind, value] = Object.entries(item)[0] ?? ['', null];
  if (typeof value !== 'object' || value === null) return '';
  const { key, ts } = value as Data;
  if ('aligner' in testCase.job) return `${kind} ${String((value as Data).value)[0]}`;
  if ('async' in testCase.job) return '';
  return kind === 'out' && ts !== undefined ? `out ${String(key)}` : `${kind} ${String(key)}`;
}

function sortedAssignments(item: Data): unknown {
  const assignments = item.assignments as unknown[][] | undefined;
  return assignments?.map((elements) => [...elements].sort()) ?? item;
}

// A case names what it looks at: a field that it leaves out (a subtask, a window) is free.
function projected(actual: unknown, expected: unknown): unknown {
  if (Array.isArray(actual) && Array.isArray(expected)) {
    return actual.map((item, index) => projected(item, expected[index]));
  }
  if (!isData(actual) || !isData(expected)) return actual;
  const fields = Object.keys(actual).filter((name) => name in expected || !FREE_FIELDS.has(name));
  return Object.fromEntries(fields.map((name) => [name, projected(actual[name], expected[name])]));
}

const FREE_FIELDS = new Set(['subtask']);

function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
