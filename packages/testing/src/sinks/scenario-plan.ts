import type { ScenarioOutcome } from './run-scenario.ts';
import {
  SINK_DEATH_KINDS,
  type SinkDeath,
  type SinkDeathKind,
  type SinkScenario,
  WAKE_MOMENTS,
} from './sink-scenario.ts';

/** Runs one scenario and tells what came out. */
export type RunScenario = (scenario: SinkScenario) => Promise<ScenarioOutcome>;

/** First crashes whose recovery is crashed as well. */
const RECOVERIES = 6;

/**
 * Goes through the families of scenarios, simple ones first, so that the first finding is the one
 * that is easiest to understand:
 *
 * 1. nothing happens, at parallelism 1, 2 and 3
 * 2. one attempt ends, in each of the four ways, at each turn; each way to sleep while recovering
 * 3. everything is committed a second time at the end
 * 4. another parallelism after each of two ends: 1 -> 3 -> 2
 * 5. the recovery from a crash is itself cut off, or put to sleep
 *
 * @param points at most so many per family, kind and seed, spread evenly over the turns
 */
export async function planScenarios(
  run: RunScenario,
  points: number,
  seeds: readonly number[],
): Promise<void> {
  for (const seed of seeds) {
    const turns: number[] = [];
    let recovery = 0;
    for (const parallelism of [1, 2, 3]) {
      const plain = { seed, parallelism: [parallelism], deaths: [] };
      const { steps, stepsToRecovered } = await run(plain);
      recovery = stepsToRecovered[0] ?? 0;
      turns[parallelism] = steps[0] ?? 0;
    }
    await oneDeath(run, points, seed, turns[2]!);
    await sleepWhileRecovering(run, seed, recovery);
    for (const parallelism of [1, 2, 3]) {
      await run({ seed, parallelism: [parallelism], deaths: [], commitsAgain: true });
    }
    await rescale(run, points, seed, turns[1]!);
    await recoverTwice(run, points, seed, turns[2]!);
  }
}

async function oneDeath(
  run: RunScenario,
  points: number,
  seed: number,
  turns: number,
): Promise<void> {
  for (const kind of SINK_DEATH_KINDS) {
    for (const [index, atStep] of spread(turns, points).entries()) {
      await run({ seed, parallelism: [2], deaths: [death(kind, atStep, index)] });
    }
  }
}

async function sleepWhileRecovering(
  run: RunScenario,
  seed: number,
  recovery: number,
): Promise<void> {
  for (let atStep = 0; atStep < recovery; atStep++) {
    for (const wakesAt of WAKE_MOMENTS) {
      await run({ seed, parallelism: [2], deaths: [{ kind: 'sleep', atStep, wakesAt }] });
    }
  }
}

async function rescale(
  run: RunScenario,
  points: number,
  seed: number,
  turns: number,
): Promise<void> {
  const count = SINK_DEATH_KINDS.length;
  for (const [index, atStep] of spread(turns, points).entries()) {
    const first = death(SINK_DEATH_KINDS[index % count]!, atStep, index);
    // 7 is prime to the number of kinds: in the long run every pair comes up.
    const kind = SINK_DEATH_KINDS[(index * 7 + 1) % count]!;
    const second = death(kind, (atStep * 7) % turns, index);
    await run({ seed, parallelism: [1, 3, 2], deaths: [first, second], commitsAgain: true });
  }
}

async function recoverTwice(
  run: RunScenario,
  points: number,
  seed: number,
  turns: number,
): Promise<void> {
  for (const [index, atStep] of spread(turns, RECOVERIES).entries()) {
    const first = death(SINK_DEATH_KINDS[index % 3]!, atStep, 0);
    const { stepsToRecovered } = await run({ seed, parallelism: [2], deaths: [first] });
    const recovery = stepsToRecovered[1] ?? 0;
    for (const at of spread(recovery, Math.ceil(points / RECOVERIES))) {
      const kind = SINK_DEATH_KINDS[(index + at) % 3]!;
      await run({ seed, parallelism: [2], deaths: [first, death(kind, at, 0)] });
      const sleep = death('sleep', at, index + at);
      await run({ seed, parallelism: [2], deaths: [first, sleep] });
    }
  }
}

function death(kind: SinkDeathKind, atStep: number, index: number): SinkDeath {
  if (kind !== 'sleep') return { kind, atStep };
  return { kind, atStep, wakesAt: WAKE_MOMENTS[index % WAKE_MOMENTS.length]! };
}

/** @returns at most `points` of the numbers 0 to `total` - 1, evenly apart */
function spread(total: number, points: number): number[] {
  const count = Math.min(total, points);
  return Array.from({ length: count }, (_, index) => Math.floor((index * total) / count));
}
