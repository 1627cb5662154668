import type { Environment } from '../base/environment.ts';
import { filesOf } from '../checkpoint/files-of.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { retain } from '../checkpoint/retention.ts';
import type { CheckpointSlot } from '../checkpoint/slot-log.ts';
import type { SubtaskSnapshot } from '../state/snapshot.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import type { LogOwner } from './log-owner.ts';
import { type CompleteCheckpoint, sweep } from './sweep.ts';

/**
 * Knows which objects of a job's directory are needed, and deletes the others.
 *
 * D1. Deleted is only what no complete checkpoint that is kept and no acknowledgement of a pending
 *     one refers to.
 * D2. What an aborted checkpoint wrote may still be referred to by the next one, so it goes no
 *     earlier than at the next completion.
 * D3. A failed deletion is forgotten: the next claim sweeps.
 */
export class CheckpointFiles {
  readonly #storage: CheckpointStorage;
  readonly #environment: Environment;
  readonly #owner: LogOwner;
  readonly #numRetained: number;
  #complete: readonly CompleteCheckpoint[];
  readonly #orphans = new Set<string>();

  constructor(
    storage: CheckpointStorage,
    environment: Environment,
    owner: LogOwner,
    numRetained: number,
    complete: readonly CompleteCheckpoint[],
  ) {
    this.#storage = storage;
    this.#environment = environment;
    this.#owner = owner;
    this.#numRetained = numRetained;
    this.#complete = complete;
  }

  /** Complete checkpoints that are kept, in order of completion. */
  get complete(): readonly CompleteCheckpoint[] {
    return this.#complete;
  }

  /** The one with the greatest id; undefined if there is none. */
  get latest(): CompleteCheckpoint | undefined {
    return this.#complete.reduce<CompleteCheckpoint | undefined>(
      (latest, next) =>
        latest === undefined || next.slot.checkpointId > latest.slot.checkpointId ? next : latest,
      undefined,
    );
  }

  /** D2. */
  abandoned(snapshots: Iterable<SubtaskSnapshot>): void {
    for (const file of filesOfSnapshots(snapshots)) this.#orphans.add(file);
  }

  /**
   * Adds a complete checkpoint, and deletes what is not needed any more.
   *
   * @param pending acknowledgements of all pending checkpoints
   */
  async completed(
    checkpoint: { sequence: number; slot: CheckpointSlot; manifest: Manifest },
    pending: Iterable<SubtaskSnapshot>,
  ): Promise<void> {
    const byId = [...this.#complete, checkpoint].map((complete) => ({
      ...complete,
      checkpointId: complete.slot.checkpointId,
      snapshotKind: complete.slot.snapshotKind,
      isStop: complete.slot.isStop,
    }));
    const { retained, dropped } = retain(byId, this.#numRetained);
    this.#complete = retained;
    const needed = filesOfSnapshots(pending);
    for (const { manifest } of retained) {
      // One that cannot be read: nobody knows what it needs.
      if (manifest === null) return;
      for (const file of filesOf(manifest).keys()) needed.add(file);
    }
    const candidates = new Set(this.#orphans);
    this.#orphans.clear();
    for (const { manifest } of dropped) {
      for (const file of manifest === null ? [] : filesOf(manifest).keys()) candidates.add(file);
    }
    await this.#delete(dropped.map(({ slot }) => slot.manifest));
    await this.#delete([...candidates].filter((file) => !needed.has(file)));
  }

  /** Deletes what ended attempts left; `isPinned` names what the running one may have written. */
  sweep(isPinned: (name: string) => boolean): Promise<void> {
    return sweep(this.#storage, this.#environment, this.#owner, this.#complete, isPinned);
  }

  /** Nothing is kept any more; the log already says so. */
  forgetAll(): Promise<void> {
    this.#complete = [];
    return this.sweep(() => false);
  }

  async #delete(names: readonly string[]): Promise<void> {
    for (const name of names) {
      try {
        await this.#storage.delete(name);
      } catch (error) {
        this.#environment.logger.log('warn', `could not delete ${name}`, { error }); // D3
      }
    }
  }
}

function filesOfSnapshots(snapshots: Iterable<SubtaskSnapshot>): Set<string> {
  const files = new Set<string>();
  for (const { operators } of snapshots) {
    for (const { keyed } of Object.values(operators)) {
      for (const { file } of keyed?.runs ?? []) files.add(file);
    }
  }
  return files;
}
