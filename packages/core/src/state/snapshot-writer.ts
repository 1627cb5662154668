import { assert } from '../base/assert.ts';
import type { Environment } from '../base/environment.ts';
import { shapeRecord } from '../codec/shape-table.ts';
import { type BuildRunInput, buildRunJob } from './build-run-job.ts';
import type { DirtyLog } from './dirty-log.ts';
import type { LiveRuns } from './live-runs.ts';
import type { TableRecord } from './run-format.ts';
import type { RunCompactor } from './run-compactor.ts';
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
  /** At first the runs that the restored state stands in. */
  readonly runs: LiveRuns;
  readonly tables: () => readonly TableRecord[];
  readonly compression: RunCompression;
  readonly compactor: RunCompactor;
  /** A segment was sealed. */
  readonly onSealed: () => void;
}

/**
 * Turns frozen segments into runs, strictly one after the other. Compaction works beside it and
 * never makes a persist wait.
 */
export class SnapshotWriter {
  readonly #options: SnapshotWriterOptions;
  #broken: { readonly cause: unknown } | null = null;
  #close: (() => void) | null = null;
  readonly #closed: Promise<never>;

  constructor(options: SnapshotWriterOptions) {
    this.#options = options;
    for (const run of options.runs.newestFirst) options.runStore.hold?.(run);
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
    const { log, runStore, runs, compactor } = this.#options;
    await this.#encode(segment);
    if (segment.run === null && segment.stream.records > 0) await this.#buildRun(segment);
    if (segment.run !== null) {
      const reference = await runStore.write(segment.run);
      this.#checkOpen();
      runs.add(reference);
    }
    log.seal(segment); // only now: what is sealed can be read
    segment.runsWhenSealed = runs.newestFirst;
    this.#options.onSealed();
    compactor.consider();
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
