import { type JobDefinition, type JobEvent, StreamError } from '@millrace/core';
import { messageOf } from '@millrace/core/connector';
import { SeededRandom } from '../environment/seeded-random.ts';
import { VirtualDisk } from '../environment/virtual-disk.ts';
import { VirtualEnvironment } from '../environment/virtual-environment.ts';
import { VirtualBroker } from '../servers/virtual-broker.ts';
import { VirtualObjectStore } from '../servers/virtual-object-store.ts';
import type { CampaignJob, JobWorld } from './campaign-job.ts';
import { CommitWatch } from './commit-watch.ts';
import { damage } from './damage.ts';
import { unexplainedFiles } from './directory-check.ts';
import { edgeWatch } from './edge-watch.ts';
import { FaultDice } from './fault-dice.ts';
import { CLEAN_LIFE, type FaultPlan, type LifePlan, type PlannedEvent } from './fault-plan.ts';
import { instrumentJob } from './instrument-job.ts';
import { JobProcess } from './job-process.ts';
import { LogWatch } from './log-watch.ts';
import type { Problem, StoryLine } from './seed-outcome.ts';
import { StoredCheckpoints } from './stored-checkpoints.ts';
import { filesInStore, filesOnDisk } from './stored-files.ts';
import { stateLines } from './stored-state.ts';

/** What came of all lives of a job. */
export interface CampaignEnd {
  readonly problems: readonly Problem[];
  /** null: it did not come to its end. */
  readonly committed: readonly string[] | null;
  readonly state: readonly string[] | null;
  readonly turns: number;
  readonly crashes: number;
  readonly checkpoints: number;
  readonly virtualMs: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly digest: string;
  readonly story: readonly StoryLine[];
}

const CHECKPOINT_DIRECTORY = '/checkpoints';
const SAVEPOINT_DIRECTORY = '/savepoints';
/** 2026-01-01, so that wall clocks look like ones. */
const START_MS = 1_767_225_600_000;
/** Longer than all delays of the engine together: a life that runs on so long hangs. */
const PATIENCE_MS = 300_000;
/** The same without faults: nothing has to be waited for. */
const CLEAN_PATIENCE_MS = 60_000;
/** Lives that end by themselves are followed by others; not for ever. */
const LIVES_MAX = 30;
const PROBLEMS_MAX = 20;
/** Who waits for something uses up time and few turns: then the next event comes all the same. */
const QUIET_MS = 20_000;
/** The longest time that passes while all processes sleep. */
const SLEEP_MS = 3_000;

/** One run of a job through all that a plan has for it. */
export class Campaign {
  readonly #job: CampaignJob;
  readonly #plan: FaultPlan;
  readonly #random: SeededRandom;
  readonly #dice: FaultDice;
  readonly #world: JobWorld;
  readonly #store: VirtualObjectStore | null;
  readonly #definition: JobDefinition;
  readonly #stored: StoredCheckpoints;
  readonly #commits: CommitWatch;
  readonly #log: LogWatch;
  readonly #problems: Problem[] = [];
  readonly #story: StoryLine[] = [];
  readonly #digests: string[] = [];
  readonly #checkpoints = new Set<string>();
  #life = 0;
  #environment: VirtualEnvironment | null = null;
  #processes: JobProcess[] = [];
  #turnsBefore = 0;
  #msBefore = 0;
  #startMs = START_MS;
  #crashes = 0;
  #from = 'latest';
  #failures = 0;

  constructor(job: CampaignJob, plan: FaultPlan) {
    this.#job = job;
    this.#plan = plan;
    this.#random = new SeededRandom(`campaign/${plan.seed}`);
    this.#dice = new FaultDice(new SeededRandom(`dice/${plan.seed}`), CLEAN_LIFE.rates);
    const disk = new VirtualDisk();
    const serverRandom = new SeededRandom(`servers/${plan.seed}`);
    this.#world = {
      disk,
      broker:
        job.topics === undefined
          ? null
          : new VirtualBroker({ random: serverRandom, topics: job.topics }),
    };
    this.#store = job.usesObjectStore ? new VirtualObjectStore({ random: serverRandom }) : null;
    const hooks = {
      userCode: () => this.#dice.userCode(),
      commitFault: () => this.#dice.commitFault(),
      sinkDelayMs: () => this.#dice.sinkDelayMs(),
      onCommit: (uid: string, committables: readonly unknown[]) =>
        this.#commits.onCommit(uid, committables),
    };
    this.#definition = instrumentJob(job.build(plan.inputSize, this.#world), hooks);
    const onDisk = filesOnDisk(disk);
    this.#stored =
      this.#store === null
        ? new StoredCheckpoints(onDisk, `${CHECKPOINT_DIRECTORY}/${this.#definition.name}`)
        : new StoredCheckpoints(filesInStore(this.#store, onDisk), this.#definition.name);
    this.#commits = new CommitWatch(this.#stored, (message) => this.#wrong('commits', message));
    this.#log = new LogWatch(this.#stored, (message) => this.#wrong('log', message));
  }

  async run(): Promise<CampaignEnd> {
    const { lives } = this.#plan;
    let isFinished = false;
    for (let life = 0; life < LIVES_MAX && !isFinished && this.#problems.length === 0; life++) {
      const plan = lives[Math.min(life, lives.length - 1)]!;
      isFinished = await this.#live(plan);
      if (!isFinished && plan.damage !== 'none') await this.#tryDamaged(plan);
    }
    if (!isFinished && this.#problems.length === 0)
      this.#wrong('liveness', `not finished after ${LIVES_MAX} lives`);
    // Once more on what is there: it must find that it has finished, and clean up.
    const before = new Set(this.#stored.names());
    if (this.#problems.length === 0) await this.#liveOnceMore({ ...lives.at(-1)!, ...REST });
    const state = this.#problems.length === 0 ? await this.#lookAtTheEnd(before) : null;
    this.#world.broker?.server.advance(PATIENCE_MS);
    return {
      problems: this.#problems,
      committed: state === null ? null : this.#job.committed(this.#world),
      state,
      turns: this.#turns,
      crashes: this.#crashes,
      checkpoints: this.#checkpoints.size,
      virtualMs: this.#msBefore,
      faults: this.#faults(),
      digest: this.#digests.join('-'),
      story: this.#story,
    };
  }

  async #liveOnceMore(plan: LifePlan): Promise<void> {
    // At a broker, commits of before may become visible only now.
    const committed = (): string[] =>
      this.#world.broker === null ? this.#job.committed(this.#world).sort() : [];
    const before = committed();
    await this.#live(plan);
    const now = committed();
    if (now.join('\n') === before.join('\n')) return;
    this.#wrong('output', `${before.length} lines of a finished job have become ${now.length}`);
  }

  get #turns(): number {
    return this.#turnsBefore + (this.#environment?.steps ?? 0);
  }

  // One life. @returns whether the job has finished
  async #live(plan: LifePlan): Promise<boolean> {
    const environment = this.#begin(plan);
    const first = this.#start(plan, environment);
    const events = [...plan.events];
    let lastEventMs = 0;
    const patienceMs = Number.isFinite(plan.turns) ? PATIENCE_MS : CLEAN_PATIENCE_MS;
    for (;;) {
      while (events.length > 0 && events[0]!.atTurn <= environment.steps) {
        this.#happen(events.shift()!, plan);
      }
      if (!this.#processes.some((process) => process.isRunning)) break;
      if (environment.steps >= plan.turns) break;
      if (environment.clock.monotonicMs() > patienceMs) {
        this.#hang('it goes on and on');
        break;
      }
      const nowMs = environment.clock.monotonicMs();
      if (events.length > 0 && (this.#allSleep() || nowMs > lastEventMs + QUIET_MS)) {
        if (this.#allSleep()) environment.passTime(this.#random.below(SLEEP_MS));
        this.#happen(events.shift()!, plan);
        lastEventMs = nowMs;
        continue;
      }
      if (await environment.step()) continue;
      this.#hang('nothing is left to run');
      break;
    }
    if (first.isRunning || this.#processes.some((process) => process.isRunning)) {
      this.#crashes++;
      this.#dice.count(plan.end === 'power' ? 'power crash' : 'process kill');
      this.#tell(plan.end === 'power' ? 'the power fails' : 'all processes are killed');
    }
    const isFinished = this.#processes.map((process) => this.#judge(process)).includes(true);
    this.#finishLife(plan);
    return isFinished;
  }

  #allSleep(): boolean {
    return this.#processes.every((one) => !one.isRunning || one.environment.isAsleep);
  }

  #begin(plan: LifePlan): VirtualEnvironment {
    this.#life++;
    this.#failures = 0;
    const environment = new VirtualEnvironment({
      seed: this.#plan.seed * 101 + this.#life,
      startMs: this.#startMs,
      disk: this.#world.disk,
      msPerStep: 0.1,
      maxDelayMs: plan.maxDelayMs,
    });
    this.#environment = environment;
    this.#processes = [];
    this.#dice.begin(plan.rates);
    const every = plan.rates.serverEvery;
    for (const server of [this.#world.broker?.server, this.#store?.server]) {
      server?.setFaults(every === 0 ? {} : serverRates(every));
    }
    this.#tell(`life ${this.#life} begins, parallelism ${plan.parallelism}`);
    return environment;
  }

  #finishLife(plan: LifePlan): void {
    const environment = this.#environment!;
    for (const { environment: one } of this.#processes) if (one.isAlive) one.kill();
    if (plan.end === 'power' && Number.isFinite(plan.turns)) environment.crash();
    this.#world.disk.fullAfterBytes = Number.POSITIVE_INFINITY;
    this.#digests.push(environment.trace.digest);
    const durationMs = environment.clock.monotonicMs() + 1_000;
    this.#startMs += Math.ceil(durationMs);
    this.#turnsBefore += environment.steps;
    this.#msBefore += durationMs;
    this.#environment = null;
  }

  #start(plan: LifePlan, environment: VirtualEnvironment, standby = false): JobProcess {
    const index = this.#processes.length;
    this.#dice.infect(environment);
    environment.fileSystem.onEffect = (operation, path) => {
      if (operation === 'syncDirectory' && path.endsWith('/log')) this.#commits.look();
    };
    const store = this.#store;
    const process = new JobProcess(
      index,
      environment,
      this.#definition,
      {
        parallelism: plan.parallelism,
        checkpoints: { ...plan.checkpoints, directory: CHECKPOINT_DIRECTORY },
        tuning: plan.tuning,
        memory: plan.memory,
        restart: plan.restart,
        from: this.#from,
        standby,
        observeChannel: edgeWatch(this.#job.hasLateRecords ?? false, (message) =>
          this.#wrong('edges', message),
        ),
        ...(store === null ? {} : { storage: store.storage(environment, this.#definition.name) }),
      },
      (one, event) => this.#onEvent(one, event),
    );
    this.#processes.push(process);
    return process;
  }

  #happen(event: PlannedEvent, plan: LifePlan): void {
    const { disk } = this.#world;
    switch (event.kind) {
      case 'rival':
        this.#dice.count(event.isStandby ? 'standby' : 'takeover');
        this.#tell(
          `process ${this.#processes.length} is started beside the others` +
            (event.isStandby ? ', and stands by' : ''),
        );
        this.#start(
          plan,
          this.#environment!.startProcess(this.#plan.seed + this.#life),
          event.isStandby,
        );
        return;
      case 'pause':
      case 'resume':
        this.#sleep(event.kind, event.process);
        return;
      case 'clock':
        this.#dice.count('clock jump');
        this.#tell(`the wall clock jumps by ${event.byMs} ms`);
        this.#environment!.jumpClock(event.byMs);
        return;
      case 'full':
        this.#dice.count('disk full');
        this.#tell('the disk is full');
        disk.fullAfterBytes = disk.writtenBytes;
        return;
      case 'room':
        this.#tell('the disk has room again');
        disk.fullAfterBytes = Number.POSITIVE_INFINITY;
        return;
      default:
        this.#control(event.kind);
    }
  }

  #sleep(kind: 'pause' | 'resume', index: number): void {
    const process = this.#processes[index];
    if (process?.isRunning !== true) return;
    if (kind === 'pause') this.#dice.count('process paused');
    this.#tell(`process ${index} ${kind === 'pause' ? 'falls asleep' : 'wakes up'}`);
    if (kind === 'pause') process.environment.pause();
    else process.environment.resume();
  }

  #control(
    kind: Extract<
      PlannedEvent['kind'],
      'checkpoint' | 'savepoint' | 'stop' | 'stop-savepoint' | 'cancel'
    >,
  ): void {
    const process = this.#processes.at(-1)!;
    const { execution } = process;
    if (execution === null || !process.isRunning) return;
    this.#dice.count(`asked for ${kind}`);
    this.#tell(`process ${process.index} is asked for: ${kind}`);
    // What is asked for may fail: then it is simply not there.
    const ignore = (): void => {};
    switch (kind) {
      case 'checkpoint':
        execution.triggerCheckpoint().catch(ignore);
        return;
      case 'savepoint':
        execution.triggerSavepoint(SAVEPOINT_DIRECTORY).catch(ignore);
        return;
      case 'stop':
        execution.stop().catch(ignore);
        return;
      case 'stop-savepoint':
        execution.stop({ savepointDirectory: SAVEPOINT_DIRECTORY }).catch(ignore);
        return;
      case 'cancel':
        execution.cancel().catch(ignore);
    }
  }

  #onEvent(process: JobProcess, event: JobEvent): void {
    switch (event.kind) {
      case 'claimed':
        this.#tell(`process ${process.index} claims the job as generation ${event.generation}`);
        break;
      case 'restored':
        this.#tell(`process ${process.index} restores ${event.from}`);
        break;
      case 'checkpointCompleted': {
        const { checkpointId } = event.checkpoint;
        this.#checkpoints.add(`${checkpointId}`);
        this.#tell(`process ${process.index} completes checkpoint ${checkpointId}`);
        this.#commits.look();
        this.#log.onCompleted(process.generation!, checkpointId);
        break;
      }
      case 'checkpointAborted':
        this.#tell(`checkpoint ${event.checkpointId} is aborted: ${event.reason}`);
        break;
      case 'failure':
        this.#failures++;
        this.#dice.count('attempt failed');
        this.#tell(`the attempt of process ${process.index} fails: ${messageOf(event.error)}`);
        this.#checkError(event.error);
        break;
      case 'status':
        break;
    }
  }

  // @returns whether the job has finished
  #judge(process: JobProcess): boolean {
    const { end } = process;
    this.#from = 'latest';
    if (end === null) return false;
    if ('result' in end) {
      const { status, lastCheckpoint } = end.result;
      this.#tell(`process ${process.index} ends: ${status}`);
      if (status === 'stopped' && lastCheckpoint?.kind === 'savepoint') {
        this.#from = lastCheckpoint.path;
      }
      return status === 'finished';
    }
    this.#tell(`process ${process.index} ends with: ${messageOf(end.error)}`);
    this.#checkError(end.error);
    return false;
  }

  // What faults may lead to is an error of the engine's catalogue, of somebody else's making.
  #checkError(error: unknown): void {
    const chain = chainOf(error);
    const isPlanned = chain.some(
      (one) => one instanceof Error && /planned|injected/.test(one.message),
    );
    if (isPlanned) return;
    const typed = chain.find((one) => one instanceof StreamError);
    if (typed !== undefined && typed.domain !== 'internal') return;
    const stack = error instanceof Error ? error.stack : undefined;
    this.#wrong('errors', `${messageOf(error)} is no error that a fault may lead to\n${stack}`);
  }

  // A start on damaged storage has to say so, by an error of its own kind.
  async #tryDamaged(plan: LifePlan): Promise<void> {
    const done = damage(this.#stored, plan.damage, this.#random);
    if (done === null) return;
    this.#dice.count(`damaged ${plan.damage}`);
    const life = { ...plan, ...REST };
    const environment = this.#begin(life);
    this.#tell(`a bit of ${done.path} is flipped`);
    const process = this.#start(life, environment);
    while (process.isRunning && this.#failures === 0 && environment.steps < 3_000) {
      if (!(await environment.step())) break;
    }
    const error = process.end !== null && 'error' in process.end ? process.end.error : null;
    if (error !== null) this.#tell(`process 0 ends with: ${messageOf(error)}`);
    const isDetected = error !== null || this.#failures > 0;
    if (isDetected) this.#dice.count('damage detected');
    else if (plan.damage !== 'run')
      this.#wrong('damage', `${done.path} was used, damaged as it was`);
    this.#finishLife(life);
    done.repair();
  }

  // What the last life made and did not need is for the next one to remove.
  async #lookAtTheEnd(before: ReadonlySet<string>): Promise<string[] | null> {
    for (const name of unexplainedFiles(this.#stored)) {
      if (before.has(name)) this.#wrong('directory', `nothing needs ${name}`);
    }
    const latest = this.#stored.latest('content');
    if (latest === null) {
      this.#wrong('state', 'a finished job has no checkpoint');
      return null;
    }
    try {
      return await stateLines(this.#stored, latest);
    } catch (error) {
      this.#wrong('state', `the last checkpoint cannot be read: ${messageOf(error)}`);
      return null;
    }
  }

  #hang(why: string): void {
    const running = this.#processes.filter((process) => process.isRunning);
    const states = running.map(
      (one) => `process ${one.index}: ${one.execution?.status() ?? 'starting'}`,
    );
    this.#wrong('liveness', `${why}; ${states.join(', ')}`);
  }

  #wrong(oracle: string, message: string): void {
    this.#tell(`WRONG (${oracle}): ${message}`);
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push({ oracle, message });
  }

  #tell(text: string): void {
    const environment = this.#environment;
    const atMs = this.#msBefore + (environment?.clock.monotonicMs() ?? 0);
    this.#story.push({ life: this.#life, turn: environment?.steps ?? 0, atMs, text });
    environment?.trace.note(text);
  }

  #faults(): Map<string, number> {
    const faults = new Map(this.#dice.struck);
    for (const server of [this.#world.broker?.server, this.#store?.server]) {
      for (const [kind, times] of Object.entries(server?.injected ?? {})) {
        if (times > 0) faults.set(`server ${kind}`, (faults.get(`server ${kind}`) ?? 0) + times);
      }
    }
    return faults;
  }
}

/** A life that is left in peace. */
const REST = {
  rates: CLEAN_LIFE.rates,
  events: [],
  turns: Number.POSITIVE_INFINITY,
  damage: 'none',
  end: 'kill',
  restart: CLEAN_LIFE.restart,
  maxDelayMs: CLEAN_LIFE.maxDelayMs,
} as const;

function serverRates(every: number): Record<string, number> {
  const rate = 1 / every / 7;
  return {
    throttled: rate,
    refused: rate,
    lostRequest: rate,
    lostReply: rate,
    late: rate,
    slow: rate,
    outage: rate / 4,
    denial: rate / 8,
  };
}

function chainOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let one = error; one !== undefined && chain.length < 10; ) {
    chain.push(one);
    one = one instanceof Error ? one.cause : undefined;
  }
  return chain;
}
