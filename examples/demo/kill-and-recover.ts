// Runs a job to its end, killing its process on the way, and tells what happens.
import { type JobLine, type LifeEnd, startLife, type Surroundings } from './killed-process.ts';

/** When a life is killed: at a random moment between two, counted from something it does. */
export interface KillMoment {
  /** Before the first checkpoint of a life has completed, the next one begins as it did. */
  readonly after: 'start' | 'claimed' | 'running' | 'first checkpoint';
  readonly leastMs: number;
  readonly mostMs: number;
}

/** What to run, and how often to kill it. */
export interface KillPlan {
  /** Arguments of `millrace run`: the job file, parameters, checkpoint directory. */
  readonly args: readonly string[];
  /** Further arguments of one life: 0 for the first. Default: none. */
  readonly argsOfLife?: (life: number) => readonly string[];
  readonly surroundings?: Surroundings;
  readonly kills: number;
  /** Of the lives in turn, again and again. */
  readonly moments: readonly [KillMoment, ...KillMoment[]];
  /** In [0, 1). */
  readonly random: () => number;
  readonly say: (text: string) => void;
}

/** What happened. */
export interface KillReport {
  readonly kills: number;
  /** From the start of a process to its restored state, one per recovery. */
  readonly recoveriesMs: readonly number[];
  readonly checkpoints: number;
}

/**
 * @returns when the job has finished by itself
 * @throws Error if it ended in any other way than by our kills
 */
export async function killAndRecover(plan: KillPlan): Promise<KillReport> {
  const recoveriesMs: number[] = [];
  let kills = 0;
  let checkpoints = 0;
  for (let life = 0; ; life++) {
    const end = await live(plan, life, kills < plan.kills);
    if (end.recoveredInMs !== null) recoveriesMs.push(end.recoveredInMs);
    checkpoints += end.checkpoints;
    // It may have finished in the moment of the kill.
    if (end.exitCode === 0) return { kills, recoveriesMs, checkpoints };
    if (!end.killed) {
      throw new Error(`the job ended with exit code ${end.exitCode}\n${end.errors}`);
    }
    kills++;
    const lived = (end.aliveMs / 1_000).toFixed(1);
    const completed = `${end.checkpoints} checkpoint${end.checkpoints === 1 ? '' : 's'} completed`;
    plan.say(`kill ${kills}: SIGKILL after ${lived} s, ${completed}`);
  }
}

interface Life extends LifeEnd {
  /** From the start of the process to its restored state; null if it did not get there. */
  readonly recoveredInMs: number | null;
  readonly checkpoints: number;
}

async function live(plan: KillPlan, number: number, isToBeKilled: boolean): Promise<Life> {
  const startedAtMs = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let recoveredInMs: number | null = null;
  let checkpoints = 0;
  const moment = plan.moments[number % plan.moments.length]!;
  const onDone = (done: KillMoment['after'] | null): void => {
    if (!isToBeKilled || timer !== undefined || done !== moment.after) return;
    const { leastMs, mostMs } = moment;
    timer = setTimeout(() => life.kill(), leastMs + plan.random() * (mostMs - leastMs));
  };
  const onLine = (line: JobLine): void => {
    if (line.event === 'restored') {
      recoveredInMs = performance.now() - startedAtMs;
      const took = recoveredInMs.toFixed(0);
      plan.say(`  recovered from checkpoint ${line.checkpointId} in ${took} ms`);
    }
    if (line.event === 'checkpointCompleted') checkpoints++;
    if (line.event === 'failure') plan.say(`  failure: ${JSON.stringify(line.error)}`);
    onDone(doneBy(line));
  };
  const args = [...plan.args, ...(plan.argsOfLife?.(number) ?? [])];
  const life = startLife(args, onLine, plan.surroundings);
  onDone('start');
  const end = await life.ended;
  clearTimeout(timer);
  return { ...end, recoveredInMs, checkpoints };
}

function doneBy(line: JobLine): KillMoment['after'] | null {
  if (line.event === 'claimed') return 'claimed';
  if (line.event === 'checkpointCompleted') return 'first checkpoint';
  return line.event === 'status' && line.status === 'running' ? 'running' : null;
}
