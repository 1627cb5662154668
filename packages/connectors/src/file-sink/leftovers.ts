import type { SinkContext } from '@millrace/core/connector';
import {
  inProgressPath,
  parseStagedName,
  pendingPath,
  type StagedPart,
  stagingFolder,
} from './part-name.ts';

/**
 * Deletes what dead attempts of this operator of this instance left in its staging folder. Comes
 * after the committables of the restored checkpoint have been committed, so what is pending there
 * belongs to no checkpoint that counts.
 *
 * L1. Only files of older attempts, by their names: nothing of this attempt (its writers may have
 *     begun), nothing of a younger process (then this one is the zombie), nothing of strangers.
 * L2. What a live state names stays, also if its writer closed it after the checkpoint: a restart
 *     from the same checkpoint reads it again.
 * L3. A writer of a dead attempt that is still alive loses its file, which nobody will ever name.
 */
export async function deleteLeftovers(
  directory: string,
  context: SinkContext,
  live: readonly StagedPart[],
): Promise<void> {
  const { fileSystem, logger } = context.environment;
  const staging = stagingFolder(directory, context);
  const keep = new Set(live.flatMap((part) => [inProgressPath(part), pendingPath(part)]));
  let deleted = 0;
  for (const { name, kind } of await fileSystem.list(staging)) {
    const path = `${staging}/${name}`;
    if (kind !== 'file' || keep.has(path) || !isOlder(name, context)) continue;
    await fileSystem.delete(path);
    deleted++;
  }
  if (deleted === 0) return;
  await fileSystem.syncDirectory(staging);
  logger.log('info', 'deleted unfinished parts of earlier attempts', { staging, deleted });
}

function isOlder(name: string, context: SinkContext): boolean {
  const owner = parseStagedName(name);
  if (owner === null) return false;
  if (owner.generation !== context.generation) return owner.generation < context.generation;
  return owner.attempt < context.attempt;
}
