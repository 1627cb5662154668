import type { Environment } from '../base/environment.ts';
import { encodeManifest, type Manifest } from '../checkpoint/manifest.ts';
import { MANIFEST_NAME, SHARED_PREFIX } from '../checkpoint/paths.ts';
import type { CheckpointSlot } from '../checkpoint/slot-log.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { ManifestTakenError } from './coordinator-errors.ts';
import type { LogOwner } from './log-owner.ts';
import { writeManifest } from './manifest-store.ts';
import { copyRuns } from './run-copier.ts';
import { withRetries } from './storage-retry.ts';

const ATTEMPTS = 5;

/** Where a savepoint goes. */
export interface SavepointTarget {
  /** Rooted at the savepoint's own, empty directory. */
  readonly storage: CheckpointStorage;
  /** That directory, as the user knows it. */
  readonly path: string;
}

/** What is to be made durable. */
export interface WriteOrder {
  readonly manifest: Manifest;
  /** null: not a savepoint. */
  readonly target: SavepointTarget | null;
  readonly isStop: boolean;
  /** Whether no newer checkpoint is complete; an older savepoint must not become the latest. */
  readonly isNewest: boolean;
}

/** What was made durable. */
export interface WriteResult {
  /** For people: the savepoint's directory, else the manifest's name. */
  readonly path: string;
  /** Its place in the log; null if it has none. */
  readonly entry: { readonly sequence: number; readonly slot: CheckpointSlot } | null;
}

/**
 * Makes a checkpoint complete:
 *
 *   savepoint: copy runs -> its manifest --+
 *                                          v
 *   checkpoint: ------------------------> manifest -> slot of the log
 *
 * W1. A savepoint is a checkpoint of the log, too: sinks commit what it holds, so a restart must
 *     not go back behind it. Its own directory belongs to the user and may be moved away.
 * W2. A savepoint's manifest is written after all of its runs: if it is there, it is whole.
 * W3. Until the slot is tried a failure means: certainly not complete.
 */
export class CheckpointWriter {
  readonly #storage: CheckpointStorage;
  readonly #environment: Environment;
  readonly #owner: LogOwner;

  constructor(storage: CheckpointStorage, environment: Environment, owner: LogOwner) {
    this.#storage = storage;
    this.#environment = environment;
    this.#owner = owner;
  }

  /** @throws JobFencedError, or the storage's error */
  async write({ manifest, target, isStop, isNewest }: WriteOrder): Promise<WriteResult> {
    if (target !== null) await this.#writeSavepoint(manifest, target);
    const path = target?.path;
    if (!isNewest) return { path: path ?? '', entry: null };
    const written = await writeManifest(this.#storage, this.#environment, manifest).catch(
      (error: unknown) => this.#failTaken(error),
    );
    const { checkpointId, kind: snapshotKind } = manifest;
    const entry = await this.#owner.complete({ checkpointId, snapshotKind, isStop, ...written });
    return { path: path ?? written.manifest, entry };
  }

  // Whoever took the name may have replaced this process. It would stay one id ahead of this one,
  // which would then never try for a slot, and never find out.
  async #failTaken(error: unknown): Promise<never> {
    if (error instanceof ManifestTakenError) await this.#owner.confirm();
    throw error;
  }

  async #writeSavepoint(manifest: Manifest, { storage }: SavepointTarget): Promise<void> {
    let number = 0;
    const copied = await copyRuns(manifest, {
      environment: this.#environment,
      from: this.#storage,
      to: storage,
      nextName: () => `${SHARED_PREFIX}${++number}.run`,
    });
    await withRetries(this.#environment, ATTEMPTS, () =>
      storage.put(MANIFEST_NAME, [encodeManifest(copied)]),
    );
  }
}
