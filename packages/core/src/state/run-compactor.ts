import type { Environment } from '../base/environment.ts';
import { messageOf } from '../base/errors.ts';
import { compactRunsJob } from './compact-runs-job.ts';
import type { LiveRuns } from './live-runs.ts';
import { readRunSlice } from './run-slice.ts';
import type { RunStore } from './run-store.ts';
import type { RunCompression } from './run-writer.ts';
import type { RunReference } from './snapshot.ts';

/** What the compactor needs; the same for its whole life. */
export interface RunCompactorOptions {
  readonly environment: Environment;
  readonly operatorUid: string;
  readonly runStore: RunStore;
  /** Whoever persists adds to it, the compactor replaces. */
  readonly runs: LiveRuns;
  readonly compression: RunCompression;
  /** How many of the newest runs to merge now. */
  readonly compaction: (runBytes: readonly number[]) => number;
}

/** Keeps the list of live runs small by merging, one merge at a time, in a lane of its own. */
export class RunCompactor {
  readonly #options: RunCompactorOptions;
  #isCompacting = false;
  #isClosed = false;

  constructor(options: RunCompactorOptions) {
    this.#options = options;
  }

  /** Looks whether there is something to merge, and begins with it; never waits. */
  consider(): void {
    if (this.#isCompacting || this.#isClosed) return;
    const { newestFirst } = this.#options.runs;
    const count = this.#options.compaction(newestFirst.map(({ length }) => length));
    if (count === 0) return;
    this.#isCompacting = true;
    const picked = newestFirst.slice(0, count);
    this.#compact(picked, count === newestFirst.length)
      .catch((error: unknown) => this.#report(error))
      .finally(() => {
        this.#isCompacting = false;
      });
  }

  /** Nothing is replaced any more; work in flight comes to nothing. */
  close(): void {
    this.#isClosed = true;
  }

  async #compact(picked: readonly RunReference[], includesOldest: boolean): Promise<void> {
    const { environment, runStore, runs, compression } = this.#options;
    const slices = await Promise.all(
      picked.map((reference) => readRunSlice(runStore, reference, reference.keyGroups)),
    );
    if (this.#isClosed) return;
    const nowMs = environment.clock.nowMs();
    const input = { slices, includesOldest, nowMs, compression };
    const run = await environment.executor.run(compactRunsJob, input, 'compaction');
    if (this.#isClosed) return;
    const merged = run === null ? null : await runStore.write(run, true);
    // Newer runs may have come in front meanwhile; snapshots that were taken keep the old list.
    runs.replace(picked, merged);
    for (const reference of picked) runStore.letGo?.(reference);
  }

  #report(error: unknown): void {
    if (this.#isClosed) return;
    const { environment, operatorUid } = this.#options;
    const message = 'compaction of state failed, will be tried again';
    environment.logger.log('warn', message, { operatorUid, error: messageOf(error) });
  }
}
