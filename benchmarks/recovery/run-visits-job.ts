// The process that the benchmark `recovery` kills and starts again.
//
//   node run-visits-job.ts '{"keys":1000,"directory":"...",...}'
//
// Tells what happens by lines of JSON on standard output: `{"event":"...","atMs":<wall clock>}`.
import { openSync, writeSync } from 'node:fs';
import type { Sink } from '@millrace/core/connector';
import { run } from 'millrace';
import { memoryOptions } from '../engine-memory.ts';
import { numberedSource } from '../numbered-source.ts';
import { isRight, visitAt, type VisitResult, visitsJob } from './counted-visits.ts';

/** What the process is told. */
export interface VisitsRunSpec {
  readonly keys: number;
  /** Path or URL of the checkpoints. */
  readonly directory: string;
  /** As the option of `run`. */
  readonly from: string;
  /** Visit every key once, stop with a last checkpoint, and end. */
  readonly isFilling: boolean;
  /** After the filling, visits a second by the wall clock. */
  readonly rate: number;
  /** Visit `n` is due at `atMs`; null: whatever comes first is due at once. */
  readonly origin: { readonly n: number; readonly atMs: number } | null;
  readonly checkpointIntervalMs: number;
  readonly memoryBytes: number | null;
  /** Number of the last visit whose result is out, kept up to date: it survives a kill. */
  readonly progressFile: string;
}

/** What it tells. */
export type VisitsEvent = { readonly atMs: number } & (
  | { readonly event: 'started' | 'caughtUp' | 'released' | 'filled' }
  | { readonly event: 'origin' | 'firstOutput' | 'checkpoint'; readonly n: number }
  | { readonly event: 'restored'; readonly durationMs: number }
  | { readonly event: 'newOutput'; readonly n: number }
  | { readonly event: 'wrong'; readonly result: VisitResult }
);

type Told = VisitsEvent extends infer E ? (E extends unknown ? Omit<E, 'atMs'> : never) : never;

function tell(event: Told): void {
  writeSync(1, `${JSON.stringify({ ...event, atMs: Date.now() })}\n`);
}

/** Decides what is due, and looks at every result. */
class Visits {
  /** The last visit whose result is out. */
  last = -1;
  readonly #spec: VisitsRunSpec;
  readonly #newFrom: number;
  readonly #progress: number;
  #origin: VisitsRunSpec['origin'];
  #isCaughtUp = false;
  readonly filled = Promise.withResolvers<void>();

  constructor(spec: VisitsRunSpec, newFrom: number) {
    this.#spec = spec;
    this.#newFrom = newFrom;
    this.#origin = spec.origin;
    this.#progress = openSync(spec.progressFile, 'w');
  }

  readonly source = numberedSource({
    at: (n) => visitAt(n, this.#spec.keys),
    allowed: (next) => {
      this.#noteProgress();
      const { keys, rate, isFilling } = this.#spec;
      if (isFilling) {
        if (next >= keys) this.filled.resolve();
        return Math.max(0, keys - next);
      }
      if (this.#origin === null) {
        this.#origin = { n: next, atMs: Date.now() };
        tell({ event: 'origin', n: next });
      }
      const due = this.#origin.n + ((Date.now() - this.#origin.atMs) * rate) / 1_000;
      if (due < next + 1 && !this.#isCaughtUp) {
        this.#isCaughtUp = true;
        tell({ event: 'caughtUp' });
      }
      return Math.max(0, Math.floor(due) - next);
    },
  });

  readonly sink: Sink<VisitResult> = {
    name: 'checked',
    delivery: 'at-least-once',
    createWriter: () => ({
      write: (result) => {
        if (!isRight(result, this.#spec.keys)) {
          tell({ event: 'wrong', result });
          process.exit(3);
        }
        if (!this.#spec.isFilling) {
          if (this.last < 0) tell({ event: 'firstOutput', n: result.n });
          if (result.n === this.#newFrom) tell({ event: 'newOutput', n: result.n });
        }
        this.last = result.n;
      },
      ready: () => null,
      prepareCommit: () => async () => ({ committables: [], writerStates: [] }),
      close: async () => {},
    }),
  };

  #noteProgress(): void {
    if (this.last >= 0) writeSync(this.#progress, String(this.last).padStart(16), 0);
  }
}

async function main(spec: VisitsRunSpec, newFrom: number): Promise<void> {
  tell({ event: 'started' });
  const visits = new Visits(spec, newFrom);
  const execution = await run(visitsJob(visits.source, visits.sink), {
    from: spec.from,
    restart: { kind: 'none' },
    ...(spec.memoryBytes !== null && memoryOptions(spec.memoryBytes)),
    checkpoints: { directory: spec.directory, intervalMs: spec.checkpointIntervalMs },
    onEvent(event) {
      if (event.kind === 'restored') tell({ event: 'restored', durationMs: event.durationMs });
      if (event.kind === 'snapshotReleased') tell({ event: 'released' });
      if (event.kind === 'checkpointCompleted') tell({ event: 'checkpoint', n: visits.last });
    },
  });
  if (!spec.isFilling) return void (await execution.done);
  await Promise.race([visits.filled.promise, execution.done]);
  await execution.stop();
  tell({ event: 'filled' });
}

await main(JSON.parse(process.argv[2]!), Number(process.argv[3] ?? Number.NaN));
