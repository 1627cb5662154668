import { AssertionError } from 'node:assert';
import type { Problem, SeedOutcome } from '../campaign/seed-outcome.ts';

/** More does not help anybody. */
const PROBLEMS_SHOWN = 10;
const LINES_SHOWN = 40;

/**
 * What was wrong and what had happened, for people.
 *
 * @param again the call that shows it again
 * @param hint what to look for; may be empty
 */
export function tellOutcome({ problems, story }: SeedOutcome, again: string, hint: string): string {
  // Some of what is lost and some of what is there instead.
  const isLost = ({ message }: Problem): boolean => message.startsWith('lost ');
  const lost = problems.filter(isLost).slice(0, PROBLEMS_SHOWN / 2);
  const others = problems.filter((one) => !isLost(one)).slice(0, PROBLEMS_SHOWN - lost.length);
  const wrong = [...lost, ...others].map(({ oracle, message }) =>
    oracle === 'output' ? `  ${message}` : `  ${message} (${oracle})`,
  );
  if (problems.length > wrong.length) wrong.push(`  and ${problems.length - wrong.length} more`);
  const events = story
    .slice(-LINES_SHOWN)
    .map(({ life, turn, text }) => `  life ${life}, turn ${turn}: ${text}`);
  return [
    '',
    ...wrong,
    ...(hint === '' ? [] : ['', hint]),
    '',
    'what happened:',
    ...events,
    '',
    `again: ${again}`,
    '',
  ].join('\n');
}

/** Said where no fault is needed for a difference. */
export const DIFFERS_ANYWAY =
  'It differs without any fault, too: what the job writes depends on something besides its ' +
  'input. Look for variables outside of its state, for processing time, for the order of ' +
  'records of different keys or subtasks, and for parallelism (`parallelisms`).';

/** @throws AssertionError if the job commits nothing: then no fault can do any harm */
export function assertProvesSomething(jobName: string, records: number): void {
  if (records > 0) return;
  throw new AssertionError({
    message:
      `job "${jobName}" commits nothing without any fault, so nothing can be proved: check the ` +
      'paths of `input`, and `output` if it writes neither files nor to a sink that you gave',
    actual: records,
    expected: 'records',
    operator: 'simulate',
  });
}
