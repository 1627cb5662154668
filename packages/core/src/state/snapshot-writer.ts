import { assert } from '../base/assert.ts';
import type { Environment } from '../base/environment.ts';
import { messageOf } from '../base/errors.ts';
import { shapeRecord } from '../codec/shape-table.ts';
import { type BuildRunInput, buildRunJob } from './build-run-job.ts';
import { compactRunsJob } from './compact-runs-job.ts';
import type { DirtyLog } from './dirty-log.ts';
import type { TableRecord } from './run-format.ts';
import { readRunSlice } from './run-slice.ts';
import type { RunStore } from './run-store.ts';
import type { RunCompression } from './run-writer.ts';
import type { Segment } from './segment.ts';
import type { RunReference } from './snapshot.ts';
import { StateStoreClosedError } from './state-errors.ts';

/** How long encoding may hold up the data path at a time. */
const SLICE_MS = 2;

/** What the writer needs; the same for its whole life. */
export interface SnapshotWriterOptions {
  readonly environment: Environment;
  readonly operatorUid: string;
  readonly runStore: RunStore;
  readonly log: DirtyLog;
  /** Runs that the restored state stands in, newest first. */
  readonly restored: readonly RunReference[];
  readonly tables: () => readonly TableRecord[];
  readonly compression: RunCompression;
  /** How many of the newest runs to merge now. */
  readonly compaction: (runBytes: readonly number[]) => number;
}

/**
 * Turns frozen segments into runs, strictly one after the other, and keeps the list of live runs
 * small by compaction, which works beside it and never makes a persist wait.
 */
export class SnapshotWriter {
  readonly #options: SnapshotWriterOptions;
  #runs: RunReference[];
  #isCompacting = false;
  #broken: { readonly cause: unknown } | null = null;
  #close: (() => void) | null = null;
  readonly #closed: Promise<never>;

  constructor(options: SnapshotWriterOptions) {
    this.#options = options;
    this.#runs = [...options.restored];
    this.#closed = new Promise((_, reject) => {
      this.#close = () => {
        this.#close = null;
        reject(closedError(options.operatorUid));
      };
    });
    this.#closed.catch(() => {}); // nobody may be waiting
  }

  /**
   * Makes everything up to and including `segment` durable.
   *
   * @returns the live runs at the moment it sealed, newest first
   * @throws StateStoreClosedError, UnserializableValueError, what the run store throws
   */
  persist(segment: Segment): Promise<readonly RunReference[]> {
    assert(
      segment.state !== 'open' && segment.state !== 'merged',
      'what is persisted was frozen and not discarded',
    );
    for (const older of this.#options.log.chain) {
      if (older.high > segment.high) break;
      if (older.state === 'frozen') older.state = 'encoding'; // S5
    }
    const work = this.#persist(segment);
    work.catch(() => {}); // a close may have won the race
    return Promise.race([work, this.#closed]);
  }

  close(): void {
    this.#close?.();
  }

  async #persist(segment: Segment): Promise<readonly RunReference[]> {
    const { chain } = this.#options.log;
    while (segment.runsWhenSealed === null) {
      const next = chain[0];
      assert(next !== undefined, 'an unsealed segment is in the chain');
      next.driving ??= this.#drive(next).finally(() => {
        next.driving = null;
      });
      await next.driving;
    }
    return segment.runsWhenSealed;
  }

  async #drive(segment: Segment): Promise<void> {
    const { log, runStore } = this.#options;
    await this.#encode(segment);
    if (segment.run === null && segment.stream.records > 0) await this.#buildRun(segment);
    if (segment.run !== null) {
      const reference = await runStore.write(segment.run);
      this.#checkOpen();
      this.#runs.unshift(reference);
    }
    assert(log.chain[0] === segment, 'segments seal in the order of their epochs');
    log.chain.shift();
    segment.state = 'sealed';
    segment.run = null;
    segment.runsWhenSealed = [...this.#runs];
    this.#startCompaction();
  }

  async #encode(segment: Segment): Promise<void> {
    const { clock, scheduler } = this.#options.environment;
    while (segment.state !== 'encoded') {
      await new Promise<void>((resolve) => scheduler.defer(resolve));
      this.#checkOpen();
      this.#options.log.encodeSlice(segment, clock.monotonicMs() + SLICE_MS);
    }
  }

  async #buildRun(segment: Segment): Promise<void> {
    if (this.#broken !== null) throw this.#broken.cause;
    const input: BuildRunInput = {
      tables: this.#options.tables(),
      shapes: [...segment.stream.shapes].map(([keyGroup, shapes]) => ({
        keyGroup,
        shapes: [...shapes].map(shapeRecord),
      })),
      chunks: segment.stream.takeChunks(),
      compression: this.#options.compression,
    };
    try {
      segment.run = await this.#options.environment.executor.run(buildRunJob, input, 'persist');
    } catch (cause) {
      this.#broken = { cause }; // the chunks were given away: no later snapshot can be complete
      throw cause;
    }
    this.#checkOpen();
  }

  #startCompaction(): void {
    if (this.#isCompacting) return;
    const count = this.#options.compaction(this.#runs.map(({ length }) => length));
    if (count === 0) return;
    this.#isCompacting = true;
    const picked = this.#runs.slice(0, count);
    this.#compact(picked, count === this.#runs.length)
      .catch((error: unknown) => this.#reportCompaction(error))
      .finally(() => {
        this.#isCompacting = false;
      });
  }

  async #compact(picked: readonly RunReference[], includesOldest: boolean): Promise<void> {
    const { environment, runStore, compression } = this.#options;
    const slices = await Promise.all(
      picked.map((reference) => readRunSlice(runStore, reference, reference.keyGroups)),
    );
    if (this.#close === null) return;
    const nowMs = environment.clock.nowMs();
    const input = { slices, includesOldest, nowMs, compression };
    const run = await environment.executor.run(compactRunsJob, input, 'compaction');
    if (this.#close === null) return;
    const merged = run === null ? [] : [await runStore.write(run)];
    // Newer runs may have come in front meanwhile; snapshots that were taken keep the old list.
    const at = this.#runs.indexOf(picked[0]!);
    this.#runs.splice(at, picked.length, ...merged);
  }

  #reportCompaction(error: unknown): void {
    if (this.#close === null) return;
    this.#options.environment.logger.log(
      'warn',
      'compaction of state failed, will be tried again',
      {
        operatorUid: this.#options.operatorUid,
        error: messageOf(error),
      },
    );
  }

  #checkOpen(): void {
    if (this.#close === null) throw closedError(this.#options.operatorUid);
  }
}

function closedError(operatorUid: string): StateStoreClosedError {
  return new StateStoreClosedError(
    `the state of operator "${operatorUid}" was closed before the snapshot was written`,
    { operatorUid },
  );
}
