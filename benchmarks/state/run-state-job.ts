// The measured process of the benchmark `state`: one job, filled, then measured for some seconds.
//
//   node run-state-job.ts '{"query":"q18","keys":100000,...}'
//
// Progress to standard error, one JSON object to standard output, then it ends.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from 'millrace';
import { memoryOptions } from '../engine-memory.ts';
import { numberedSource } from '../numbered-source.ts';
import { PollTimes } from '../poll-times.ts';
import { ResultHash } from '../result-hash.ts';
import { type Distribution, KeyDraw } from './key-draw.ts';
import { StateEvents, type StateQuery } from './state-events.ts';
import { stateJob } from './state-jobs.ts';

/** What the process is told. */
export interface StateRunSpec {
  readonly query: StateQuery;
  readonly distribution: Distribution;
  readonly keys: number;
  /** Of the measurement, after all keys were seen once. */
  readonly seconds: number;
  readonly memoryBytes: number;
  readonly checkpointIntervalMs: number;
}

/** What it tells. Times in milliseconds. */
export interface StateRunResult {
  readonly fillEventsPerSecond: number;
  readonly eventsPerSecond: number;
  /** Per second of processor time, of all threads. */
  readonly eventsPerCpuSecond: number;
  readonly batchMsP50: number;
  readonly batchMsP99: number;
  readonly batchMsMax: number;
  readonly heapMaxBytes: number;
  /** Buffers of this thread outside of the heap. */
  readonly externalMaxBytes: number;
  readonly checkpoints: number;
  /** Keys and bodies written, before compression: the state as far as it was ever written. */
  readonly changedBytes: number;
  readonly totalBytes: number;
  /** What the engine counts of eviction, cold reads and its cache. */
  readonly engine: Readonly<Record<string, unknown>>;
  readonly milestones: readonly number[];
}

const ENGINE_METRICS = /^state/;

/** What is seen from inside the source: when the state was full, how far it read. */
class Reading {
  readonly times = new PollTimes();
  /** When every key had been seen once; 0 before. */
  filledAtMs = 0;
  filledCpuUs = 0;
  filledNext = 0;
  next = 0;
  endedAtMs = 0;
  endedCpuUs = 0;
  readonly #spec: StateRunSpec;
  readonly #over = Promise.withResolvers<void>();
  /** Resolves when the measurement has lasted long enough; nothing is read after it. */
  readonly over = this.#over.promise;

  constructor(spec: StateRunSpec) {
    this.#spec = spec;
  }

  readonly allowed = (next: number): number => {
    const { keys, seconds } = this.#spec;
    if (this.endedAtMs > 0) return 0;
    this.times.note();
    const nowMs = this.times.wall[this.times.count - 1]!;
    this.next = next;
    if (this.filledAtMs === 0) {
      if (next < keys) return keys - next;
      this.filledAtMs = nowMs;
      this.filledCpuUs = cpuUs();
      this.filledNext = next;
      process.stderr.write(`filled ${next} keys in ${Math.round(this.fillMs)} ms\n`);
    } else if (nowMs > this.filledAtMs + seconds * 1_000) {
      this.endedAtMs = nowMs;
      this.endedCpuUs = cpuUs();
      this.#over.resolve();
      return 0;
    }
    return 1_024;
  };

  get fillMs(): number {
    return this.filledAtMs - this.times.wall[0]!;
  }

  figures(): Pick<
    StateRunResult,
    | 'fillEventsPerSecond'
    | 'eventsPerSecond'
    | 'eventsPerCpuSecond'
    | 'batchMsP50'
    | 'batchMsP99'
    | 'batchMsMax'
  > {
    const { filledAtMs, endedAtMs, times } = this;
    const measured = this.next - this.filledNext;
    const gap = (share: number): number => round2(times.gap('wall', share, filledAtMs, endedAtMs));
    return {
      fillEventsPerSecond: Math.round((this.filledNext * 1_000) / this.fillMs),
      eventsPerSecond: Math.round((measured * 1_000) / (endedAtMs - filledAtMs)),
      eventsPerCpuSecond: Math.round((measured * 1e6) / (this.endedCpuUs - this.filledCpuUs)),
      batchMsP50: gap(0.5),
      batchMsP99: gap(0.99),
      batchMsMax: gap(1),
    };
  }
}

async function main(spec: StateRunSpec): Promise<void> {
  const reading = new Reading(spec);
  const events = new StateEvents(spec.query, new KeyDraw(spec.keys, spec.distribution));
  const results = new ResultHash();
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-state-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  let [heapMaxBytes, externalMaxBytes] = [0, 0];
  let [checkpoints, changedBytes, totalBytes] = [0, 0, 0];
  const source = numberedSource({ at: (n) => events.at(n), allowed: reading.allowed });
  const execution = await run(stateJob(spec.query, source, results), {
    from: 'none',
    ...memoryOptions(spec.memoryBytes),
    restart: { kind: 'none' },
    checkpoints: { directory, intervalMs: spec.checkpointIntervalMs, tolerableFailures: 10 },
    onEvent(event) {
      if (event.kind !== 'checkpointCompleted') return;
      checkpoints++;
      changedBytes += event.checkpoint.figures.changedBytes;
      totalBytes = event.checkpoint.totalBytes;
    },
  });
  const sampling = setInterval(() => {
    const { heapUsed, external } = process.memoryUsage();
    heapMaxBytes = Math.max(heapMaxBytes, heapUsed);
    externalMaxBytes = Math.max(externalMaxBytes, external);
  }, 200);
  await Promise.race([reading.over, execution.done]);
  clearInterval(sampling);
  const counted = execution.metrics().flatMap(({ more }) => Object.entries(more));
  const result: StateRunResult = {
    ...reading.figures(),
    heapMaxBytes,
    externalMaxBytes,
    checkpoints,
    changedBytes,
    totalBytes,
    engine: Object.fromEntries(counted.filter(([name]) => ENGINE_METRICS.test(name))),
    milestones: results.milestones,
  };
  await execution.cancel();
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function round2(figure: number): number {
  return Math.round(figure * 100) / 100;
}

if (process.argv[1] === import.meta.filename) await main(JSON.parse(process.argv[2]!));
