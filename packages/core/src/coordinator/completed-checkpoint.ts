import type { CheckpointId, SnapshotKind } from '../element/element.ts';
import type { CheckpointFigures } from '../checkpoint/manifest.ts';
import type { AbortReason } from '../protocol/messages.ts';

/** A completed checkpoint or savepoint, as a caller sees it. */
export interface CompletedCheckpoint {
  readonly checkpointId: CheckpointId;
  readonly kind: SnapshotKind;
  /** Of the manifest: relative to the storage for checkpoints, a directory for savepoints. */
  readonly path: string;
  readonly triggeredAtMs: number;
  readonly durationMs: number;
  /** Of runs: newly written (merged ones too), and in all. */
  readonly writtenBytes: number;
  readonly totalBytes: number;
  readonly figures: CheckpointFigures;
}

/** What the driver tells its host. */
export type CheckpointEvent =
  /** All that the job restored from there is copied: it is not needed any more. */
  | { readonly kind: 'released'; readonly directory: string }
  | { readonly kind: 'completed'; readonly checkpoint: CompletedCheckpoint }
  | {
      readonly kind: 'aborted';
      readonly checkpointId: CheckpointId;
      readonly reason: AbortReason;
      readonly detail: string;
      /** It was to be the last one; the attempt goes on. */
      readonly wasStop: boolean;
    };
