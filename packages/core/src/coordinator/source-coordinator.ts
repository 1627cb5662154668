import type { Environment } from '../base/environment.ts';
import { fromTaggedJson, toTaggedJson } from '../codec/tagged-json.ts';
import type { CheckpointId } from '../element/element.ts';
import type { Source, SourceSplit, SplitEnumerator } from '../function/source.ts';
import type { Json } from '../state/snapshot.ts';

/** How split assignments reach the readers; in order with checkpoint triggers. */
export interface ReaderGateway {
  addSplits(subtaskIndex: number, splits: readonly SourceSplit[]): void;
  noMoreSplits(subtaskIndex: number): void;
  fail(error: unknown): void;
}

/** What one source begins with. */
export interface SourceRestore {
  /** Of the enumerator; undefined: fresh. */
  readonly enumerator: Json | undefined;
  /** Of all readers. */
  readonly splits: readonly SourceSplit[];
}

/**
 * Drives the enumerator of one source.
 *
 *   enumerator --assign--> (in order) --trigger--> reader
 *
 * S1. An assignment made before `snapshot` reaches its reader before the barrier of that
 *     checkpoint, one made after it reaches it after: a split is in exactly one of the two states.
 * S2. After a restore all splits of the readers go through the enumerator again: the parallelism
 *     may be another one.
 */
export class SourceCoordinator {
  readonly uid: string;
  readonly #enumerator: SplitEnumerator<SourceSplit, unknown>;
  readonly #restored: SourceRestore | null;

  constructor(
    uid: string,
    source: Source<unknown>,
    environment: Environment,
    parallelism: number,
    gateway: ReaderGateway,
    restored: SourceRestore | null,
  ) {
    this.uid = uid;
    this.#restored = restored;
    this.#enumerator = source.createEnumerator(
      {
        environment,
        operatorUid: uid,
        parallelism,
        // A copy: the reader moves its splits' positions, the enumerator must not see that.
        assignSplits: (subtaskIndex, splits) => gateway.addSplits(subtaskIndex, splits.map(copyOf)),
        signalNoMoreSplits: (subtaskIndex) => gateway.noMoreSplits(subtaskIndex),
        fail: (error) => gateway.fail(error),
      },
      restored?.enumerator === undefined ? undefined : fromTaggedJson(restored.enumerator),
    );
  }

  /** S2, then the enumerator's own start. */
  start(): void {
    const splits = this.#restored?.splits ?? [];
    if (splits.length > 0) this.#enumerator.addSplitsBack(splits);
    this.#enumerator.start();
  }

  onSplitRequest(subtaskIndex: number): void {
    this.#enumerator.onSplitRequest(subtaskIndex);
  }

  /** S1. */
  snapshot(checkpointId: CheckpointId): Json {
    return toTaggedJson(this.#enumerator.snapshot(checkpointId));
  }

  notifyCheckpointComplete(checkpointId: CheckpointId): void {
    this.#enumerator.notifyCheckpointComplete?.(checkpointId);
  }

  close(): void {
    this.#enumerator.close();
  }
}

function copyOf<T>(split: T): T {
  return fromTaggedJson(toTaggedJson(split)) as T;
}
