import type { CommitOutcome, Committer, FileSystem } from '@millrace/core/connector';
import { fileErrorKind } from '../file-error-kind.ts';
import { FilePartLostError, writeError } from './file-sink-errors.ts';
import { finishedPath, folderOf, pendingPath, type StagedPart } from './part-name.ts';

/**
 * Moves pending parts to where readers look, by rename.
 *
 * C1. A finished part is never touched again. If it is there, the commit has happened.
 * C2. A commit is reported only when the new name is durable, also if an earlier attempt made it.
 * C3. The name in the target folder is made durable before the disappearance of the old one: a
 *     crash in between leaves two names of one file, never none.
 */
export class FileCommitter implements Committer<StagedPart> {
  readonly #fileSystem: FileSystem;
  readonly #folders = new Set<string>();

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
  }

  async commit(parts: readonly StagedPart[]): Promise<readonly CommitOutcome[]> {
    const outcomes: CommitOutcome[] = [];
    for (const part of parts) outcomes.push(await this.#moveOrFail(part));
    // One sync per folder, whatever the number of parts in it.
    const done = parts.filter((_, index) => isDone(outcomes[index]!));
    for (const folder of new Set(done.map(folderOf))) await this.#sync(folder);
    for (const staging of new Set(done.map((part) => part.staging))) await this.#sync(staging);
    return outcomes;
  }

  async close(): Promise<void> {}

  async #moveOrFail(part: StagedPart): Promise<CommitOutcome> {
    try {
      return await this.#move(part);
    } catch (error) {
      throw writeError(finishedPath(part), error);
    }
  }

  // A process that was fenced may be doing the same: the part can move on between two looks, so
  // they follow its way.
  async #move(part: StagedPart): Promise<CommitOutcome> {
    const pending = pendingPath(part);
    const finished = finishedPath(part);
    const isPending = (await this.#fileSystem.stat(pending)) !== null;
    if ((await this.#fileSystem.stat(finished)) !== null) {
      if (isPending) await this.#fileSystem.delete(pending);
      return { kind: 'alreadyCommitted' };
    }
    if (!isPending) return { kind: 'failed', error: lost(part) };
    await this.#makeFolder(folderOf(part));
    try {
      await this.#fileSystem.rename(pending, finished);
    } catch (error) {
      if (fileErrorKind(error) !== 'not-found') throw error;
      return { kind: 'retryLater', reason: `${part.name} was moved by another process` };
    }
    return { kind: 'committed' };
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    await this.#fileSystem.makeDirectory(folder);
    this.#folders.add(folder);
  }

  async #sync(folder: string): Promise<void> {
    try {
      await this.#fileSystem.syncDirectory(folder);
    } catch (error) {
      throw writeError(folder, error);
    }
  }
}

function isDone({ kind }: CommitOutcome): boolean {
  return kind === 'committed' || kind === 'alreadyCommitted';
}

function lost(part: StagedPart): FilePartLostError {
  return new FilePartLostError(
    `the part ${part.name} is neither pending nor finished`,
    { part: pendingPath(part), sizeBytes: part.sizeBytes },
    { hint: 'Something else removed it: leave parts in place until the next checkpoint.' },
  );
}
