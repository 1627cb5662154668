import type { RestartStrategy } from '@millrace/core';
import { SeededRandom } from '../environment/seeded-random.ts';
import {
  CLEAN_LIFE,
  type FaultPlan,
  type FaultRates,
  type LifePlan,
  NO_RATES,
  type PlannedEvent,
} from './fault-plan.ts';

/** What a plan must know of the job that it is for. */
export interface JobTraits {
  /** Turns that a run without faults takes, about. */
  readonly turns: number;
  /** The same with a parallelism of 1 and `ALONE_INPUT_SIZE`. */
  readonly turnsAlone: number;
  /** What it may run with; a job that cannot be rescaled has one. */
  readonly parallelisms: readonly number[];
  /** Its output depends on processing time: the wall clock stays as it is. */
  readonly usesProcessingTime: boolean;
  /** Nothing that is processed twice shows: the mode may be at-least-once. */
  readonly isIdempotent: boolean;
}

/** How much more input a plan asks for whose subtasks have nobody beside them. */
export const ALONE_INPUT_SIZE = 5;
/** The same for a plan that begins with several and goes on with one. */
const SHRUNK_INPUT_SIZE = 1.5;
/** Turns with several elements are fewer; with so much more input there are about as many. */
const WIDE_TURNS_INPUT_SIZE = 4;

/** Kinds of faults that a seed switches on or off. */
type Switch =
  | keyof FaultRates
  | 'rival'
  | 'sleeper'
  | 'clock'
  | 'full'
  | 'slowIo'
  | 'damage'
  | 'control'
  | 'rescale'
  | 'timeout'
  | 'strict';

const SWITCHES: readonly (readonly [Switch, number])[] = [
  ['userEvery', 0.35],
  ['ioEvery', 0.3],
  ['threadEvery', 0.15],
  ['commitEvery', 0.25],
  ['slowSinkEvery', 0.25],
  ['serverEvery', 0.5],
  ['rival', 0.35],
  ['sleeper', 0.7],
  ['clock', 0.2],
  ['full', 0.15],
  ['slowIo', 0.2],
  ['damage', 0.15],
  ['control', 0.25],
  ['rescale', 0.4],
  ['timeout', 0.2],
  ['strict', 0.1],
];

/**
 * Draws all that happens to a job ("swarm": each seed switches some kinds of faults on, so that
 * rare combinations happen, and faults do not hide each other).
 *
 * @returns the same for the same seed and traits; at least one crash, and a last life without fault
 */
export function drawPlan(seed: number, traits: JobTraits): FaultPlan {
  const random = new SeededRandom(`plan/${seed}`);
  const on = new Set(SWITCHES.filter(([, chance]) => random.chance(chance)).map(([name]) => name));
  const isRescaled = on.has('rescale') && traits.parallelisms.length > 1;
  const many = traits.parallelisms.filter((parallelism) => parallelism > 1);
  const first = pick(random, isRescaled ? many : traits.parallelisms);
  // A life that is asked to stop may end before its crash: another one follows.
  const deaths = 1 + (on.has('control') ? 1 : 0) + (random.chance(0.5) ? random.below(3) : 0);
  const parallelisms = Array.from({ length: deaths + 1 }, (_, index) =>
    isRescaled && index > 0 ? pick(random, traits.parallelisms) : first,
  );
  const { inputSize, ofRun } = sizeFor(parallelisms, traits);
  const elementsPerTurn = elementsOf(seed);
  const mode = traits.isIdempotent && random.chance(0.3) ? 'at-least-once' : 'exactly-once';
  const lives = Array.from({ length: deaths + 1 }, (_, index): LifePlan => {
    const isLast = index === deaths;
    const parallelism = parallelisms[index]!;
    const common = { ...sizesOf(random, on, isLast, elementsPerTurn), parallelism };
    const checkpoints = { ...common.checkpoints, mode } as const;
    if (isLast) return { ...CLEAN_LIFE, ...common, checkpoints };
    // The first life does most of the work, so that there is something to lose.
    const share = index === 0 ? 0.3 + random.next() * 0.4 : 0.05 + random.next() * 0.5;
    const turns = Math.max(1, Math.floor(ofRun * share));
    return {
      ...common,
      checkpoints,
      restart: restartOf(random),
      maxDelayMs: on.has('slowIo') ? 10 + random.below(60) : 3,
      rates: ratesOf(random, on),
      events: eventsOf(random, on, turns, traits),
      turns,
      end: random.chance(0.7) ? 'power' : 'kill',
      damage:
        on.has('damage') && random.chance(0.6)
          ? pick(random, ['manifest', 'run', 'slot'] as const)
          : 'none',
    };
  });
  const factor = elementsPerTurn === 1 ? 1 : WIDE_TURNS_INPUT_SIZE;
  return { seed, inputSize: inputSize * factor, lives };
}

// One subtask alone takes few turns for a record, so it gets more of them.
function sizeFor(
  parallelisms: readonly number[],
  traits: JobTraits,
): { readonly inputSize: number; readonly ofRun: number } {
  if (parallelisms[0] === 1) return { inputSize: ALONE_INPUT_SIZE, ofRun: traits.turnsAlone };
  const inputSize = parallelisms.includes(1) ? SHRUNK_INPUT_SIZE : 1;
  return { inputSize, ofRun: traits.turns * inputSize };
}

function sizesOf(
  random: SeededRandom,
  on: ReadonlySet<Switch>,
  isLast: boolean,
  elementsPerTurn: number,
): Pick<LifePlan, 'checkpoints' | 'tuning' | 'memory'> {
  const checkpoints = {
    intervalMs: 6 + random.below(40),
    minPauseMs: random.chance(0.5) ? 0 : random.below(20),
    maxConcurrent: 1 + random.below(3),
    timeoutMs: on.has('timeout') && !isLast ? 8 + random.below(60) : 600_000,
    tolerableFailures: on.has('strict') && !isLast ? random.below(2) : 1_000,
    numRetained: 1 + random.below(3),
  };
  return {
    // Nothing, a little, or all of it in manifests; without a draw, which would make all seeds new.
    checkpoints: { ...checkpoints, inlineBytesMax: [0, 600, 16_384][checkpoints.numRetained - 1]! },
    tuning: {
      batchSize: 1 + random.below(4),
      turnMs: 2,
      elementsPerTurn,
      channelCapacity: 1 + random.below(3),
      tickIntervalMs: 5 + random.below(60),
    },
    // All of it, some, hardly any; again without a draw.
    memory: [{}, { stateBytes: 20_000 }, { stateBytes: 3_000 }][checkpoints.maxConcurrent - 1]!,
  };
}

// Mostly one, so that a crash can come between any two. With more, a barrier can find records that
// were emitted in the same turn and are not sent yet.
function elementsOf(seed: number): number {
  return new SeededRandom(`elements/${seed}`).chance(0.2) ? 6 : 1;
}

function restartOf(random: SeededRandom): RestartStrategy {
  const delayMs = random.below(30);
  const choice = random.below(10);
  if (choice === 0) return { kind: 'none' };
  if (choice === 1) return { kind: 'failureRate', maxFailures: 2, intervalMs: 500, delayMs };
  if (choice < 5) return { kind: 'exponentialDelay', initialDelayMs: 1 + delayMs, maxDelayMs: 500 };
  return { kind: 'fixedDelay', attempts: choice === 5 ? 3 : 1_000_000, delayMs };
}

function ratesOf(random: SeededRandom, on: ReadonlySet<Switch>): FaultRates {
  const rate = (name: keyof FaultRates, least: number, range: number): number => {
    const every = least + random.below(range);
    return on.has(name) ? every : 0;
  };
  return {
    ...NO_RATES,
    userEvery: rate('userEvery', 40, 400),
    ioEvery: rate('ioEvery', 15, 200),
    threadEvery: rate('threadEvery', 2, 10),
    commitEvery: rate('commitEvery', 1, 4),
    slowSinkEvery: rate('slowSinkEvery', 2, 30),
    serverEvery: rate('serverEvery', 5, 60),
  };
}

function eventsOf(
  random: SeededRandom,
  on: ReadonlySet<Switch>,
  turns: number,
  traits: JobTraits,
): PlannedEvent[] {
  const events: PlannedEvent[] = [];
  const at = (from = 0): number => from + random.below(Math.max(1, turns - from));
  if (on.has('rival')) {
    const rivals = random.chance(0.3) ? 2 : 1;
    for (let process = 0; process < rivals; process++) {
      const atTurn = at();
      events.push({ atTurn, kind: 'rival', isStandby: random.chance(0.25) });
      if (!on.has('sleeper')) continue;
      const pausedAt = Math.max(0, atTurn - random.below(40));
      events.push({ atTurn: pausedAt, kind: 'pause', process });
      events.push({ atTurn: at(atTurn), kind: 'resume', process });
    }
  } else if (on.has('sleeper') && random.chance(0.5)) {
    const atTurn = at();
    events.push({ atTurn, kind: 'pause', process: 0 });
    events.push({ atTurn: atTurn + 1 + random.below(60), kind: 'resume', process: 0 });
  }
  if (on.has('clock') && !traits.usesProcessingTime) {
    const byMs = Math.floor((random.next() - 0.5) * 2 * 10 ** (1 + random.below(7)));
    events.push({ atTurn: at(), kind: 'clock', byMs });
  }
  if (on.has('full')) {
    const atTurn = at();
    events.push({ atTurn, kind: 'full' }, { atTurn: at(atTurn), kind: 'room' });
  }
  if (on.has('control')) {
    const kinds = ['checkpoint', 'savepoint', 'stop', 'stop-savepoint', 'cancel'] as const;
    events.push({ atTurn: at(), kind: pick(random, kinds) });
  }
  return events.sort((a, b) => a.atTurn - b.atTurn);
}

function pick<T>(random: SeededRandom, choices: readonly T[]): T {
  return choices[random.below(choices.length)]!;
}
