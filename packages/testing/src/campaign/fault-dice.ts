import type { SeededRandom } from '../environment/seeded-random.ts';
import type { VirtualEnvironment } from '../environment/virtual-environment.ts';
import type { FaultRates } from './fault-plan.ts';
import type { JobHooks } from './instrument-job.ts';

/** Faults of one kind in one life: no more than so many, so that the job gets on between them. */
const MOST_PER_LIFE = 25;

/** Decides call by call what goes wrong, and counts it. */
export class FaultDice implements Omit<JobHooks, 'onCommit'> {
  readonly struck = new Map<string, number>();
  readonly #random: SeededRandom;
  #rates: FaultRates;
  #left = new Map<string, number>();

  constructor(random: SeededRandom, rates: FaultRates) {
    this.#random = random;
    this.#rates = rates;
  }

  /** A new life: other rates, and all may strike again. */
  begin(rates: FaultRates): void {
    this.#rates = rates;
    this.#left = new Map();
  }

  /** Counts a fault that somebody else let strike. */
  count(kind: string, times = 1): void {
    this.struck.set(kind, (this.struck.get(kind) ?? 0) + times);
  }

  userCode(): void {
    if (this.#strikes('user exception', this.#rates.userEvery)) throw new TypeError('planned');
  }

  commitFault(): 'none' | 'later' | 'lost-before' | 'lost-after' {
    if (!this.#strikes('commit fault', this.#rates.commitEvery)) return 'none';
    return (['later', 'lost-before', 'lost-after'] as const)[this.#random.below(3)]!;
  }

  sinkDelayMs(): number {
    return this.#strikes('slow consumer', this.#rates.slowSinkEvery)
      ? 1 + this.#random.below(20)
      : 0;
  }

  /** Lets disk and threads of a process fail at the rates of the life. */
  infect(environment: VirtualEnvironment): void {
    environment.fileSystem.fault = () => {
      if (!this.#strikes('I/O error', this.#rates.ioEvery)) return undefined;
      const choice = this.#random.below(10);
      return choice < 4 ? 'lost-answer' : choice < 8 ? 'other' : 'full';
    };
    environment.executor.fault = () =>
      this.#strikes('thread failure', this.#rates.threadEvery)
        ? new Error('injected: the thread died')
        : undefined;
  }

  #strikes(kind: string, every: number): boolean {
    if (every === 0 || this.#random.below(every) > 0) return false;
    const left = this.#left.get(kind) ?? MOST_PER_LIFE;
    if (left === 0) return false;
    this.#left.set(kind, left - 1);
    this.count(kind);
    return true;
  }
}
