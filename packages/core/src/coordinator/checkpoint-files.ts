import type { Environment } from '../base/environment.ts';
import { filesOf } from '../checkpoint/files-of.ts';
import { needsForeign } from '../checkpoint/foreign-runs.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { type RetainedCheckpoint, retain } from '../checkpoint/retention.ts';
import type { CheckpointSlot } from '../checkpoint/slot-log.ts';
import type { CheckpointId } from '../element/element.ts';
import type { SubtaskSnapshot } from '../state/snapshot.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import type { LogOwner } from './log-owner.ts';
import type { CompleteCheckpoint } from './complete-checkpoints.ts';
import { sweep } from './sweep.ts';

/** A storage that refuses deletions must not fill the memory. */
const GOING_MAX = 1_000;

/**
 * Knows which objects of a job's directory are needed, and deletes the others.
 *
 * D1. Deleted is only what no complete checkpoint that is kept and no acknowledgement of a pending
 *     one refers to, and what no task uses (`RunUse`).
 * D2. What some checkpoint wrote or named may still be referred to by those that were triggered
 *     before it was given up, and by the state of a task that has not told yet. So it goes no
 *     earlier than at the completion of a checkpoint that was triggered afterwards, when none that
 *     was triggered before is pending any more: that one names all that is in use.
 * D3. A failed deletion of runs is forgotten: the next claim sweeps.
 * D4. Runs go after all manifests that were dropped: as long as one of those cannot be deleted no
 *     run is, so there is never a manifest of a complete checkpoint that lacks something.
 */
export class CheckpointFiles {
  readonly #storage: CheckpointStorage;
  readonly #environment: Environment;
  readonly #owner: LogOwner;
  readonly #numRetained: number;
  #complete: readonly CompleteCheckpoint[];
  /** Files that may have become useless, and the first checkpoint id that will tell (D2). */
  readonly #candidates = new Map<string, CheckpointId>();
  /** Dropped, and their manifests may still be there. */
  #going: readonly CompleteCheckpoint[] = [];
  /** By slot of a complete checkpoint: the first id that was triggered afterwards. */
  readonly #nextIds = new Map<number, CheckpointId>();

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

  /** D2. @param nextId of the next checkpoint that is triggered */
  abandoned(snapshots: Iterable<SubtaskSnapshot>, nextId: CheckpointId): void {
    for (const file of filesOfSnapshots(snapshots)) this.propose(file, nextId);
  }

  /** Nobody may need the object any more, D2. @param nextId as above */
  propose(file: string, nextId: CheckpointId): void {
    this.#candidates.set(file, Math.max(nextId, this.#candidates.get(file) ?? 0));
  }

  /**
   * Adds a complete checkpoint, and deletes what is not needed any more.
   *
   * @param pending acknowledgements of all pending checkpoints so far, by id
   * @param nextId of the next checkpoint that is triggered
   * @param isInUse whether a task uses the object
   */
  async completed(
    checkpoint: { sequence: number; slot: CheckpointSlot; manifest: Manifest },
    pending: ReadonlyMap<CheckpointId, readonly SubtaskSnapshot[]>,
    nextId: CheckpointId,
    isInUse: (file: string) => boolean,
  ): Promise<void> {
    this.#nextIds.set(checkpoint.sequence, nextId);
    const byId = [...this.#complete, checkpoint].map((complete) => ({
      ...complete,
      checkpointId: complete.slot.checkpointId,
      snapshotKind: complete.slot.snapshotKind,
      isStop: complete.slot.isStop,
    }));
    const { retained, dropped } = this.#retain(byId);
    this.#complete = retained;
    const needed = filesOfSnapshots([...pending.values()].flat());
    for (const { manifest } of retained) {
      // One that cannot be read: nobody knows what it needs.
      if (manifest === null) return;
      for (const file of filesOf(manifest).keys()) needed.add(file);
    }
    const going = [...this.#going, ...dropped].slice(-GOING_MAX);
    this.#going = going;
    const oldestPending = Math.min(...pending.keys(), Number.POSITIVE_INFINITY);
    const toldUpTo = Math.min(checkpoint.slot.checkpointId, oldestPending);
    if (!(await this.#delete(going.map(({ slot }) => slot.manifest)))) return; // D4
    this.#going = [];
    for (const { sequence, manifest } of going) {
      const fromId = this.#nextIds.get(sequence) ?? 0;
      this.#nextIds.delete(sequence);
      const files = manifest === null ? [] : filesOf(manifest).keys();
      for (const file of files) this.propose(file, fromId);
    }
    await this.#delete(this.#takeUseless(toldUpTo, needed, isInUse));
  }

  // An import goes when there is a newer one: then the directory that it needs may go.
  #retain<C extends CompleteCheckpoint & RetainedCheckpoint>(
    complete: readonly C[],
  ): { readonly retained: readonly C[]; readonly dropped: readonly C[] } {
    const newest = complete.at(-1);
    const isOver = (one: C): boolean =>
      one !== newest && one.manifest !== null && needsForeign(one.manifest);
    const { retained, dropped } = retain(
      complete.filter((one) => !isOver(one)),
      this.#numRetained,
    );
    return { retained, dropped: [...complete.filter(isOver), ...dropped] };
  }

  /** Deletes what ended attempts left; `isPinned` names what the running one may have written. */
  async sweep(isPinned: (name: string) => boolean): Promise<void> {
    await sweep(this.#storage, this.#environment, this.#owner, this.#complete, isPinned);
  }

  /** Nothing is kept any more; the log already says so. */
  forgetAll(): Promise<void> {
    this.#complete = [];
    return this.sweep(() => false);
  }

  // D1, D2. What is needed is proposed again when whatever needs it goes.
  #takeUseless(
    toldUpTo: CheckpointId,
    needed: ReadonlySet<string>,
    isInUse: (file: string) => boolean,
  ): string[] {
    const useless: string[] = [];
    for (const [file, fromId] of this.#candidates) {
      const isNeeded = needed.has(file) || isInUse(file);
      if (!isNeeded && fromId > toldUpTo) continue;
      this.#candidates.delete(file);
      if (!isNeeded) useless.push(file);
    }
    return useless;
  }

  /** @returns whether all are gone */
  async #delete(names: readonly string[]): Promise<boolean> {
    if (names.length === 0) return true;
    try {
      await this.#storage.deleteAll(names);
      return true;
    } catch (error) {
      const message = `could not delete ${names.join(', ')}`;
      this.#environment.logger.log('warn', message, { error }); // D3
      return false;
    }
  }
}

function filesOfSnapshots(snapshots: Iterable<SubtaskSnapshot>): Set<string> {
  const files = new Set<string>();
  for (const { operators } of snapshots) {
    for (const { keyed } of Object.values(operators)) {
      for (const { file, inline } of keyed?.runs ?? []) if (inline === undefined) files.add(file);
    }
  }
  return files;
}
