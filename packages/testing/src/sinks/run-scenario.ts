import { messageOf, type Sink } from '@millrace/core/connector';
import { settle } from '../environment/event-loop.ts';
import { VirtualEnvironment } from '../environment/virtual-environment.ts';
import { compareMultisets, contentKey } from '../user/multiset.ts';
import { CheckpointLog } from './checkpoint-log.ts';
import type { SinkTarget } from './check-sink.ts';
import { Progress } from './progress.ts';
import { type SinkCaller, sinkContext, SinkLife } from './sink-life.ts';
import type { SinkDeath, SinkDeathKind, SinkScenario, WakeMoment } from './sink-scenario.ts';
import { SCRIPT_RECORDS, SINK_SCRIPT } from './sink-script.ts';

/** Far above what any sink needs for two dozen records. */
const STEPS_MAX = 20_000;
/** Attempts in a row that may fail by themselves before the job is given up. */
const FAILURES_MAX = 3;
const RESTART_DELAY_MS = 1_000;
const HEAD_START_MS = 50;
/** Two hours: open transactions of the dead may hold readers back until they time out. */
const LAST_REST_MS = 7_200_000;

/** What came out of one scenario. */
export interface ScenarioOutcome {
  readonly lost: readonly unknown[];
  readonly doubled: readonly unknown[];
  /** Never written by anybody. */
  readonly foreign: readonly unknown[];
  /** Seen before the checkpoint that holds them was complete. */
  readonly early: readonly unknown[];
  /** Why the job could not go on; null if it ended. */
  readonly stuck: string | null;
  /** Where the attempts ended, in words. */
  readonly deaths: readonly string[];
  /** Turns of each attempt. */
  readonly steps: readonly number[];
  /** Turns of each attempt until the sink had recovered. */
  readonly stepsToRecovered: readonly number[];
  readonly trace: readonly string[];
}

/**
 * Runs one scenario: attempts that end as it says, then one to the end of the script, and compares
 * what a reader sees with what was written.
 */
export function runScenario<T>(
  scenario: SinkScenario,
  target: SinkTarget<T>,
  record: (index: number) => T,
): Promise<ScenarioOutcome> {
  return new ScenarioRun(scenario, target, record).run();
}

interface Attempt<T> {
  readonly life: SinkLife<T>;
  readonly progress: Progress;
  readonly startStep: number;
  readonly done: Promise<void>;
}

/** A process that was put to sleep, and what its attempt comes to. */
interface Sleeper {
  readonly environment: VirtualEnvironment;
  readonly done: Promise<void>;
  readonly wakesAt: WakeMoment;
}

class ScenarioRun<T> {
  readonly #scenario: SinkScenario;
  readonly #target: SinkTarget<T>;
  readonly #record: (index: number) => T;
  readonly #log = new CheckpointLog();
  readonly #words: string[] = [];
  readonly #steps: number[] = [];
  readonly #stepsToRecovered: number[] = [];
  readonly #early = new Map<string, unknown>();
  #sleepers: Sleeper[] = [];
  #environment: VirtualEnvironment;
  #sink: Sink<T>;
  #generation: number;
  #attempt = 1;
  #nextCheckpointId = 1;

  constructor(scenario: SinkScenario, target: SinkTarget<T>, record: (index: number) => T) {
    this.#scenario = scenario;
    this.#target = target;
    this.#record = record;
    this.#environment = new VirtualEnvironment({ seed: scenario.seed });
    this.#sink = target.sink(this.#environment);
    this.#generation = this.#log.claim();
  }

  async run(): Promise<ScenarioOutcome> {
    let stuck: string | null = null;
    try {
      await this.#runAttempts();
      await this.#letSleepersEnd();
      if (this.#scenario.commitsAgain) await this.#commitAgain();
      await this.#rest(LAST_REST_MS);
    } catch (error) {
      stuck = messageOf(error);
      this.#environment.kill();
      this.#environment = this.#environment.startProcess(this.#scenario.seed);
    }
    const written = Array.from({ length: SCRIPT_RECORDS }, (_, index) => this.#record(index));
    const difference = compareMultisets(written, await this.#read());
    return {
      lost: difference.lost.map(({ value }) => value),
      doubled: difference.doubled.map(({ value }) => value),
      foreign: difference.foreign.map(({ value }) => value),
      early: [...this.#early.values()],
      stuck,
      deaths: this.#words,
      steps: this.#steps,
      stepsToRecovered: this.#stepsToRecovered,
      trace: this.#environment.trace.tail(),
    };
  }

  async #runAttempts(): Promise<void> {
    const deaths = [...this.#scenario.deaths];
    for (let failures = 0; ; ) {
      const attempt = this.#start();
      const death = deaths[0];
      const settled = await this.#runFor(attempt, death?.atStep ?? STEPS_MAX);
      const steps = this.#environment.steps - attempt.startStep;
      if (!settled && death === undefined) throw new Error(`not done after ${steps} turns`);
      this.#steps.push(steps);
      if (settled) {
        const failure = await attempt.done.then(
          () => null,
          (error: unknown) => ({ error }),
        );
        if (failure === null) return;
        if (++failures >= FAILURES_MAX) throw failure.error;
        this.#words.push(`an attempt failed by itself: ${messageOf(failure.error)}`);
        await this.#die({ kind: 'restart', atStep: steps }, attempt);
        await this.#rest(RESTART_DELAY_MS * 2 ** failures);
      } else {
        deaths.shift();
        this.#words.push(`${DEATH_WORDS[death!.kind]} ${attempt.progress.describe()}`);
        await this.#die(death!, attempt);
      }
    }
  }

  #start(): Attempt<T> {
    const environment = this.#environment;
    const startStep = environment.steps;
    const progress = new Progress(() => environment.steps);
    const index = this.#steps.length;
    const { parallelism } = this.#scenario;
    const life = new SinkLife<T>({
      ...this.#who(parallelism[Math.min(index, parallelism.length - 1)]!),
      sink: this.#sink,
      log: this.#log,
      progress,
      firstCheckpointId: this.#nextCheckpointId,
      record: this.#record,
      onMoment: (moment) => {
        if (moment === 'recovered') {
          this.#stepsToRecovered[index] ??= environment.steps - startStep;
        }
        return this.#wakeAt(moment, environment);
      },
    });
    const done = life.run();
    done.catch(() => {});
    return { life, progress, startStep, done };
  }

  #who(parallelism: number): SinkCaller {
    const environment = this.#environment;
    return { environment, generation: this.#generation, attempt: this.#attempt, parallelism };
  }

  /** @returns false if the attempt is still running after `steps` turns */
  async #runFor({ done, startStep, progress }: Attempt<T>, steps: number): Promise<boolean> {
    let settled = false;
    const onEnd = (): void => {
      settled = true;
    };
    done.then(onEnd, onEnd);
    await settle();
    const environment = this.#environment;
    while (!settled && environment.steps - startStep < steps) {
      if (await environment.step()) continue;
      if (settled) break;
      throw new Error(
        `nothing is left to run ${progress.describe()}: the sink waits for something real ` +
          '(a timer, a socket), or for ever',
      );
    }
    return settled;
  }

  async #die(
    { kind, wakesAt = 'recovered' }: SinkDeath,
    { life, done }: Attempt<T>,
  ): Promise<void> {
    const before = this.#environment;
    const seed = this.#scenario.seed + this.#steps.length * 1_000_003;
    switch (kind) {
      case 'restart':
        await before.runUntil(
          life.close().catch(() => {}),
          STEPS_MAX,
        );
        this.#nextCheckpointId = life.nextCheckpointId;
        this.#attempt++;
        break;
      case 'process':
        before.kill();
        this.#startProcess(before.startProcess(seed));
        break;
      case 'power': {
        const startMs = before.clock.nowMs() + RESTART_DELAY_MS;
        const disk = before.crash();
        this.#sleepers = [];
        this.#startProcess(new VirtualEnvironment({ seed, startMs, disk }));
        break;
      }
      case 'sleep': {
        before.pause();
        this.#sleepers.push({ environment: before, done, wakesAt });
        this.#startProcess(before.startProcess(seed));
        break;
      }
    }
    await this.#noteEarly();
  }

  #startProcess(environment: VirtualEnvironment): void {
    this.#environment = environment;
    this.#sink = this.#target.sink(environment);
    this.#generation = this.#log.claim();
    this.#attempt = 1;
    this.#nextCheckpointId = this.#log.completedId + 1;
  }

  async #wakeAt(moment: WakeMoment, caller: VirtualEnvironment): Promise<void> {
    if (caller !== this.#environment) return; // a sleeper wakes nobody
    const due = this.#sleepers.filter(
      ({ environment, wakesAt }) => environment.isAsleep && wakesAt === moment,
    );
    for (const { environment } of due) environment.resume();
    if (due.length === 0 || !moment.startsWith('checkpoint')) return;
    // Virtual time moves only when the woken one has nothing left to do.
    await new Promise<void>((resolve) => caller.scheduler.after(HEAD_START_MS, resolve));
  }

  /** Whoever has taken a process over does not care how it ends, only what it does. */
  async #letSleepersEnd(): Promise<void> {
    for (const { environment, done } of this.#sleepers) {
      if (environment.isAsleep) environment.resume();
      await environment.runUntil(
        done.catch(() => {}),
        STEPS_MAX,
      );
    }
    await this.#environment.runReady();
  }

  async #commitAgain(): Promise<void> {
    this.#environment.kill();
    this.#startProcess(this.#environment.startProcess(this.#scenario.seed));
    const environment = this.#environment;
    this.#words.push('at the end, all that checkpoints had ever named was committed once more');
    const committer = this.#sink.createCommitter?.(sinkContext(this.#who(1), 0));
    if (committer === undefined) return;
    const again = committer.commit(this.#log.everCompleted());
    await environment.runUntil(
      again.then(
        () => {},
        () => {},
      ),
    );
  }

  async #noteEarly(): Promise<void> {
    const held = SINK_SCRIPT[this.#log.nextEpoch]?.first ?? SCRIPT_RECORDS;
    const pending = new Set<string>();
    for (let i = held; i < SCRIPT_RECORDS; i++) pending.add(contentKey(this.#record(i)));
    for (const value of await this.#read()) {
      const key = contentKey(value);
      if (pending.has(key)) this.#early.set(key, value);
    }
  }

  // As the engine does: what made an attempt fail may be over by then.
  #rest(delayMs: number): Promise<void> {
    const environment = this.#environment;
    const rested = new Promise<void>((resolve) => environment.scheduler.after(delayMs, resolve));
    return environment.runUntil(rested, STEPS_MAX);
  }

  #read(): Promise<readonly unknown[]> {
    const environment = this.#environment;
    return environment.runUntil(Promise.resolve(this.#target.read(environment)), STEPS_MAX);
  }
}

const DEATH_WORDS: Readonly<Record<SinkDeathKind, string>> = {
  restart: 'the job restarted within its process',
  process: 'the process was killed',
  power: 'the power went off',
  sleep: 'the process fell asleep (another took over, then it woke up)',
};
