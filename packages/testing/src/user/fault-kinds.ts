import {
  type FaultPlan,
  type LifePlan,
  NO_RATES,
  type PlannedEvent,
} from '../campaign/fault-plan.ts';

/**
 * What may go wrong besides crashes:
 *
 * - `functions`: functions of the job throw now and then; the job restarts within its process
 * - `disk`: calls of the file system fail, before or after they took effect; the disk is full
 * - `threads`: background work dies
 * - `commits`: a commit is refused for now, or its answer is lost
 * - `slow-sinks`: sinks take nothing for a while
 * - `takeovers`: a second process takes the job over while the first lives on, or sleeps
 * - `clock`: the wall clock jumps
 * - `control`: somebody asks for checkpoints and savepoints, stops or cancels the job
 * - `damage`: a bit of the newest checkpoint flips while the job is down
 * - `rescale`: the next process runs with another parallelism
 */
export type FaultKind =
  | 'functions'
  | 'disk'
  | 'threads'
  | 'commits'
  | 'slow-sinks'
  | 'takeovers'
  | 'clock'
  | 'control'
  | 'damage'
  | 'rescale';

const KIND_OF_EVENT: Readonly<Record<PlannedEvent['kind'], FaultKind>> = {
  rival: 'takeovers',
  pause: 'takeovers',
  resume: 'takeovers',
  clock: 'clock',
  full: 'disk',
  room: 'disk',
  checkpoint: 'control',
  savepoint: 'control',
  stop: 'control',
  'stop-savepoint': 'control',
  cancel: 'control',
};

/** The same plan without the faults of other kinds; its crashes stay. */
export function restrictPlan(plan: FaultPlan, kinds: readonly FaultKind[]): FaultPlan {
  const { parallelism } = plan.lives[0]!;
  return {
    ...plan,
    lives: plan.lives.map(
      (life): LifePlan => ({
        ...life,
        parallelism: kinds.includes('rescale') ? life.parallelism : parallelism,
        rates: restrictRates(life, kinds),
        events: life.events.filter(({ kind }) => kinds.includes(KIND_OF_EVENT[kind])),
        damage: kinds.includes('damage') ? life.damage : 'none',
      }),
    ),
  };
}

function restrictRates({ rates }: LifePlan, kinds: readonly FaultKind[]): LifePlan['rates'] {
  const rate = (kind: FaultKind, every: number): number => (kinds.includes(kind) ? every : 0);
  return {
    ...NO_RATES,
    userEvery: rate('functions', rates.userEvery),
    ioEvery: rate('disk', rates.ioEvery),
    threadEvery: rate('threads', rates.threadEvery),
    commitEvery: rate('commits', rates.commitEvery),
    slowSinkEvery: rate('slow-sinks', rates.slowSinkEvery),
  };
}
