import type { SinkContext } from '@millrace/core/connector';

type Owner = Pick<SinkContext, 'jobName' | 'instanceId' | 'operatorUid'>;
type Attempt = Pick<SinkContext, 'generation' | 'attempt'>;

/** What all transactional ids of one sink of one instance of a job begin with. */
export function transactionalPrefix({ jobName, instanceId, operatorUid }: Owner): string {
  return `${jobName}/${instanceId}/${operatorUid}/`;
}

/** @param count of the transactions of this writer, from 1 */
export function transactionalIdOf(context: SinkContext, count: number): string {
  const { generation, attempt, subtaskIndex } = context;
  return `${transactionalPrefix(context)}${generation}/${attempt}/${subtaskIndex}/${count}`;
}

/** Whether the id, which has the prefix of the context, is of an attempt before this one. */
export function isOfOlderAttempt(transactionalId: string, context: Owner & Attempt): boolean {
  const [generation = 0, attempt = 0] = transactionalId
    .slice(transactionalPrefix(context).length)
    .split('/')
    .map(Number);
  if (generation !== context.generation) return generation < context.generation;
  return attempt < context.attempt;
}
