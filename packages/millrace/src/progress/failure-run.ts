import { codeLocation } from '../command/error-report.ts';

/** Failures of a job in a row that say the same. */
export interface FailureRun {
  /** What makes two failures the same. */
  readonly signature: string;
  readonly count: number;
  /** Where the record that failed stood in its source; null: not known, or no record's failure. */
  readonly origin: string | null;
  /** The first line of the stack in the user's own code; empty: there is none. */
  readonly location: string;
}

/** Takes in a failure: the same one again counts on, another begins anew. Pure. */
export function onFailureOf(before: FailureRun | null, error: unknown): FailureRun {
  const details: unknown = error instanceof Error ? Reflect.get(error, 'details') : null;
  const given = typeof details === 'object' && details !== null && 'origin' in details;
  const origin = given && typeof details.origin === 'string' ? details.origin : null;
  const location = codeLocation(error);
  const message = error instanceof Error ? error.message : String(error);
  const signature = `${message}\n${location}`;
  const count = before?.signature === signature ? before.count + 1 : 1;
  return { signature, count, origin, location };
}

/** What is said beside the message: ` (src/a.ts:1:2); the same record failed 3 times`. Pure. */
export function failureRunText({ count, origin, location }: FailureRun): string {
  const place = location === '' ? '' : ` (${location})`;
  if (count === 1) return place;
  const what = origin === null ? 'the same failure' : 'the same record failed';
  return `${place}; ${what} ${count} times in a row`;
}
