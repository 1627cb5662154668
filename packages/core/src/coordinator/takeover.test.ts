// Goal: whatever processes, storage and time do, what was told to sinks is what a restart finds.
// Method: up to six processes of one job over one memory. Each has its own clock, so that any of
// them may sleep for as long as the seed wants; calls to storage take time and fail before or after
// their effect.
//
// 1. A checkpoint that a process told its tasks is not above what any later process restored.
// 2. No checkpoint id is told by two processes.
// 3. What is restored is whole: every byte of it is there, however late somebody deletes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStorage } from '../storage/memory-storage.ts';
import {
  acknowledge,
  FakeProcess,
  FaultyStorage,
  type Fault,
  type VirtualTime,
  writeRun,
} from './coordinator-test-bed.ts';
import { readLogOf } from './log-owner.ts';
import { verifyCheckpoint } from './verify-checkpoint.ts';

/** A small generator: the same seed, the same schedule. */
function randomOf(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

const SEEDS = 25;

interface Told {
  readonly generation: number;
  readonly checkpointId: number;
}

class World {
  readonly memory = new MemoryStorage();
  readonly processes: FakeProcess[] = [];
  readonly below: (bound: number) => number;
  #runs = 0;

  constructor(seed: number) {
    this.below = randomOf(seed);
  }

  async startProcess(): Promise<void> {
    const storage = new FaultyStorage(this.memory);
    let time: VirtualTime | null = null;
    const fault: Fault = async () => {
      const delayMs = this.below(4) * 700;
      if (time !== null && delayMs > 0) {
        const { scheduler } = time.environment;
        await new Promise<void>((resolve) => void scheduler.after(delayMs, resolve));
      }
      return [null, null, null, null, 'before', 'after'][this.below(6)] as
        | 'before'
        | 'after'
        | null;
    };
    const options = { numRetained: 1 + this.below(2), tolerableFailures: 99, maxConcurrent: 3 };
    const process = await FakeProcess.start(storage, options);
    time = process.time;
    storage.fault = fault;
    this.processes.push(process);
    await this.checkWhole(process);
  }

  /** 1. */
  checkTold({ recovery }: FakeProcess): void {
    const restoredId = recovery.manifest?.checkpointId ?? 0;
    for (const { generation, checkpointId } of this.told()) {
      if (generation < recovery.generation) assert.ok(checkpointId <= restoredId, 'told and lost');
    }
  }

  /** 3. */
  async checkWhole({ recovery, time }: FakeProcess): Promise<void> {
    if (recovery.manifest === null) return;
    const report = await verifyCheckpoint(recovery.manifest, this.memory, time.environment);
    assert.deepEqual(report.problems, []);
  }

  told(): Told[] {
    return this.processes.flatMap(({ job, recovery: { generation } }) =>
      job.calls
        .filter((call) => call.startsWith('complete '))
        .map((call) => ({ generation, checkpointId: Number(call.split(' ')[1]) })),
    );
  }

  /** Triggers a checkpoint that refers to some old runs and a new one. */
  async checkpoint(process: FakeProcess): Promise<void> {
    process.driver.triggerCheckpoint().catch(() => {});
    const last = process.job.calls.findLast((call) => call.startsWith('trigger '));
    if (last === undefined) return;
    const id = Number(last.split(' ')[1]);
    const latest = process.driver.latestManifest?.operators.count?.subtasks ?? [];
    for (const [index, subtask] of process.job.subtasks.entries()) {
      const file = `shared/${process.recovery.generation}-1-${++this.#runs}.run`;
      const old = latest[index]?.keyed?.runs ?? [];
      const runs = [await writeRun(this.memory, file), ...old.slice(0, this.below(3))];
      process.driver.onMessage(acknowledge(1, id, subtask, runs));
    }
  }
}

async function runWorld(seed: number): Promise<World> {
  const world = new World(seed);
  await world.startProcess();
  for (let step = 0; step < 60; step++) {
    const { processes } = world;
    // The newest, half of the time: it is the one that gets something done.
    const process = processes.at(
      -1 - Math.max(0, world.below(2 * processes.length) - processes.length),
    )!;
    const choice = world.below(10);
    if (choice === 0 && world.processes.length < 6) await world.startProcess();
    else if (choice < 4) await world.checkpoint(process);
    else await process.time.advance(world.below(3_000));
  }
  // Everybody wakes up once more, the oldest last.
  for (const process of world.processes.toReversed()) await process.time.advance(60_000);
  return world;
}

test('takeover: what was told is what a restart finds, over many schedules', async () => {
  let toldCount = 0;
  let fencedCount = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = await runWorld(seed).catch(fail(seed));
    const told = world.told();
    const ids = told.map(({ checkpointId }) => checkpointId);
    assert.equal(new Set(ids).size, ids.length, `seed ${seed}: an id was told twice`);
    const last = await FakeProcess.start(world.memory);
    for (const process of [...world.processes, last]) world.checkTold(process);
    await world.checkWhole(last);
    toldCount += told.length;
    fencedCount += world.processes.filter(({ job }) => job.failures.length > 0).length;
    const { log } = await readLogOf(world.memory, last.time.environment);
    assert.ok(log.nextCheckpointId > Math.max(0, ...ids), `seed ${seed}: ids go back`);
  }
  assert.ok(
    toldCount > SEEDS && fencedCount > SEEDS,
    `too quiet: ${toldCount} told, ${fencedCount} fenced`,
  );
});

function fail(seed: number): (error: Error) => never {
  return (error) => assert.fail(`seed ${seed}: ${error.message}`);
}
