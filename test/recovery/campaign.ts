// Runs a job through many deaths of every kind in the simulator, and says what came of it.
import assert from 'node:assert/strict';
import { type JobExecution, type JobResult, run, StreamError } from '@millrace/core';
import { SeededRandom, VirtualDisk, VirtualEnvironment } from '@millrace/testing';
import { type CampaignPlan, type LifePlan, planOf } from './campaign-plan.ts';
import { checkFiles, checkLines } from './campaign-oracle.ts';
import { PausableEnvironment } from './pausable-environment.ts';
import { conditions } from './simulated-jobs.ts';
import { committedLines } from './simulated-run.ts';

/** What happened in a run. */
export interface CampaignResult {
  readonly plan: CampaignPlan;
  readonly disk: VirtualDisk;
  readonly steps: number;
  readonly lives: number;
  /** Attempts that failed and were started again in the same process. */
  readonly restarts: number;
  readonly fenced: number;
  readonly checkpoints: number;
}

const STEPS_MAX = 60_000;
/** A life may fail for good (disk full, ...) and is started again; not for ever. */
const LIVES_MAX = 25;

/** How a process ended. */
type Outcome = { readonly result: JobResult } | { readonly error: unknown };

class Process {
  readonly environment: PausableEnvironment;
  readonly virtual: VirtualEnvironment;
  execution: JobExecution | null = null;
  outcome: Outcome | null = null;

  constructor(virtual: VirtualEnvironment) {
    this.virtual = virtual;
    this.environment = new PausableEnvironment(virtual);
  }
}

/** One run of the campaign in the making. */
class Campaign {
  readonly #plan: CampaignPlan;
  readonly #random: SeededRandom;
  #disk = new VirtualDisk();
  #startMs = 0;
  #from = 'latest';
  #steps = 0;
  #restarts = 0;
  #fenced = 0;
  #checkpoints = 0;

  constructor(plan: CampaignPlan) {
    this.#plan = plan;
    this.#random = new SeededRandom(`campaign/${plan.seed}/run`);
  }

  async run(): Promise<CampaignResult> {
    const { lives } = this.#plan;
    for (let life = 0; life < LIVES_MAX; life++) {
      const isDone = await this.#live(lives[Math.min(life, lives.length - 1)]!, life);
      if (!isDone) continue;
      return {
        plan: this.#plan,
        disk: this.#disk,
        steps: this.#steps,
        lives: life + 1,
        restarts: this.#restarts,
        fenced: this.#fenced,
        checkpoints: this.#checkpoints,
      };
    }
    throw new Error(`not finished after ${LIVES_MAX} lives`);
  }

  /** Once more, on what is there: nothing may change but that dead files go. */
  async runAgain(): Promise<void> {
    await this.#live(this.#plan.lives.at(-1)!, LIVES_MAX);
  }

  // @returns whether the job finished
  async #live(plan: LifePlan, life: number): Promise<boolean> {
    const environment = new VirtualEnvironment({
      seed: this.#plan.seed * 64 + life,
      startMs: this.#startMs,
      disk: this.#disk,
      msPerStep: plan.msPerStep,
    });
    this.#disk.fullAfterBytes = this.#disk.writtenBytes + plan.freeBytes;
    const usual = { ...conditions };
    conditions.pace = this.#plan.pace;
    conditions.onUserCode = () => {
      if (plan.throwEvery > 0 && this.#random.below(plan.throwEvery) === 0) {
        throw new TypeError('planned');
      }
    };
    const processes = [this.#start(environment, plan)];
    const first = processes[0]!;
    try {
      await this.#step(environment, processes, plan.steps);
      if (first.outcome === null) await this.#end(environment, processes, plan);
    } finally {
      Object.assign(conditions, usual);
      this.#disk.fullAfterBytes = Number.POSITIVE_INFINITY;
    }
    for (const { virtual } of processes) if (virtual.isAlive) virtual.kill();
    this.#startMs = environment.clock.nowMs() + 1_000;
    this.#steps += environment.steps;
    return processes.some((one) => this.#judge(one, plan));
  }

  async #end(environment: VirtualEnvironment, processes: Process[], plan: LifePlan) {
    const first = processes[0]!;
    switch (plan.end) {
      case 'power':
        environment.crash();
        return;
      case 'kill':
        return;
      case 'stop':
      case 'savepoint':
        first.execution
          ?.stop({
            drain: false,
            ...(plan.end === 'savepoint' ? { savepointDirectory: '/savepoints' } : {}),
          })
          .catch(() => {});
        break;
      case 'cancel':
        void first.execution?.cancel();
        break;
      case 'takeover':
        processes.push(this.#start(environment.startProcess(this.#plan.seed + 7), plan));
        break;
      case 'takeover-asleep':
        first.environment.pause();
        processes.push(this.#start(environment.startProcess(this.#plan.seed + 7), plan));
        await this.#step(environment, processes.slice(1), plan.sleepSteps);
        first.environment.resume();
        break;
    }
    if (plan.stepsOfEnd < Infinity) {
      await this.#step(environment, processes, plan.stepsOfEnd);
      if (this.#random.chance(0.5)) environment.crash();
      return;
    }
    await this.#step(environment, processes, STEPS_MAX / 2);
    this.#disk.fullAfterBytes = Number.POSITIVE_INFINITY; // whoever waits for space gets it
    await this.#step(environment, processes, STEPS_MAX);
    const left = processes.filter(({ outcome }) => outcome === null);
    if (left.length > 0) {
      const what = left.map(({ execution }) => execution?.status() ?? 'not started').join();
      throw new Error(
        `still ${what} after ${STEPS_MAX} steps: ${environment.trace.tail(30).join('\n')}`,
      );
    }
  }

  #start(virtual: VirtualEnvironment, plan: LifePlan): Process {
    const process = new Process(virtual);
    if (plan.faultEvery > 0) {
      let budget = 40;
      virtual.fileSystem.fault = () => {
        if (budget === 0 || this.#random.below(plan.faultEvery) > 0) return undefined;
        budget--;
        return this.#random.chance(0.8) ? 'other' : 'full';
      };
    }
    const started = run(this.#plan.simulated.job, {
      ...plan.options,
      environment: process.environment,
      from: this.#from,
      onEvent: (event) => {
        if (event.kind === 'failure' && event.restartInMs !== null) this.#restarts++;
        if (event.kind === 'checkpointCompleted') this.#checkpoints++;
      },
    });
    started
      .then((execution) => {
        process.execution = execution;
        return execution.done;
      })
      .then(
        (result) => {
          process.outcome = { result };
        },
        (error: unknown) => {
          process.outcome = { error };
        },
      );
    return process;
  }

  async #step(environment: VirtualEnvironment, processes: readonly Process[], steps: number) {
    const most = Math.min(steps, STEPS_MAX);
    for (let i = 0; i < most && processes.some(({ outcome }) => outcome === null); i++) {
      if (await environment.step()) continue;
      await environment.runReady(); // promises may be behind
      if (await environment.step()) continue;
      if (processes.every(({ outcome }) => outcome !== null)) return;
      throw new Error(`nothing is left to run:\n${environment.trace.tail(30).join('\n')}`);
    }
  }

  // @returns whether the job has finished
  #judge({ outcome }: Process, plan: LifePlan): boolean {
    this.#from = 'latest';
    if (outcome === null) return false;
    if ('result' in outcome) {
      const { status, lastCheckpoint } = outcome.result;
      if (status === 'stopped' && lastCheckpoint?.kind === 'savepoint') {
        this.#from = lastCheckpoint.path;
      }
      return status === 'finished';
    }
    if (!(outcome.error instanceof StreamError)) throw outcome.error;
    const { code } = outcome.error;
    const mayFail = isFaulty(plan);
    if (code === 'JOB_FENCED') this.#fenced++;
    else if (!mayFail) throw outcome.error;
    return false;
  }
}

/** Whether a process may end for good by what the plan does to it. */
function isFaulty({ throwEvery, faultEvery, freeBytes, options }: LifePlan): boolean {
  const isHurried = options.checkpoints!.timeoutMs! < 1_000;
  return throwEvery > 0 || faultEvery > 0 || freeBytes < Infinity || isHurried;
}

/**
 * Runs the job of a seed to its end, takes the power away, and runs it once more.
 *
 * @param expected what the job writes if nothing happens
 * @throws AssertionError if something is lost, doubled or left behind; what a process may not end
 *   with
 */
export async function runCampaign(
  seed: number,
  expected: readonly string[],
): Promise<CampaignResult> {
  const plan = planOf(seed);
  const campaign = new Campaign(plan);
  const result = await campaign.run();
  const committed = committedLines(result.disk);
  checkLines(committed, expected, plan.mode);
  result.disk.losePower(new SeededRandom(`campaign/${seed}/power`));
  assert.deepEqual(committedLines(result.disk), committed, 'what is committed survives');
  await campaign.runAgain();
  assert.deepEqual(committedLines(result.disk), committed, 'a finished job writes nothing more');
  await checkFiles(result.disk, plan.simulated.name);
  return result;
}
