// What one run of the campaign is: everything follows from its seed.
import type { RunOptions } from '@millrace/core';
import { SeededRandom } from '@millrace/testing';
import type { Pace } from './paced-source.ts';
import { SIMULATED_JOBS, type SimulatedJob } from './simulated-jobs.ts';

/** How a life of the job ends, if it does not get to its own end before. */
export type LifeEnd =
  | 'power'
  | 'kill'
  /** Asked to stop, with a savepoint or without, and started again. */
  | 'stop'
  | 'savepoint'
  | 'cancel'
  /** A second process takes over while this one runs; both go on. */
  | 'takeover'
  /** The same, but the first one sleeps and wakes up later. */
  | 'takeover-asleep';

/** One life: from a start to a death. */
export interface LifePlan {
  readonly end: LifeEnd;
  /** Steps until then. */
  readonly steps: number;
  /** Steps of the second process before the first one wakes. */
  readonly sleepSteps: number;
  /** Steps after which everything is killed in the middle of that end; Infinity: it is not. */
  readonly stepsOfEnd: number;
  /** What a step costs in virtual time: how much happens between two checkpoints. */
  readonly msPerStep: number;
  readonly options: Pick<RunOptions, 'parallelism' | 'checkpoints' | 'tuning' | 'restart'>;
  /** One call of a user's function in so many throws; 0: none does. */
  readonly throwEvery: number;
  /** One call of the file system in so many fails; 0: none does. */
  readonly faultEvery: number;
  /** The disk is full after so many bytes more; Infinity: it is large enough. */
  readonly freeBytes: number;
}

/** A whole run. The last life has no faults and no planned end. */
export interface CampaignPlan {
  readonly seed: number;
  readonly simulated: SimulatedJob;
  readonly mode: 'exactly-once' | 'at-least-once';
  readonly pace: Pace;
  readonly lives: readonly LifePlan[];
}

/** A record that is processed twice is written twice, and changes no other line. */
const STATELESS: ReadonlySet<string> = new Set(['stateless', 'async', 'union-and-partitions']);
/** Steps that a run without faults takes, roughly. */
const STEPS = 600;
const ENDS: readonly LifeEnd[] = [
  'power',
  'power',
  'kill',
  'stop',
  'savepoint',
  'cancel',
  'takeover',
  'takeover-asleep',
];

export function planOf(seed: number): CampaignPlan {
  const random = new SeededRandom(`campaign/${seed}`);
  const simulated = SIMULATED_JOBS[random.below(SIMULATED_JOBS.length)]!;
  const isOnceEnough = STATELESS.has(simulated.name) && random.chance(0.3);
  const mode = isOnceEnough ? 'at-least-once' : 'exactly-once';
  const deaths = random.below(4);
  const isFaulty = random.chance(0.4);
  const isThrowing = random.chance(0.4);
  const lives = Array.from({ length: deaths + 1 }, (_, life) => {
    const isLast = life === deaths;
    return {
      end: ENDS[random.below(ENDS.length)]!,
      steps: isLast ? Number.POSITIVE_INFINITY : 1 + random.below(STEPS),
      sleepSteps: 1 + random.below(STEPS),
      stepsOfEnd: random.chance(0.5) ? random.below(STEPS) : Number.POSITIVE_INFINITY,
      msPerStep: 0.01 + random.next() * 0.2,
      options: optionsOf(random, mode, isLast),
      throwEvery: isThrowing && !isLast ? 20 + random.below(200) : 0,
      faultEvery: isFaulty && !isLast ? 5 + random.below(100) : 0,
      freeBytes:
        isFaulty && !isLast && random.chance(0.3) ? random.below(4_000) : Number.POSITIVE_INFINITY,
    };
  });
  return { seed, simulated, mode, pace: paceOf(random), lives };
}

// Half of the sources hardly pause: records and checkpoints are everywhere at once.
function paceOf(random: SeededRandom): Pace {
  const burst = 1 + random.below(4);
  return { burst, pauseMs: random.chance(0.5) ? 1 + random.below(5) : 5 + random.below(30) };
}

function optionsOf(
  random: SeededRandom,
  mode: CampaignPlan['mode'],
  isPatient: boolean,
): LifePlan['options'] {
  const parallelism = 1 + random.below(3);
  const checkpoints = {
    directory: '/checkpoints',
    mode,
    intervalMs: 2 + random.below(60),
    minPauseMs: random.chance(0.5) ? 0 : random.below(8),
    maxConcurrent: 1 + random.below(3),
    // Often too short: an aborted checkpoint loses nothing.
    timeoutMs: random.chance(0.3) && !isPatient ? 3 + random.below(40) : 600_000,
    tolerableFailures: random.chance(0.2) && !isPatient ? 0 : 1_000,
    numRetained: 1 + random.below(3),
  };
  return {
    parallelism,
    // Nothing, a little, or all of it in manifests; without a draw, which would make all seeds new.
    checkpoints: { ...checkpoints, inlineBytesMax: [0, 600, 16_384][checkpoints.numRetained - 1]! },
    restart: { kind: 'fixedDelay', attempts: 50, delayMs: random.below(30) },
    tuning: {
      batchSize: 1 + random.below(4),
      turnMs: 2,
      elementsPerTurn: random.chance(0.3) ? 20 : 1 + random.below(3),
      channelCapacity: 1 + random.below(3),
      tickIntervalMs: 5 + random.below(100),
    },
  };
}
