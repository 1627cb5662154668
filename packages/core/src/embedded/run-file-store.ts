import { assert } from '../base/assert.ts';
import type { Environment } from '../base/environment.ts';
import type { RunUse } from '../coordinator/run-use.ts';
import { backoff, mayRetry } from '../coordinator/storage-retry.ts';
import { inlineRun, readInline } from '../state/inline-run.ts';
import { referenceTo } from '../state/run-reference.ts';
import type { EncodedRun, RunStore } from '../state/run-store.ts';
import type { RunReference } from '../state/snapshot.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';

/** A run of so many bytes gets an object of its own: it is uploaded beside others. */
const OWN_OBJECT_BYTES = 8 * 2 ** 20;
/** Objects that are uploaded at the same time. */
const UPLOADS_MAX = 4;
const ATTEMPTS = 5;

interface WaitingRun {
  readonly run: EncodedRun;
  readonly isMerged: boolean;
  readonly resolve: (reference: RunReference) => void;
  readonly reject: (error: unknown) => void;
}

/** What a run store needs; one for each attempt. */
export interface RunFileStoreOptions {
  /** Rooted at the job's directory. */
  readonly storage: CheckpointStorage;
  readonly environment: Environment;
  /** A new object name on every call, never used before. */
  readonly nextName: () => string;
  /** The same for runs that stand in manifests. */
  readonly nextInlineName: () => string;
  /** Runs that come together and have no more bytes than this in all stand in the manifest. */
  readonly inlineBytesMax: number;
  readonly use: RunUse;
}

/**
 * Writes the runs of all operators of a thread into few objects (group commit): what arrives in one
 * turn goes into one object, or into the manifest if it is little. Large runs have objects of their
 * own. What arrives while as many objects as allowed are being written waits, and goes together.
 *
 * F1. A reference resolves only when its object is durable, or at once if it holds the run.
 * F2. An upload that failed and may be repeated is repeated under another name: what became of the
 *     first is not known. One that failed for good fails its runs, and no other; nothing refers to
 *     that object. Its runs are still with their owners, and go into the next checkpoint.
 */
export class RunFileStore implements RunStore {
  readonly #options: RunFileStoreOptions;
  #waiting: WaitingRun[] = [];
  #uploads = 0;
  #isDeferred = false;

  constructor(options: RunFileStoreOptions) {
    this.#options = options;
  }

  write(run: EncodedRun, isMerged = false): Promise<RunReference> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ run, isMerged, resolve, reject });
      if (this.#isDeferred) return;
      this.#isDeferred = true;
      // One turn later: the other operators of the same barrier may be as far by then.
      this.#options.environment.scheduler.defer(() => {
        this.#isDeferred = false;
        this.#writeWaiting();
      });
    });
  }

  async read(reference: RunReference, offset: number, length: number): Promise<Uint8Array> {
    if (reference.inline !== undefined) return readInline(reference, offset, length).slice();
    const { file } = reference;
    return this.#options.storage.getRange(file, reference.offset + offset, length);
  }

  readNow(reference: RunReference, offset: number, length: number): Uint8Array {
    if (reference.inline !== undefined) return readInline(reference, offset, length);
    const { storage } = this.#options;
    const read = storage.getRangeNow?.(reference.file, reference.offset + offset, length);
    assert(read !== undefined, 'the storage of runs can be read at once');
    return read;
  }

  hold({ file, inline }: RunReference): void {
    if (inline === undefined) this.#options.use.hold(file);
  }

  letGo({ file, inline }: RunReference): void {
    if (inline === undefined) this.#options.use.letGo(file);
  }

  #writeWaiting(): void {
    const { inlineBytesMax, nextInlineName } = this.#options;
    if (this.#waiting.length === 0 || this.#uploads >= UPLOADS_MAX) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.reduce((sum, { run }) => sum + run.length, 0) <= inlineBytesMax) {
      for (const { run, isMerged, resolve } of waiting) {
        resolve(inlineRun(nextInlineName(), run, isMerged));
      }
      return;
    }
    const small = waiting.filter(({ run }) => run.length < OWN_OBJECT_BYTES);
    const large = waiting.filter(({ run }) => run.length >= OWN_OBJECT_BYTES);
    const groups = [...large.map((one) => [one]), ...(small.length === 0 ? [] : [small])];
    const allowed = groups.splice(0, UPLOADS_MAX - this.#uploads);
    this.#waiting.push(...groups.flat());
    for (const group of allowed) void this.#writeGroup(group);
  }

  async #writeGroup(group: readonly WaitingRun[]): Promise<void> {
    this.#uploads++;
    try {
      const file = await this.#put(group);
      let offset = 0;
      for (const { run, isMerged, resolve } of group) {
        resolve(referenceTo(file, offset, run, isMerged));
        offset += run.length;
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
    this.#uploads--;
    this.#writeWaiting();
  }

  // F2
  async #put(group: readonly WaitingRun[]): Promise<string> {
    const { storage, environment, nextName, use } = this.#options;
    const chunks = group.flatMap(({ run }) => run.chunks);
    const { clock } = environment;
    const startedAtMs = clock.monotonicMs();
    for (let repetition = 0; ; repetition++) {
      const file = nextName();
      use.begin(file);
      try {
        await storage.put(file, chunks);
        use.durable(file, group.length, clock.monotonicMs() - startedAtMs);
        return file;
      } catch (error) {
        use.failed(file);
        if (!mayRetry(error) || repetition + 1 >= ATTEMPTS) throw error;
      }
      await backoff(environment, repetition);
    }
  }
}
