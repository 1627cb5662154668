import type { Environment } from '../base/environment.ts';
import { runsOf } from '../checkpoint/files-of.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { mapRuns } from '../checkpoint/map-runs.ts';
import { bytesOfInline } from '../state/inline-run.ts';
import { runIdOf } from '../state/run-reference.ts';
import type { RunReference } from '../state/snapshot.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { withRetries } from './storage-retry.ts';

/** Bytes of runs that may stand in a manifest. */
export const INLINE_BYTES_MAX = 256 << 10;
const ATTEMPTS = 5;

/** A manifest that is to be written, and what is to be known when it was. */
export interface FittedManifest {
  readonly manifest: Manifest;
  /** An object that was written for it; null if none was. */
  readonly file: string | null;
  /** By id of a run that a task told as one of the manifest: where it is. */
  readonly moved: ReadonlyMap<string, RunReference>;
}

/**
 * Keeps manifests small: if the runs in one are too many in all, they move into an object.
 *
 * I1. A run is moved once: later manifests refer to the object, although tasks still tell the run.
 * I2. What is moved is only believed while the newest complete checkpoint refers to it: as long as
 *     that is so, nobody deletes the object.
 */
export class InlineBudget {
  readonly #storage: CheckpointStorage;
  readonly #environment: Environment;
  readonly #bytesMax: number;
  /** By id of a run that stood in a manifest: where it is now. */
  #moved: ReadonlyMap<string, RunReference> = new Map();

  constructor(storage: CheckpointStorage, environment: Environment, bytesMax = INLINE_BYTES_MAX) {
    this.#storage = storage;
    this.#environment = environment;
    this.#bytesMax = bytesMax;
  }

  /**
   * @param nextName a name for an object that was never used
   * @throws the storage's error
   */
  async fit(manifest: Manifest, nextName: () => string): Promise<FittedManifest> {
    const moved = new Map<string, RunReference>();
    const staying = new Map<string, RunReference>();
    for (const run of runsOf(manifest)) {
      if (run.inline === undefined) continue;
      const known = this.#moved.get(runIdOf(run));
      if (known !== undefined) moved.set(runIdOf(run), known);
      else staying.set(runIdOf(run), run);
    }
    const bytes = [...staying.values()].reduce((sum, { length }) => sum + length, 0);
    let file: string | null = null;
    if (bytes > this.#bytesMax) {
      file = nextName();
      await this.#move(staying, file, moved);
    }
    const fitted = mapRuns(manifest, (run) => {
      const to = moved.get(runIdOf(run));
      // Its own key groups: it may be cut differently for several subtasks.
      return to === undefined ? run : { ...to, keyGroups: run.keyGroups };
    });
    return { manifest: fitted, file, moved };
  }

  /** The fitted manifest is that of the newest complete checkpoint (I2). */
  accept({ moved }: FittedManifest): void {
    this.#moved = moved;
  }

  async #move(
    runs: ReadonlyMap<string, RunReference>,
    file: string,
    moved: Map<string, RunReference>,
  ): Promise<void> {
    let offset = 0;
    for (const [id, { inline: _, ...run }] of runs) {
      moved.set(id, { ...run, file, offset, isMerged: true });
      offset += run.length;
    }
    const chunks = [...runs.values()].map(bytesOfInline);
    await withRetries(this.#environment, ATTEMPTS, () => this.#storage.put(file, chunks));
  }
}
