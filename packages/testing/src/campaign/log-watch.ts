import type { SlotOnDisk, StoredCheckpoints } from './stored-checkpoints.ts';

/**
 * Watches the log of slots of a job over all its lives.
 *
 * G1. A slot that was durable never changes while it counts.
 * G2. A process that says a checkpoint is complete has a durable slot for it, and the last claim
 *     before that slot is its own: no two generations complete a checkpoint after one slot.
 * G3. No checkpoint id is completed twice.
 * G4. All runs of a checkpoint that is told to be complete are durable.
 * G5. As long as the manifest of a complete checkpoint is there, so are its runs: nobody deletes
 *     them first. (A power failure may bring back a manifest whose deletion was not durable.)
 */
export class LogWatch {
  readonly #stored: StoredCheckpoints;
  readonly #report: (message: string) => void;
  readonly #durable = new Map<number, SlotOnDisk>();
  /** Names of manifests that lacked runs when an owner began. */
  readonly #broken = new Set<string>();
  #lastGeneration = 0;
  readonly #completedBy = new Map<number, number>();

  constructor(stored: StoredCheckpoints, report: (message: string) => void) {
    this.#stored = stored;
    this.#report = report;
  }

  /** To be called when the log's directory was synced. */
  look(): void {
    const slots = this.#stored.slots('durable');
    const lastClaim = slots.findLast(({ kind }) => kind === 'claim')?.sequence ?? 0;
    for (const slot of slots) {
      const known = this.#durable.get(slot.sequence);
      // A sleeper may create a slot that was taken and pruned long ago: it stands before the claim
      // of the owner who pruned, and so it does not count (L4).
      const isLeftover = slot.sequence < lastClaim;
      if (known === undefined) this.#durable.set(slot.sequence, slot);
      else if (known.writer !== slot.writer && !isLeftover) {
        this.#report(`G1: slot ${slot.sequence} changed its writer`);
      }
    }
  }

  /** A process of a generation has told that a checkpoint is complete. */
  onCompleted(generation: number, checkpointId: number): void {
    this.look();
    this.#checkKept(generation);
    const before = this.#completedBy.get(checkpointId);
    if (before !== undefined) {
      this.#report(`G3: checkpoint ${checkpointId} complete for ${before} and for ${generation}`);
    }
    this.#completedBy.set(checkpointId, generation);
    const sequences = [...this.#durable.keys()].sort((a, b) => a - b);
    let owner: number | null = null;
    for (const sequence of sequences) {
      const slot = this.#durable.get(sequence)!;
      if (slot.kind === 'claim') owner = slot.generation;
      else if (slot.checkpointId === checkpointId && slot.generation === generation) {
        if (owner === generation) this.#checkRuns(slot);
        else this.#report(`G2: checkpoint ${checkpointId} of ${generation} follows claim ${owner}`);
        return;
      }
    }
    this.#report(`G2: checkpoint ${checkpointId} of ${generation} has no durable slot`);
  }

  // What is broken when the first checkpoint of an owner completes was so before: no report.
  #checkKept(generation: number): void {
    const isFirst = generation !== this.#lastGeneration;
    this.#lastGeneration = generation;
    for (const slot of this.#stored.complete('content')) {
      const manifest = this.#stored.manifest(slot, 'content');
      if (manifest?.generation !== slot.generation || this.#broken.has(slot.manifest)) continue;
      const root = this.#stored.rootOf(slot);
      for (const { file } of this.#stored.runsInFiles(manifest)) {
        if (this.#stored.files.bytes(`${root}/${file}`, 'content') !== null) continue;
        const id = slot.checkpointId;
        if (isFirst) this.#broken.add(slot.manifest);
        else this.#report(`G5: checkpoint ${id} is kept and needs ${file}, which is gone`);
      }
    }
  }

  #checkRuns(slot: SlotOnDisk): void {
    const root = this.#stored.rootOf(slot);
    const manifest = this.#stored.manifest(slot, 'durable');
    for (const run of manifest === null ? [] : this.#stored.runsInFiles(manifest)) {
      const bytes = this.#stored.files.bytes(`${root}/${run.file}`, 'durable');
      if (bytes !== null && bytes.length >= run.offset + run.length) continue;
      this.#report(`G4: checkpoint ${slot.checkpointId} needs ${run.file}, which is not durable`);
    }
  }
}
