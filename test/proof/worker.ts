// One process of the proof: runs the seeds that it is given and sends back what came of them.
import { SeedRunner } from '@millrace/testing/campaign';
import { takeEdges } from './edges/edge-counter.ts';
import { PROOF_JOBS } from './proof-jobs.ts';
import type { SeedReport, WorkOrder } from './seed-report.ts';

const runner = new SeedRunner();

process.on('message', (order: WorkOrder) => void work(order));

async function work({ seeds, jobName }: WorkOrder): Promise<void> {
  for (const seed of seeds) process.send!(await report(seed, jobName));
  process.send!('idle');
}

async function report(seed: number, jobName: string | null): Promise<SeedReport> {
  const job =
    PROOF_JOBS.find(({ name }) => name === jobName) ?? PROOF_JOBS[seed % PROOF_JOBS.length]!;
  try {
    const outcome = await runner.run(job, seed);
    const { uncounted, turns, crashes, checkpoints, virtualMs, problems } = outcome;
    const counts = { turns, crashes, checkpoints, virtualMs };
    const faults = [...outcome.faults];
    return { seed, job: job.name, uncounted, ...counts, faults, edges: takeEdges(), problems };
  } catch (error) {
    // Not even the run without faults works, or the campaign itself is wrong.
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const problems = [{ oracle: 'campaign', message }];
    const none = { turns: 0, crashes: 0, checkpoints: 0, virtualMs: 0, faults: [] };
    return { seed, job: job.name, uncounted: null, ...none, edges: takeEdges(), problems };
  }
}
