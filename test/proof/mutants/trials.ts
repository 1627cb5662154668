/** One seed of one job. */
export interface Trial {
  readonly job: string;
  readonly seed: number;
}

/** So many seeds of the likely jobs come before all jobs have their turn. */
const LIKELY_SEEDS = 300;

/**
 * Which seeds to try, in order: first those of jobs that are likely to show a bug, then the seeds
 * of the campaign, each with its own job.
 *
 * @param jobs all jobs of the campaign, in its order
 */
export function* trials(
  jobs: readonly string[],
  likely: readonly string[],
  count: number,
): Generator<Trial> {
  const tried = new Set<string>();
  const isNew = ({ job, seed }: Trial): boolean => {
    const size = tried.size;
    return tried.add(`${job} ${seed}`).size > size;
  };
  for (let seed = 1; tried.size < count; seed++) {
    const isFirst = seed <= LIKELY_SEEDS && likely.length > 0;
    const among = isFirst ? likely : jobs;
    const trial = { job: among[seed % among.length]!, seed };
    if (isNew(trial)) yield trial;
    if (seed === LIKELY_SEEDS && likely.length > 0) {
      // The campaign begins at its first seed.
      for (let other = 1; other < LIKELY_SEEDS && tried.size < count; other++) {
        const early = { job: jobs[other % jobs.length]!, seed: other };
        if (isNew(early)) yield early;
      }
    }
  }
}
