// What checkpoints cost: bytes, time, pauses, throughput.
//
//   npm run bench:checkpoint -- [--size 1gb] [--changed 0.01] [--checkpoints 30]
//     [--interval 1000] [--rate N] [--memory 512mb] [--directory path or URL] [--json]
//
// One value per key. Between two checkpoints `--changed` of all keys, evenly over all of the state,
// get updates, at full speed (or `--rate` a second). Five checkpoints, an interval apart, then as
// long without: the ratio of throughput is between these. Pause of a checkpoint = the longest time
// between two polls of the source (one batch is processed in between) from its trigger to its
// completion; "gap" = the same where no checkpoint is under way, in windows of the same length:
// what the machine and the job do by themselves. Both by the wall clock and by the processor time
// of the thread, since a machine with other work takes the thread's processor away.
//
// Time: the filling (about 300 000 keys a second), then 2.5 intervals per checkpoint.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CompletedCheckpoint, type JobExecution, run } from 'millrace';
import { bytesOf, megabytes } from '../byte-sizes.ts';
import { memoryOptions } from '../engine-memory.ts';
import { median, percentile, printJson, printTable } from '../measurement.ts';
import { residentBytes } from '../measured-process.ts';
import { numberedSource } from '../numbered-source.ts';
import { type ClockName, PollTimes } from '../poll-times.ts';
import { accountsJob, BYTES_PER_ACCOUNT, KeySequence } from './account-updates.ts';

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '1gb' },
    changed: { type: 'string', default: '0.01' },
    checkpoints: { type: 'string', default: '30' },
    interval: { type: 'string', default: '1000' },
    rate: { type: 'string', default: 'full' },
    memory: { type: 'string' },
    directory: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const intervalMs = Number(options.interval);
const keys = Math.round(bytesOf(options.size) / BYTES_PER_ACCOUNT);
const perMs = options.rate === 'full' ? Number.POSITIVE_INFINITY : Number(options.rate) / 1_000;
/** Checkpoints in a row, and then as many intervals without. */
const BLOCK = 5;

/** A measured checkpoint, and when it was under way. */
interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly checkpoint: CompletedCheckpoint;
}

/** Events a second of a block. */
interface Block {
  readonly hasCheckpoints: boolean;
  readonly fromMs: number;
  readonly toMs: number;
  readonly perSecond: number;
}

/** Drives the source and the checkpoints, and notes what happened when. */
class Course {
  readonly times = new PollTimes();
  readonly sequence = new KeySequence(keys, Number(options.changed));
  readonly spans: Span[] = [];
  readonly blocks: Block[] = [];
  next = 0;
  #filledAtMs = 0;
  readonly #filled = Promise.withResolvers<void>();

  readonly source = numberedSource({
    at: (n) => ({ key: this.sequence.key(n), amount: n & 7 }),
    allowed: (next) => {
      this.times.note();
      this.next = next;
      if (next < keys) return keys - next;
      const nowMs = this.times.wall[this.times.count - 1]!;
      if (this.#filledAtMs === 0) {
        this.#filledAtMs = nowMs;
        this.#filled.resolve();
      }
      return next - keys > (nowMs - this.#filledAtMs) * perMs ? 0 : 1_024;
    },
  });

  /** @returns what the filling wrote: keys and bodies of every entry */
  async fill(execution: JobExecution): Promise<number> {
    await this.#filled.promise;
    process.stderr.write(`filled ${keys} keys\n`);
    let bytes = 0;
    // Twice: the first one may have begun before the last key.
    for (let i = 0; i < 2; i++) {
      bytes += (await execution.triggerCheckpoint()).figures.changedBytes;
    }
    return bytes;
  }

  async block(execution: JobExecution, hasCheckpoints: boolean): Promise<void> {
    const fromMs = performance.now();
    const from = this.next;
    for (let i = 0; i < BLOCK; i++) {
      const startMs = performance.now();
      this.sequence.nextEpoch();
      if (hasCheckpoints) {
        const checkpoint = await execution.triggerCheckpoint();
        this.spans.push({ fromMs: startMs, toMs: performance.now(), checkpoint });
      }
      await sleep(Math.max(0, intervalMs - (performance.now() - startMs)));
    }
    const toMs = performance.now();
    const perSecond = ((this.next - from) * 1_000) / (toMs - fromMs);
    this.blocks.push({ hasCheckpoints, fromMs, toMs, perSecond });
    process.stderr.write(hasCheckpoints ? `${this.spans.length} checkpoints\n` : '');
    // What piled up meanwhile must not be in the first checkpoint of the next block.
    if (!hasCheckpoints) await execution.triggerCheckpoint();
  }
}

async function main(): Promise<void> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const course = new Course();
  const execution = await run(accountsJob(course.source), {
    from: 'none',
    ...(options.memory !== undefined && memoryOptions(bytesOf(options.memory))),
    restart: { kind: 'none' },
    checkpoints: { directory, intervalMs: Number.POSITIVE_INFINITY },
  });
  let heapMaxBytes = 0;
  const sampling = setInterval(() => {
    heapMaxBytes = Math.max(heapMaxBytes, process.memoryUsage().heapUsed);
  }, 500);
  try {
    const measured = async (): Promise<number> => {
      const stateBytes = await course.fill(execution);
      while (course.spans.length < Number(options.checkpoints)) {
        await course.block(execution, false);
        await course.block(execution, true);
      }
      return stateBytes;
    };
    const failed = execution.done.then(() => Promise.reject(new Error('the job ended')));
    const stateBytes = await Promise.race([measured(), failed]);
    report(course, stateBytes, heapMaxBytes);
  } finally {
    clearInterval(sampling);
    await execution.cancel();
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
  }
}

/** The longest gaps where no checkpoint was under way, in windows of about `lengthMs`. */
function quietGaps({ blocks, times }: Course, clock: ClockName, lengthMs: number): number[] {
  const gaps: number[] = [];
  for (const { hasCheckpoints, fromMs, toMs } of blocks) {
    if (hasCheckpoints) continue;
    for (let at = fromMs; at < toMs; at += lengthMs) {
      gaps.push(times.longestGap(clock, at, Math.min(at + lengthMs, toMs)));
    }
  }
  return gaps;
}

function report(course: Course, stateBytes: number, heapMaxBytes: number): void {
  const { spans, blocks, times } = course;
  const of = (figure: (span: Span) => number): number => median(spans.map(figure));
  const durations = spans.map(({ fromMs, toMs }) => toMs - fromMs);
  const pauses = (clock: ClockName): number[] =>
    spans.map(({ fromMs, toMs }) => times.longestGap(clock, fromMs, toMs));
  const speed = (hasCheckpoints: boolean): number =>
    median(blocks.filter((b) => b.hasCheckpoints === hasCheckpoints).map((b) => b.perSecond));
  const two = (figures: readonly number[]): readonly [number, number] => [
    round2(percentile(figures, 0.5)),
    round2(percentile(figures, 0.99)),
  ];
  const [pauseMsP50, pauseMsP99] = two(pauses('wall'));
  const [pauseCpuMsP50, pauseCpuMsP99] = two(pauses('cpu'));
  const [gapMsP50, gapMsP99] = two(quietGaps(course, 'wall', median(durations)));
  const [gapCpuMsP50, gapCpuMsP99] = two(quietGaps(course, 'cpu', median(durations)));
  const [durationMs, durationMsP99] = two(durations);
  const figures = {
    stateBytes,
    storedBytes: spans.at(-1)!.checkpoint.totalBytes,
    bytesChanged: of(({ checkpoint }) => checkpoint.figures.changedBytes),
    bytesWritten: of(({ checkpoint }) => checkpoint.figures.writtenBytes),
    writtenRatio: round2(
      of(({ checkpoint: { figures } }) => figures.writtenBytes / figures.changedBytes),
    ),
    bytesMergedInAll: spans.reduce(
      (sum, { checkpoint }) => sum + checkpoint.figures.mergedBytes,
      0,
    ),
    checkpoints: spans.length,
    ...{ durationMs, durationMsP99, pauseMsP50, pauseMsP99, pauseCpuMsP50, pauseCpuMsP99 },
    ...{ gapMsP50, gapMsP99, gapCpuMsP50, gapCpuMsP99 },
    throughputRatio: round2(speed(true) / speed(false)),
    eventsPerSecond: Math.round(speed(true)),
    eventsPerSecondWithout: Math.round(speed(false)),
    heapMaxMb: megabytes(heapMaxBytes),
    rssMaxMb: megabytes(residentBytes(process.pid).max),
  };
  printTable(Object.entries(figures).map(([figure, value]) => ({ figure, value })));
  if (options.json) printJson('checkpoint', figures);
}

function round2(figure: number): number {
  return Math.round(figure * 100) / 100;
}

await main();
