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

/** Errors that say more than "failed". Each code is listed in docs/reference/errors.md. */
export const exitCodeByErrorCode: ReadonlyMap<string, ExitCode> = new Map<string, ExitCode>([
  ['USAGE', exitCode.usage],
  ['JOB_FENCED', exitCode.fenced],
  ['JOB_NOT_FOUND', exitCode.notRunning],
  ['CORRUPT_CHECKPOINT_LOG', exitCode.restoreRefused],
  ['CORRUPT_MANIFEST', exitCode.restoreRefused],
  ['CORRUPT_RUN', exitCode.restoreRefused],
  ['CORRUPT_RUN_REFERENCE', exitCode.restoreRefused],
  ['MAX_PARALLELISM_CHANGED', exitCode.restoreRefused],
  ['RESTORE_BEHIND_NEWEST', exitCode.restoreRefused],
  ['SINGLE_WRITER_REQUIRED', exitCode.restoreRefused],
  ['SNAPSHOT_NOT_FOUND', exitCode.restoreRefused],
  ['STATE_INCOMPATIBLE', exitCode.restoreRefused],
  ['STATE_OPERATOR_MISSING', exitCode.restoreRefused],
  ['STATE_TABLE_INCOMPATIBLE', exitCode.restoreRefused],
  ['STATE_TABLE_MISSING', exitCode.restoreRefused],
  ['UNKNOWN_RUN_VERSION', exitCode.restoreRefused],
  ['UNSUPPORTED_MANIFEST_VERSION', exitCode.restoreRefused],
]);

/** @returns the number for an error, by the first code in its chain of causes that has one */
export function exitCodeOf(error: unknown): ExitCode {
  const seen = new Set<unknown>();
  for (let at = error; at instanceof Error && !seen.has(at); at = at.cause) {
    seen.add(at);
    const code = 'code' in at && typeof at.code === 'string' ? at.code : '';
    const known = exitCodeByErrorCode.get(code);
    if (known !== undefined) return known;
  }
  return exitCode.failed;
}
