import type { Environment } from '../base/environment.ts';
import type { Manifest } from '../checkpoint/manifest.ts';
import { mapRuns } from '../checkpoint/map-runs.ts';
import { runIdOf } from '../state/run-reference.ts';
import type { RunReference } from '../state/snapshot.ts';
import { CopyInterruptedError } from './coordinator-errors.ts';
import type { RoutedStorage } from './routed-storage.ts';
import { copyRun, inParallel } from './run-copier.ts';

/** Few: the job runs beside it. */
const PARALLEL = 2;

/** What a copier needs. */
export interface ForeignCopierOptions {
  readonly environment: Environment;
  readonly storage: RoutedStorage;
  /** Each once. */
  readonly runs: readonly RunReference[];
  /** @returns a name in the job's own directory that was never used */
  readonly nextName: () => string;
}

/**
 * Copies the runs of a snapshot that does not belong to the job, while the job runs on them.
 *
 *   begin --> copying --all durable--> copied
 *                ^  |
 *      next call |  | failed, also after repetitions
 *                +--+
 *
 * N1. No checkpoint of the job is stored before everything is copied, so none of them needs the
 *     other directory.
 * N2. A copy is in use as long as its original is: tasks know only that one.
 * N3. Whoever waits can be interrupted: a restart does not wait for a long copy, which goes on.
 */
export class ForeignCopier {
  readonly #options: ForeignCopierOptions;
  readonly #missing: Set<RunReference>;
  readonly #copies = new Map<string, RunReference>();
  readonly #originals = new Map<string, string>();
  #running: Promise<void> | null = null;
  #interruption = Promise.withResolvers<never>();
  #isAbandoned = false;

  constructor(options: ForeignCopierOptions) {
    this.#options = options;
    this.#missing = new Set(options.runs);
    this.#interruption.promise.catch(() => {});
  }

  get isDone(): boolean {
    return this.#missing.size === 0;
  }

  /** Ids of all copies that there are. */
  get copyIds(): string[] {
    return [...this.#copies.values()].map(runIdOf);
  }

  /**
   * Goes on with copying and resolves when all is copied.
   *
   * @throws CopyInterruptedError, or why it failed; then it may be called again
   */
  async copied(): Promise<void> {
    if (this.isDone) return;
    this.#running ??= this.#copyAll().finally(() => {
      this.#running = null;
    });
    this.#running.catch(() => {}); // an interruption may have been first
    await Promise.race([this.#running, this.#interruption.promise]);
  }

  /** N3. */
  interrupt(): void {
    this.#interruption.reject(
      new CopyInterruptedError('the copy of the restored snapshot goes on', {
        missing: this.#missing.size,
      }),
    );
    this.#interruption = Promise.withResolvers<never>();
    this.#interruption.promise.catch(() => {});
  }

  /** Ends it, after what is under way. */
  abandon(): void {
    this.#isAbandoned = true;
    this.interrupt();
  }

  /** The same manifest with copies instead of originals, as far as there are copies. */
  withCopies(manifest: Manifest): Manifest {
    return mapRuns(manifest, (run) => {
      const copy = this.#copies.get(runIdOf(run));
      return copy === undefined ? run : { ...run, file: copy.file, offset: copy.offset };
    });
  }

  /** Names of the objects that runs of a foreign one were copied to. */
  copiesOf(original: string): string[] {
    return [...this.#originals].filter(([, from]) => from === original).map(([copy]) => copy);
  }

  /** Null for what is no copy. */
  originalOf(copy: string): string | null {
    return this.#originals.get(copy) ?? null;
  }

  async #copyAll(): Promise<void> {
    const { environment, storage, nextName } = this.#options;
    await inParallel([...this.#missing], PARALLEL, async (run) => {
      if (this.#isAbandoned) throw new CopyInterruptedError('the job has ended', { missing: 0 });
      const names: string[] = [];
      const name = (): string => {
        names.push(nextName());
        this.#originals.set(names.at(-1)!, run.file);
        return names.at(-1)!;
      };
      const copy = await copyRun(run, { environment, from: storage, to: storage, nextName: name });
      this.#copies.set(runIdOf(run), copy);
      this.#missing.delete(run);
      storage.redirect(run, copy);
    });
  }
}
