/**
 * What the command exits with. Documented in docs/reference/cli.md; scripts and supervisors rely on
 * the numbers, so a number never changes its meaning.
 */
export const exitCode = {
  /** The job finished or stopped as asked; the command did what it should. */
  ok: 0,
  failed: 1,
  usage: 2,
  /** Another process has taken the job over: a supervisor must not start this one again. */
  fenced: 3,
  /** Set in bin/millrace.js. */
  nodeVersion: 4,
  /** The snapshot cannot or may not be restored into this job: starting again does not help. */
  restoreRefused: 5,
  /** No running job answers to that name. */
  notRunning: 6,
  /** Ended at once by a second Ctrl-C. */
  interrupted: 130,
  /** Ended at once by a second SIGTERM. */
  terminated: 143,
} as const;

/** One of the numbers of `exitCode`. */
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

const byErrorCode: ReadonlyMap<string, ExitCode> = new Map([
  ['USAGE', exitCode.usage],
  ['JOB_NOT_RUNNING', exitCode.notRunning],
]);

/** @returns the number for an error, by the first code in its chain of causes that has one */
export function exitCodeOf(error: unknown): ExitCode {
  const seen = new Set<unknown>();
  for (let at = error; at instanceof Error && !seen.has(at); at = at.cause) {
    seen.add(at);
    const code = 'code' in at && typeof at.code === 'string' ? at.code : '';
    const known = byErrorCode.get(code);
    if (known !== undefined) return known;
  }
  return exitCode.failed;
}
