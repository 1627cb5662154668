import { SeedRunner } from '@millrace/testing/campaign';
import { PROOF_JOBS } from './proof-jobs.ts';
const r = new SeedRunner();
const [from, to, ...names] = process.argv.slice(2);
const jobs = PROOF_JOBS.filter((j) => names.length === 0 || names.includes(j.name));
for (let s = Number(from); s <= Number(to); s++)
  for (const job of jobs) {
    const a = performance.now();
    const o = await r.run(job, s);
    if (process.env.V)
      console.log(
        s,
        job.name,
        o.turns,
        o.checkpoints,
        (performance.now() - a).toFixed(0),
        o.uncounted,
      );
    if (o.problems.length)
      console.log(s, job.name, JSON.stringify(o.problems.slice(0, 2)).slice(0, 600));
  }
