import type { Clock, Environment, Logger, LogLevel, Scheduler } from '@millrace/core/host';
import { settle } from './event-loop.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulationStuckError } from './simulation-errors.ts';
import { Trace } from './trace.ts';
import { VirtualDisk } from './virtual-disk.ts';
import { VirtualExecutor } from './virtual-executor.ts';
import { VirtualFileSystem } from './virtual-file-system.ts';
import { VirtualScheduler, type VirtualTimeOptions } from './virtual-scheduler.ts';

/** One message of the engine. */
export interface LoggedMessage {
  readonly atMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

/** How the world of a simulated process is. */
export interface VirtualEnvironmentOptions extends VirtualTimeOptions {
  /** Decides every choice: order of callbacks, delays, what a crash keeps. Default 1. */
  readonly seed?: number;
  /** Default: an empty one. Give the disk of a crashed environment to start on what it left. */
  readonly disk?: VirtualDisk;
  /** The longest an I/O operation or background job takes, in virtual time. Default 3. */
  readonly maxDelayMs?: number;
}

/** What the processes of one simulated machine share. */
interface Machine {
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly scheduler: VirtualScheduler;
  readonly disk: VirtualDisk;
  maxDelayMs: number;
  processes: number;
}

/**
 * A whole world for one simulated process: virtual clock, scheduler, disk, threads, chance. Nothing
 * happens by itself: `step` runs one callback, `runUntil` as many as a promise needs.
 *
 *   new --step*--> ... --crash: power is lost--> dead; the disk goes on in a new environment
 *            |  \--kill: the process dies, the disk keeps all--> dead
 *            +--pause--> asleep --resume--> all that came meanwhile is runnable
 *
 * W1. One seed, one history: the order of callbacks, every delay and what a crash keeps come from
 *     it, so `trace.digest` is the same on every run and machine.
 * W2. Between two steps all promise reactions run (their order is fixed by the language). Nothing
 *     real is waited for: code that awaits a real timer or socket makes `runUntil` fail with
 *     SimulationStuckError.
 * W3. A sleeping process runs nothing and learns nothing. Of the I/O that it had begun some takes
 *     effect meanwhile, some only after it has woken: such a write comes very late.
 */
export class VirtualEnvironment implements Environment {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly logger: Logger;
  readonly executor: VirtualExecutor;
  readonly fileSystem: VirtualFileSystem;
  readonly logged: LoggedMessage[] = [];
  readonly #machine: Machine;
  #alive = true;
  #asleep = false;
  #held: (() => void)[] = [];

  constructor(options: VirtualEnvironmentOptions = {}, machine: Machine = newMachine(options)) {
    this.#machine = machine;
    const processId = ++machine.processes;
    const { scheduler, trace } = machine;
    const isAlive = (): boolean => this.#alive;
    const awake = (run: () => void): void => this.#whenAwake(run);
    this.clock = scheduler;
    this.scheduler = scheduler.schedulerOf(isAlive, `p${processId}`, awake);
    this.random = new SeededRandom(`${options.seed ?? 1}/process/${processId}`);
    this.logger = {
      log: (level, message, fields) => {
        this.logged.push({ atMs: scheduler.nowMs(), level, message, fields });
        trace.note(`log ${level} ${message}`);
      },
    };
    const inputOutput = scheduler.schedulerOf(isAlive, `io${processId}`);
    const later = (run: () => void): void => {
      const delayMs = machine.random.chance(0.75) ? 0 : machine.random.next() * machine.maxDelayMs;
      if (delayMs === 0) inputOutput.defer(run);
      else inputOutput.after(delayMs, run);
    };
    const laterAwake = (run: () => void): void => later(() => awake(run));
    this.executor = new VirtualExecutor(laterAwake);
    this.fileSystem = new VirtualFileSystem({
      disk: machine.disk,
      nowMs: () => scheduler.nowMs(),
      later: (effect) => later(() => this.#takeEffect(effect)),
      report: laterAwake,
      note: (line) => trace.note(line),
    });
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  get disk(): VirtualDisk {
    return this.#machine.disk;
  }

  get trace(): Trace {
    return this.#machine.trace;
  }

  /** Callbacks run so far, over all processes of the machine. */
  get steps(): number {
    return this.#machine.scheduler.steps;
  }

  /** Whether `pause` was called, and not `resume`. */
  get isAsleep(): boolean {
    return this.#asleep;
  }

  /** The process stops in the middle of what it does (W3); other processes go on. */
  pause(): void {
    this.#asleep = true;
    this.trace.note('paused');
  }

  /** It wakes up and goes on as if nothing had happened; only the clock says something. */
  resume(): void {
    this.#asleep = false;
    this.trace.note('resumed');
    for (const run of this.#held) this.scheduler.defer(run);
    this.#held = [];
  }

  /** Sets the longest time that I/O takes from now on, for all processes of the machine. */
  setMaxDelayMs(maxDelayMs: number): void {
    this.#machine.maxDelayMs = maxDelayMs;
  }

  /** Somebody sets the wall clock, forwards or back; durations and timers do not notice. */
  jumpClock(byMs: number): void {
    this.trace.note(`clock jumps ${byMs}`);
    this.#machine.scheduler.jump(byMs);
  }

  /** Time passes and nobody does anything; what is due by then can run afterwards. */
  passTime(byMs: number): void {
    this.#machine.scheduler.pass(byMs);
  }

  /** Another process on the same machine: same clock, disk and order of turns. */
  startProcess(seed = 1): VirtualEnvironment {
    return new VirtualEnvironment({ seed }, this.#machine);
  }

  /**
   * Runs one callback of any process, then the promise reactions that follow from it.
   *
   * @returns false if nothing was runnable
   */
  async step(): Promise<boolean> {
    const { scheduler } = this.#machine;
    let ran = scheduler.step();
    await settle();
    if (ran) return true;
    // What had waited for promises alone has come to its call by now.
    ran = scheduler.step();
    await settle();
    return ran;
  }

  /**
   * Steps until `promise` has settled.
   *
   * @returns its value; rejects with its reason
   * @throws SimulationStuckError if nothing is left to run, or after `maxSteps` callbacks
   */
  async runUntil<T>(promise: Promise<T>, maxSteps = 200_000): Promise<T> {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    await settle();
    for (let steps = 0; !settled; steps++) {
      if (steps >= maxSteps) this.#fail(`not done after ${maxSteps} steps`);
      if (!(await this.step()) && !settled) this.#fail('nothing is left to run');
    }
    return promise;
  }

  /** Runs everything that is runnable now, without moving the clock. */
  async runReady(maxSteps = 200_000): Promise<void> {
    const { scheduler } = this.#machine;
    await settle();
    for (let steps = 0; scheduler.hasRunnable; steps++) {
      if (steps >= maxSteps) this.#fail(`still busy after ${maxSteps} steps`);
      await this.step();
    }
  }

  /** Moves the clock by hand to `timeMs` (wall clock), then runs what became runnable. */
  async advanceTo(timeMs: number): Promise<void> {
    await this.runReady();
    this.#machine.scheduler.advanceTo(timeMs);
    await this.runReady();
  }

  /** The process dies; disk and other processes live on. Its calls never take effect any more. */
  kill(): void {
    this.#alive = false;
    this.trace.note('killed');
  }

  /**
   * The machine loses its power: all its processes are dead, nothing of them runs again.
   *
   * @returns the disk as it is found afterwards: what was not synced is lost, torn or kept
   */
  crash(): VirtualDisk {
    const { disk, random, scheduler } = this.#machine;
    this.kill();
    scheduler.clear();
    disk.losePower(random);
    return disk;
  }

  #whenAwake(run: () => void): void {
    if (this.#asleep) this.#held.push(run);
    else run();
  }

  // W3
  #takeEffect(effect: () => void): void {
    if (this.#asleep && this.#machine.random.chance(0.5)) this.#held.push(effect);
    else effect();
  }

  #fail(why: string): never {
    throw new SimulationStuckError(`the simulation is stuck: ${why}`, {
      steps: this.steps,
      nowMs: this.clock.nowMs(),
      lastLines: this.trace.tail(20),
    });
  }
}

function newMachine(options: VirtualEnvironmentOptions): Machine {
  const random = new SeededRandom(`${options.seed ?? 1}/machine`);
  const trace = new Trace();
  return {
    random,
    trace,
    scheduler: new VirtualScheduler(random, trace, options),
    disk: options.disk ?? new VirtualDisk(),
    maxDelayMs: options.maxDelayMs ?? 3,
    processes: 0,
  };
}
