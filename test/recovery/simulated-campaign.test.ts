// Goal: exactly-once whatever happens, several times over. Method: seeds draw deaths (power, kill,
// stop, savepoint, cancel, takeover awake and asleep), exceptions of user code, faults of the disk,
// another parallelism and other options for each life; the committed lines must be those of a plain
// run, and no dead file may be left. More: CAMPAIGN_SEEDS=5000 CAMPAIGN_FROM=1 node --test <this>
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSimulation } from '@millrace/testing';
import { runCampaign } from './campaign.ts';
import { planOf } from './campaign-plan.ts';
import { SIMULATED_JOBS } from './simulated-jobs.ts';
import { committedLines, runSimulated } from './simulated-run.ts';

const SEEDS = Number(process.env.CAMPAIGN_SEEDS ?? 100);
const FROM = Number(process.env.CAMPAIGN_FROM ?? 1);

async function plainLines(): Promise<ReadonlyMap<string, readonly string[]>> {
  const lines = new Map<string, readonly string[]>();
  for (const simulated of SIMULATED_JOBS) {
    const { disk } = await runSimulation({
      seed: 1,
      start: (environment, life) => runSimulated(simulated, environment, life),
    });
    lines.set(simulated.name, committedLines(disk));
  }
  return lines;
}

test('jobs commit exactly what a plain run commits through many kinds of death', async (t) => {
  const expected = await plainLines();
  const sums = { deaths: 0, restarts: 0, fenced: 0, checkpoints: 0, steps: 0 };
  for (let seed = FROM; seed < FROM + SEEDS; seed++) {
    const { simulated } = planOf(seed);
    try {
      const result = await runCampaign(seed, expected.get(simulated.name)!);
      sums.deaths += result.lives - 1;
      sums.restarts += result.restarts;
      sums.fenced += result.fenced;
      sums.checkpoints += result.checkpoints;
      sums.steps += result.steps;
    } catch (cause) {
      throw new Error(`seed ${seed}, job "${simulated.name}": ${String(cause)}`, { cause });
    }
  }
  t.diagnostic(`seeds ${FROM} to ${FROM + SEEDS - 1}: ${JSON.stringify(sums)}`);
  assert.ok(sums.deaths > SEEDS / 3 && sums.restarts > SEEDS / 3, 'most runs are disturbed');
  assert.ok(sums.checkpoints > 2 * SEEDS, 'there is state to come back to');
  if (SEEDS >= 100) assert.ok(sums.fenced > 0, 'processes replace each other');
});
