import type { Cancel, Clock, Scheduler } from '@millrace/core/host';
import type { SeededRandom } from './seeded-random.ts';
import type { Trace } from './trace.ts';

interface Waiting {
  readonly id: number;
  readonly label: string;
  readonly dueMs: number;
  readonly run: () => void;
}

/** How virtual time passes. */
export interface VirtualTimeOptions {
  /** Wall clock at the start, milliseconds since 1970. Default 0. */
  readonly startMs?: number;
  /**
   * `auto` (default): when nothing can run, the clock jumps to the next timer. `manual`: it moves
   * only by `advanceTo`.
   */
  readonly clock?: 'auto' | 'manual';
  /** What each step costs. Default 0: time passes only when nothing else can run. */
  readonly msPerStep?: number;
}

/**
 * Virtual clock and scheduler of one or several simulated processes.
 *
 *   defer, due timer --> runnable --step: one of them, by seed--> run
 *   after(delay) ------> sleeping --clock reaches it--> runnable
 *
 * V1. One callback per step. The choice among the runnable ones depends on the seed alone.
 * V2. The clock never goes back, and never passes a timer that has not become runnable.
 * V3. What belongs to a dead process never runs.
 */
export class VirtualScheduler implements Clock {
  readonly #random: SeededRandom;
  readonly #trace: Trace;
  readonly #automatic: boolean;
  readonly #msPerStep: number;
  #nowMs: number;
  readonly #startMs: number;
  #wallOffsetMs = 0;
  #nextId = 1;
  #steps = 0;
  #runnable: Waiting[] = [];
  /** Sorted by (dueMs, id), the next one last. */
  #sleeping: Waiting[] = [];

  constructor(random: SeededRandom, trace: Trace, options: VirtualTimeOptions = {}) {
    this.#random = random;
    this.#trace = trace;
    this.#automatic = options.clock !== 'manual';
    this.#msPerStep = options.msPerStep ?? 0;
    this.#startMs = options.startMs ?? 0;
    this.#nowMs = this.#startMs;
  }

  nowMs(): number {
    return Math.floor(this.#nowMs + this.#wallOffsetMs);
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  /** Callbacks run so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Whether a callback could run now, without moving the clock. */
  get hasRunnable(): boolean {
    return this.#runnable.length > 0;
  }

  /** When the next timer is due; Infinity if there is none. */
  get nextTimerMs(): number {
    return this.#sleeping.at(-1)?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  /** The wall clock is set; no timer notices. */
  jump(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /**
   * @param isAlive asked when the callback's turn has come (V3)
   * @param gate runs what has its turn, or keeps it for later
   */
  schedulerOf(
    isAlive: () => boolean,
    label: string,
    gate: (run: () => void) => void = (run) => run(),
  ): Scheduler {
    const alive = (run: () => void) => () => {
      if (isAlive()) gate(run);
    };
    return {
      defer: (run) => {
        if (isAlive()) this.#add(0, label, alive(run));
      },
      after: (delayMs, run) => (isAlive() ? this.#add(delayMs, label, alive(run)) : () => {}),
    };
  }

  /**
   * Runs one callback; when none is runnable an automatic clock moves to the next timer first.
   *
   * @returns false if there was nothing to run
   */
  step(): boolean {
    if (this.#runnable.length === 0) {
      if (!this.#automatic || this.#sleeping.length === 0) return false;
      this.#moveTo(this.nextTimerMs);
    } else if (this.#msPerStep > 0) {
      this.#moveTo(this.#nowMs + this.#msPerStep);
    }
    const index = this.#random.below(this.#runnable.length);
    const chosen = this.#runnable[index]!;
    this.#runnable[index] = this.#runnable.at(-1)!;
    this.#runnable.pop();
    this.#steps++;
    // Whole numbers: to print a fraction takes longer than all the rest of a step.
    const atMs = Math.floor(this.#nowMs);
    this.#trace.note(`${this.#steps} @${atMs} ${chosen.label}#${chosen.id}`);
    chosen.run();
    return true;
  }

  /** Moves the clock by hand; timers that are due become runnable, nothing runs. */
  advanceTo(timeMs: number): void {
    this.#moveTo(timeMs);
  }

  /** Moves the clock by hand, relative to now. */
  pass(byMs: number): void {
    this.#moveTo(this.#nowMs + byMs);
  }

  /** Forgets every callback: the machine has lost its power. */
  clear(): void {
    this.#runnable = [];
    this.#sleeping = [];
  }

  #add(delayMs: number, label: string, run: () => void): Cancel {
    const waiting = { id: this.#nextId++, label, dueMs: this.#nowMs + Math.max(0, delayMs), run };
    if (waiting.dueMs <= this.#nowMs) this.#runnable.push(waiting);
    else this.#sleep(waiting);
    return () => {
      remove(this.#runnable, waiting);
      remove(this.#sleeping, waiting);
    };
  }

  #sleep(waiting: Waiting): void {
    let at = this.#sleeping.length;
    while (at > 0 && this.#sleeping[at - 1]!.dueMs <= waiting.dueMs) at--;
    this.#sleeping.splice(at, 0, waiting);
  }

  #moveTo(timeMs: number): void {
    if (timeMs > this.#nowMs) this.#nowMs = timeMs;
    while (this.nextTimerMs <= this.#nowMs) this.#runnable.push(this.#sleeping.pop()!);
  }
}

function remove(all: Waiting[], one: Waiting): void {
  const index = all.indexOf(one);
  if (index >= 0) all.splice(index, 1);
}
