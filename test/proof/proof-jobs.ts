// All jobs of the proof. A seed's job is the one at seed modulo their number.
import type { CampaignJob } from '@millrace/testing/campaign';
import { END_JOBS } from './jobs/end-jobs.ts';
import { LATE_JOB } from './jobs/late-job.ts';
import { PROCESS_JOBS } from './jobs/process-jobs.ts';
import { SERVER_JOBS } from './jobs/server-jobs.ts';
import { SHAPE_JOBS } from './jobs/shape-jobs.ts';
import { WINDOW_JOBS } from './jobs/window-jobs.ts';

/** In a fixed order: a seed must mean the same tomorrow. */
export const PROOF_JOBS: readonly CampaignJob[] = [
  ...WINDOW_JOBS,
  LATE_JOB,
  ...PROCESS_JOBS,
  ...SERVER_JOBS,
  ...END_JOBS,
  ...SHAPE_JOBS,
];
