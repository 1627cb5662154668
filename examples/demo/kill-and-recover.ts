// Runs a job to its end, killing its process on the way, and tells what happens.
import { type JobLine, startLife } from './killed-process.ts';

/** What to run, and how often to kill it. */
export interface KillPlan {
  /** Arguments of `millrace run`: the job file, parameters, checkpoint directory. */
  readonly args: readonly string[];
  readonly kills: number;
  /** The kill comes at a random moment between the two, counted from `killAfter`. */
  readonly killAfterMs: readonly [least: number, most: number];
  /** `running`: also before the life's first checkpoint; the next one then begins as it did. */
  readonly killAfter: 'running' | 'first checkpoint';
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
  for (;;) {
    const startedAtMs = performance.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let lifeCheckpoints = 0;
    const life = startLife(plan.args, (line) => {
      if (line.event === 'restored') {
        const tookMs = performance.now() - startedAtMs;
        recoveriesMs.push(tookMs);
        plan.say(`  recovered from checkpoint ${line.checkpointId} in ${tookMs.toFixed(0)} ms`);
      }
      if (line.event === 'checkpointCompleted') lifeCheckpoints++;
      if (timer === undefined && kills < plan.kills && isMoment(line, plan.killAfter)) {
        const [least, most] = plan.killAfterMs;
        timer = setTimeout(() => life.kill(), least + plan.random() * (most - least));
      }
    });
    const end = await life.ended;
    clearTimeout(timer);
    checkpoints += lifeCheckpoints;
    // It may have finished in the moment of the kill.
    if (end.exitCode === 0) return { kills, recoveriesMs, checkpoints };
    if (!end.killed) {
      throw new Error(`the job ended with exit code ${end.exitCode}\n${end.errors}`);
    }
    kills++;
    const lived = (end.aliveMs / 1_000).toFixed(1);
    plan.say(`kill ${kills}: SIGKILL after ${lived} s, ${lifeCheckpoints} checkpoints completed`);
  }
}

function isMoment(line: JobLine, after: KillPlan['killAfter']): boolean {
  if (after === 'first checkpoint') return line.event === 'checkpointCompleted';
  return line.event === 'status' && line.status === 'running';
}
