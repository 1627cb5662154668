import { assert } from '../base/assert.ts';
import type { Environment } from '../base/environment.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import type { EncodedRun, RunStore } from '../state/run-store.ts';
import type { RunReference } from '../state/snapshot.ts';

interface WaitingRun {
  readonly run: EncodedRun;
  readonly resolve: (reference: RunReference) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes the runs of all operators of a thread into few objects (group commit): what arrives while
 * one object is being written goes into the next one together.
 *
 * F1. A reference resolves only when its object is durable.
 * F2. A failed write fails every run in it; nothing refers to that object.
 */
export class RunFileStore implements RunStore {
  readonly #storage: CheckpointStorage;
  readonly #environment: Environment;
  readonly #nextName: () => string;
  #waiting: WaitingRun[] = [];
  #writing = false;

  /** @param nextName a new object name on every call, never used before */
  constructor(storage: CheckpointStorage, environment: Environment, nextName: () => string) {
    this.#storage = storage;
    this.#environment = environment;
    this.#nextName = nextName;
  }

  write(run: EncodedRun): Promise<RunReference> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ run, resolve, reject });
      if (this.#writing) return;
      this.#writing = true;
      // One turn later: the other operators of the same barrier may be as far by then.
      this.#environment.scheduler.defer(() => void this.#writeWaiting());
    });
  }

  read(reference: RunReference, offset: number, length: number): Promise<Uint8Array> {
    return this.#storage.getRange(reference.file, reference.offset + offset, length);
  }

  readNow(reference: RunReference, offset: number, length: number): Uint8Array {
    const { file } = reference;
    const read = this.#storage.getRangeNow?.(file, reference.offset + offset, length);
    assert(read !== undefined, 'the storage of runs can be read at once');
    return read;
  }

  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      const file = this.#nextName();
      try {
        await this.#storage.put(
          file,
          group.flatMap((entry) => entry.run.chunks),
        );
        let offset = 0;
        for (const { run, resolve } of group) {
          resolve(referenceOf(run, file, offset));
          offset += run.length;
        }
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#writing = false;
  }
}

function referenceOf(run: EncodedRun, file: string, offset: number): RunReference {
  return {
    file,
    offset,
    length: run.length,
    crc32: run.crc32,
    keyGroups: { first: run.firstKeyGroup, last: run.lastKeyGroup },
    entries: run.entries,
  };
}
