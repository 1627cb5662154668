import { fromTaggedJson, redistribute, toTaggedJson } from '@millrace/core/host';

type Json = ReturnType<typeof toTaggedJson>;

/** What one subtask of a sink leaves in a checkpoint. */
export interface SubtaskPart {
  readonly committables: readonly unknown[];
  readonly writerStates: readonly unknown[];
}

interface StoredCheckpoint {
  readonly id: number;
  readonly nextEpoch: number;
  readonly committables: readonly Json[];
  readonly writerStates: readonly (readonly Json[])[];
}

/** What an attempt begins with. */
export interface SinkRestore {
  /** 0: there is no checkpoint. */
  readonly checkpointId: number;
  readonly nextEpoch: number;
  readonly committables: readonly unknown[];
  /** Of all subtasks. */
  readonly live: readonly unknown[];
  /** @returns by subtask, dealt out to `parallelism` subtasks as a restore of a job does */
  writerStates(parallelism: number): unknown[][];
}

/**
 * The checkpoints of a job with one sink, as if on a storage that never loses anything: each goes
 * through the text that a manifest would hold. A process that has been taken over completes none.
 */
export class CheckpointLog {
  #generation = 0;
  #latest: StoredCheckpoint | null = null;
  readonly #everCompleted = new Map<string, Json>();

  /** A process takes the job over. @returns its generation, from 1 */
  claim(): number {
    return ++this.#generation;
  }

  get completedId(): number {
    return this.#latest?.id ?? 0;
  }

  /** Index of the first epoch that no complete checkpoint holds. */
  get nextEpoch(): number {
    return this.#latest?.nextEpoch ?? 0;
  }

  /** @returns false if the process has been taken over: nothing has happened then */
  complete(
    generation: number,
    id: number,
    nextEpoch: number,
    parts: readonly SubtaskPart[],
  ): boolean {
    if (generation !== this.#generation) return false;
    const stored: StoredCheckpoint = {
      id,
      nextEpoch,
      committables: parts.flatMap((part) => part.committables.map(asStored)),
      writerStates: parts.map((part) => part.writerStates.map(asStored)),
    };
    for (const one of stored.committables) this.#everCompleted.set(JSON.stringify(one), one);
    this.#latest = stored;
    return true;
  }

  restore(): SinkRestore {
    const latest = this.#latest;
    const states = latest?.writerStates ?? [];
    return {
      checkpointId: latest?.id ?? 0,
      nextEpoch: latest?.nextEpoch ?? 0,
      committables: (latest?.committables ?? []).map(fromTaggedJson),
      live: states.flat().map(fromTaggedJson),
      writerStates: (parallelism) =>
        redistribute('split', states, parallelism).map((own) => own.map(fromTaggedJson)),
    };
  }

  /** Every committable that a complete checkpoint has ever named, once each. */
  everCompleted(): unknown[] {
    return [...this.#everCompleted.values()].map(fromTaggedJson);
  }
}

function asStored(value: unknown): Json {
  return JSON.parse(JSON.stringify(toTaggedJson(value))) as Json;
}
