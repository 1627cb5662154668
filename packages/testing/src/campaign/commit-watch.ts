import { toTaggedJson } from '@millrace/core/host';
import type { SlotOnDisk, StoredCheckpoints } from './stored-checkpoints.ts';

/**
 * Sees every commit before it takes effect, and looks for the committable in the manifests that
 * would survive a loss of power at this moment: a commit of anything else could not be repeated.
 */
export class CommitWatch {
  readonly #stored: StoredCheckpoints;
  readonly #report: (message: string) => void;
  /** All committables ever seen in a durable manifest of a complete checkpoint, as JSON. */
  readonly #durable = new Set<string>();
  readonly #seen = new Set<string>();
  commits = 0;

  constructor(stored: StoredCheckpoints, report: (message: string) => void) {
    this.#stored = stored;
    this.#report = report;
  }

  /** To be called whenever the log may have grown: old checkpoints are deleted later. */
  look(): void {
    for (const slot of this.#stored.complete('durable')) this.#take(slot);
  }

  onCommit(operatorUid: string, committables: readonly unknown[]): void {
    this.look();
    this.commits += committables.length;
    for (const committable of committables) {
      const json = JSON.stringify(toTaggedJson(committable));
      if (this.#durable.has(json)) continue;
      this.#report(`"${operatorUid}" commits ${json}, which no durable complete checkpoint holds`);
    }
  }

  #take(slot: SlotOnDisk): void {
    const name = `${slot.sequence}/${slot.writer}`;
    if (this.#seen.has(name)) return;
    const manifest = this.#stored.manifest(slot, 'durable');
    if (manifest === null) {
      this.#report(`slot ${slot.sequence} is durable, its manifest ${slot.manifest} is not`);
      this.#seen.add(name);
      return;
    }
    this.#seen.add(name);
    for (const { subtasks } of Object.values(manifest.operators)) {
      for (const { lists } of subtasks) {
        for (const { name: list, elements } of lists) {
          if (list !== 'committables') continue;
          for (const element of elements) this.#durable.add(JSON.stringify(element));
        }
      }
    }
  }
}
