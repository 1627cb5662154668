import type { VirtualDisk } from './virtual-disk.ts';
import { VirtualEnvironment, type VirtualEnvironmentOptions } from './virtual-environment.ts';

/** What is simulated, and where it is crashed. */
export interface SimulationOptions<T> extends VirtualEnvironmentOptions {
  readonly seed: number;
  /**
   * Starts the program on this environment; called again, with a fresh one on the disk that the
   * crash left, after each crash. Everything that is to survive must be on the disk.
   *
   * @param life 0 at first, then how many crashes there have been
   */
  readonly start: (environment: VirtualEnvironment, life: number) => Promise<T>;
  /**
   * Steps of a life after which the power goes: the first number is for the first life, and so
   * on. A life that ends before is not crashed, and none follows.
   */
  readonly crashAtSteps?: readonly number[];
  /** `power` (default): loses what was not synced. `process`: the disk keeps everything. */
  readonly crash?: 'power' | 'process';
  /** Per life. Default 200 000. */
  readonly maxSteps?: number;
  /** Virtual time between a crash and the next start. Default 1 000. */
  readonly restartDelayMs?: number;
}

/** How a simulation ended. */
export interface SimulationResult<T> {
  /** What the last life's `start` resolved with. */
  readonly value: T;
  readonly crashes: number;
  /** Steps of each life. */
  readonly steps: readonly number[];
  /** Equal for equal options: the trace digests of all lives. */
  readonly digest: string;
  readonly disk: VirtualDisk;
  readonly environment: VirtualEnvironment;
}

/**
 * Runs a program in a virtual world to its end, with crashes in between.
 *
 * @returns rejects with what `start` rejects with, or SimulationStuckError
 */
export async function runSimulation<T>(
  options: SimulationOptions<T>,
): Promise<SimulationResult<T>> {
  const crashes = options.crashAtSteps ?? [];
  const steps: number[] = [];
  const digests: string[] = [];
  let disk = options.disk;
  let startMs = options.startMs ?? 0;
  for (let life = 0; ; life++) {
    const environment = new VirtualEnvironment({
      ...options,
      seed: life === 0 ? options.seed : options.seed + life * 1_000_003,
      startMs,
      ...(disk === undefined ? {} : { disk }),
    });
    const program = options.start(environment, life);
    const limit = crashes[life];
    if (limit === undefined || !(await isCutOff(environment, program, limit))) {
      const value = await environment.runUntil(program, options.maxSteps);
      steps.push(environment.steps);
      digests.push(environment.trace.digest);
      return {
        value,
        crashes: life,
        steps,
        digest: digests.join('-'),
        disk: environment.disk,
        environment,
      };
    }
    if (options.crash === 'process') environment.kill();
    else environment.crash();
    disk = environment.disk;
    startMs = environment.clock.nowMs() + (options.restartDelayMs ?? 1_000);
    steps.push(environment.steps);
    digests.push(environment.trace.digest);
  }
}

/** Steps up to `limit`. @returns false if the program ended, or got stuck, before that */
async function isCutOff<T>(
  environment: VirtualEnvironment,
  program: Promise<T>,
  limit: number,
): Promise<boolean> {
  let settled = false;
  const done = (): void => {
    settled = true;
  };
  program.then(done, done);
  while (!settled && environment.steps < limit) {
    if (!(await environment.step())) return false;
  }
  return !settled;
}

/** Where to crash, and what must hold afterwards. */
export interface CrashProgramOptions<T> extends Omit<SimulationOptions<T>, 'crashAtSteps'> {
  /** Looks at the result of a run that was crashed at `crashedAtStep`; throws if it is wrong. */
  readonly check: (result: SimulationResult<T>, crashedAtStep: number) => void | Promise<void>;
  /** At most so many crash points, spread evenly. Default: every step. */
  readonly points?: number;
}

/**
 * Runs once without a crash to count the steps, then again and again, with a crash one step later
 * each time.
 *
 * @returns how many crash points were tried
 * @throws what `check` throws, or what a run rejects with, both naming the step
 */
export async function crashProgramEverywhere<T>(options: CrashProgramOptions<T>): Promise<number> {
  const plain = await runSimulation(options);
  await options.check(plain, -1);
  const total = plain.steps[0]!;
  const points = Math.min(options.points ?? total, total);
  for (let point = 0; point < points; point++) {
    const step = Math.floor((point * total) / points);
    try {
      await options.check(await runSimulation({ ...options, crashAtSteps: [step] }), step);
    } catch (error) {
      throw new Error(`seed ${options.seed}, crash at step ${step}: ${String(error)}`, {
        cause: error,
      });
    }
  }
  return points;
}
