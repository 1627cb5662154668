import { InvalidOptionError } from '@millrace/core/connector';

/**
 * How an attempt ends before its time.
 *
 * - `restart`: a function of the job failed; writers are closed, the process lives on
 * - `process`: the process is killed; the disk keeps everything
 * - `power`: the machine goes down; what was not synced may be lost or torn
 * - `sleep`: the process stops, another takes the job over, and then the first one wakes up
 */
export type SinkDeathKind = 'restart' | 'process' | 'power' | 'sleep';

/** All of them, the simplest first. */
export const SINK_DEATH_KINDS: readonly SinkDeathKind[] = ['restart', 'process', 'power', 'sleep'];

/**
 * When a process that sleeps wakes up: what the next attempt has just done. It gets a head start
 * where both words say "checkpoint": the other waits until it has done all it can.
 */
export type WakeMoment = 'recovered' | 'checkpoint-persisted' | 'checkpoint-complete' | 'committed';

/** All of them. */
export const WAKE_MOMENTS: readonly WakeMoment[] = [
  'recovered',
  'checkpoint-persisted',
  'checkpoint-complete',
  'committed',
];

/** When an attempt ends: after so many turns of its own. */
export interface SinkDeath {
  readonly kind: SinkDeathKind;
  readonly atStep: number;
  /** Of a process that sleeps. Default `recovered`. */
  readonly wakesAt?: WakeMoment;
}

/** One history: the same scenario is the same history, turn for turn. */
export interface SinkScenario {
  readonly seed: number;
  /** Of the attempts in turn; the last one holds for all that follow. */
  readonly parallelism: readonly number[];
  /** Of the attempts in turn; the attempt after the last one runs to the end. */
  readonly deaths: readonly SinkDeath[];
  /** At the end everything that was ever committed is committed once more, by a new process. */
  readonly commitsAgain?: boolean;
}

/** @returns for example `seed1/p1-3/power@45/sleep@12:recovered` */
export function scenarioId({ seed, parallelism, deaths, commitsAgain }: SinkScenario): string {
  const parts = [`seed${seed}`, `p${parallelism.join('-')}`];
  for (const { kind, atStep, wakesAt } of deaths) {
    parts.push(`${kind}@${atStep}${wakesAt === undefined ? '' : `:${wakesAt}`}`);
  }
  if (commitsAgain) parts.push('again');
  return parts.join('/');
}

/** @throws InvalidOptionError if `id` is not what `scenarioId` gives */
export function parseScenario(id: string): SinkScenario {
  const match = /^seed(\d+)\/p(\d+(?:-\d+)*)((?:\/[a-z]+@[^/]+)*)(\/again)?$/.exec(id);
  if (match === null) throw notAnId(id);
  const [, seed, parallelism, deaths, again] = match;
  return {
    seed: Number(seed),
    parallelism: parallelism!.split('-').map(Number),
    deaths: deaths!
      .split('/')
      .slice(1)
      .map((part) => parseDeath(part, id)),
    commitsAgain: again !== undefined,
  };
}

function parseDeath(part: string, id: string): SinkDeath {
  const [, kindName, atStep, wakeName] = /^([a-z]+)@(\d+)(?::([a-z-]+))?$/.exec(part) ?? [];
  const kind = SINK_DEATH_KINDS.find((one) => one === kindName);
  const wakesAt = WAKE_MOMENTS.find((one) => one === wakeName);
  if (kind === undefined || (wakeName !== undefined && wakesAt === undefined)) throw notAnId(id);
  return { kind, atStep: Number(atStep), ...(wakesAt === undefined ? {} : { wakesAt }) };
}

function notAnId(id: string): InvalidOptionError {
  return new InvalidOptionError('only', id, 'must be the id of a scenario, as reports give it');
}
