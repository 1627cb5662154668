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
  readonly checkpoints: number;
  /** Keys and bodies written, before compression: the state as far as it was ever written. */
  readonly changedBytes: number;
  readonly totalBytes: number;
  /** What the engine counts of eviction, cold reads and its cache. */
  readonly engine: Readonly<Record<string, unknown>>;
  readonly milestones: readonly number[];
}

const ENGINE_METRICS = /cold|cache|spill|evict|prefetch|resident|hit|miss|memory|park/i;

async function main(spec: StateRunSpec): Promise<void> {
  const times = new PollTimes();
  const events = new StateEvents(spec.query, new KeyDraw(spec.keys, spec.distribution));
  const results = new ResultHash();
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-state-'));
  const filled = { atMs: 0, cpuUs: 0, next: 0 };
  let next = 0;
  let isOver = false;
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const source = numberedSource({
    at: (n) => events.at(n),
    allowed(at) {
      times.note();
      next = at;
      const nowMs = times.wall[times.count - 1]!;
      if (filled.atMs === 0 && at >= spec.keys) {
        Object.assign(filled, { atMs: nowMs, cpuUs: cpuUs(), next: at });
        process.stderr.write(`filled ${at} keys in ${Math.round(nowMs - times.wall[0]!)} ms\n`);
      }
      if (filled.atMs > 0 && nowMs > filled.atMs + spec.seconds * 1_000) end();
      if (isOver) return 0;
      return filled.atMs === 0 ? spec.keys - at : 1_024;
    },
  });
  let heapMaxBytes = 0;
  let [checkpoints, changedBytes, totalBytes] = [0, 0, 0];
  const execution = await run(stateJob(spec.query, source, results), {
    from: 'none',
    ...memoryOptions(spec.memoryBytes),
    checkpoints: { directory, intervalMs: spec.checkpointIntervalMs, tolerableFailures: 10 },
    onEvent(event) {
      if (event.kind === 'failure') throw event.error;
      if (event.kind !== 'checkpointCompleted') return;
      checkpoints++;
      changedBytes += event.checkpoint.figures.changedBytes;
      totalBytes = event.checkpoint.totalBytes;
    },
  });
  const sampling = setInterval(() => {
    heapMaxBytes = Math.max(heapMaxBytes, process.memoryUsage().heapUsed);
  }, 200);
  execution.done.catch((error) => {
    console.error(error);
    process.exit(1);
  });
  await over;
  isOver = true;
  const endMs = performance.now();
  const cpuSeconds = (cpuUs() - filled.cpuUs) / 1e6;
  const measured = next - filled.next;
  const gap = (share: number): number => round2(times.gap('wall', share, filled.atMs, endMs));
  const result: StateRunResult = {
    fillEventsPerSecond: Math.round((filled.next * 1_000) / (filled.atMs - times.wall[0]!)),
    eventsPerSecond: Math.round((measured * 1_000) / (endMs - filled.atMs)),
    eventsPerCpuSecond: Math.round(measured / cpuSeconds),
    batchMsP50: gap(0.5),
    batchMsP99: gap(0.99),
    batchMsMax: gap(1),
    heapMaxBytes,
    checkpoints,
    changedBytes,
    totalBytes,
    engine: Object.fromEntries(
      execution
        .metrics()
        .flatMap(({ more }) => Object.entries(more))
        .filter(([name]) => ENGINE_METRICS.test(name)),
    ),
    milestones: results.milestones,
  };
  clearInterval(sampling);
  await execution.cancel();
  rmSync(directory, { recursive: true, force: true });
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(0);
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function round2(figure: number): number {
  return Math.round(figure * 100) / 100;
}

if (process.argv[1] === import.meta.filename) await main(JSON.parse(process.argv[2]!));
