// Names end up in checkpoints, in metrics, in names of output and, for jobs, in paths. '#' is kept
// for names that Millrace makes itself, so that those never meet a name of the user's.
const OPERATOR_NAME = /^[\p{L}\p{N}_][\p{L}\p{N} ._:-]*$/u;
const JOB_NAME = /^[\p{L}\p{N}_][\p{L}\p{N}._-]*$/u;
const LONGEST = 200;

/** What a name of the kind may look like, for messages. */
export const OPERATOR_NAME_RULE =
  'letters, digits, space and ._:- (up to 200, no space or sign first)';
/** The same for job names, which are names of directories. */
export const JOB_NAME_RULE = 'letters, digits and ._- (up to 200, a letter or digit first)';

/** Whether a uid, a side output or a state may be called so. */
export function isOperatorName(name: unknown): name is string {
  return typeof name === 'string' && name.length <= LONGEST && OPERATOR_NAME.test(name);
}

/** Whether a job may be called so. */
export function isJobName(name: unknown): name is string {
  return typeof name === 'string' && name.length <= LONGEST && JOB_NAME.test(name);
}
