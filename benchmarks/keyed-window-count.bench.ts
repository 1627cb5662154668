// Keyed operators against the loop that somebody would write by hand, over the same batches:
//
//   node tools/start.js benchmarks/keyed-window-count.bench.ts
//     [--seconds 2] [--rounds 5] [--only text] [--checkpoints off,on]
//
// One process, one thread (checkpoints are written by a second one), interleaved: hand loop, job
// without checkpoints, job with a checkpoint every second to real files. The first round warms up
// and is not counted. Prints a table to standard error and JSON to standard output.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from 'millrace';
import { median, print } from './measurement.ts';
import {
  BATCH_SIZE,
  OUT_OF_ORDER_MS,
  type ReadingTimes,
  ReplayedEvents,
  threadCpuMs,
} from './keyed/replayed-events.ts';
import { Tally } from './keyed/tally.ts';
import { jobOf, type Variant, VARIANTS } from './keyed/variants.ts';

interface Timing {
  readonly wallMs: number;
  readonly cpuMs: number;
}

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    checkpoints: { type: 'string', default: 'off,on' },
  },
});
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);

function runHand(variant: Variant, events: ReplayedEvents, batches: number): [Timing, Tally] {
  const { hand, keyOf, sizeMs, slideMs } = variant;
  const tally = new Tally();
  events.rewind();
  const startedAtMs = performance.now();
  const startedCpuMs = threadCpuMs();
  hand({
    batches,
    next: () => events.next(),
    timestampOf: events.timestampOf,
    keyOf,
    tally,
    sizeMs,
    slideMs,
    outOfOrderMs: OUT_OF_ORDER_MS,
  });
  const wallMs = performance.now() - startedAtMs;
  return [{ wallMs, cpuMs: threadCpuMs() - startedCpuMs }, tally];
}

async function runJob(
  variant: Variant,
  events: ReplayedEvents,
  batches: number,
  directory: string | null,
): Promise<[Timing, Tally, number]> {
  const times: ReadingTimes = { startedAtMs: 0, endedAtMs: 0, startedCpuMs: 0, endedCpuMs: 0 };
  const tally = new Tally();
  events.rewind();
  let checkpoints = 0;
  const execution = await run(jobOf(variant, events, batches, times, tally), {
    from: 'none',
    onEvent: (event) => {
      if (event.kind === 'checkpointCompleted') checkpoints++;
    },
    ...(directory !== null && { checkpoints: { directory, intervalMs: 1_000 } }),
  });
  await execution.done;
  const { startedAtMs, endedAtMs, startedCpuMs, endedCpuMs } = times;
  const timing = { wallMs: endedAtMs - startedAtMs, cpuMs: endedCpuMs - startedCpuMs };
  return [timing, tally, checkpoints];
}

/** So many batches that the hand loop takes about `seconds`. */
function calibrate(variant: Variant, events: ReplayedEvents): number {
  const trial = 2_000;
  runHand(variant, events, trial);
  const [{ wallMs }] = runHand(variant, events, trial);
  return Math.ceil((trial * seconds * 1_000) / wallMs);
}

async function measure(variant: Variant, modes: readonly string[]): Promise<object[]> {
  const events = new ReplayedEvents(1);
  const batches = calibrate(variant, events);
  const hands: Timing[] = [];
  const engines = new Map(modes.map((mode) => [mode, [] as Timing[]]));
  let checkpoints = 0;
  for (let round = 0; round <= rounds; round++) {
    const [hand, expected] = runHand(variant, events, batches);
    if (round > 0) hands.push(hand);
    for (const mode of modes) {
      const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
      const directory = mode === 'on' ? folder : null;
      const [timing, tally, taken] = await runJob(variant, events, batches, directory);
      rmSync(folder, { recursive: true });
      if (!tally.equals(expected)) throw new Error(`${variant.name}: wrong results`);
      if (mode === 'on') checkpoints = Math.max(checkpoints, taken);
      if (round > 0) engines.get(mode)!.push(timing);
    }
  }
  const records = batches * BATCH_SIZE;
  return modes.map((mode) => {
    const timings = engines.get(mode)!;
    const ratios = timings.map(({ wallMs }, i) => hands[i]!.wallMs / wallMs);
    const cpuRatios = timings.map(({ cpuMs }, i) => hands[i]!.cpuMs / cpuMs);
    const perSecond = (all: readonly Timing[]): number =>
      records / 1_000 / median(all.map(({ wallMs }) => wallMs));
    return {
      variant: variant.name,
      checkpoints: mode === 'on' ? `${checkpoints} a run` : 'off',
      ratio: round2(median(ratios)),
      ratioMin: round2(Math.min(...ratios)),
      ratioCpu: round2(median(cpuRatios)),
      handMillionsPerSecond: round2(perSecond(hands)),
      jobMillionsPerSecond: round2(perSecond(timings)),
    };
  });
}

function round2(figure: number): number {
  return Math.round(figure * 100) / 100;
}

const rows: object[] = [];
for (const variant of VARIANTS) {
  if (!variant.name.includes(options.only)) continue;
  rows.push(...(await measure(variant, options.checkpoints.split(','))));
}
print('keyed-window-count', rows);
