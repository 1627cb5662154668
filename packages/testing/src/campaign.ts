// The sub-path `@millrace/testing/campaign`: runs jobs under faults drawn from seeds.
export type { CampaignJob, JobWorld } from './campaign/campaign-job.ts';
export { drawPlan, type JobTraits } from './campaign/draw-plan.ts';
export type { FaultPlan, FaultRates, LifePlan, PlannedEvent } from './campaign/fault-plan.ts';
export {
  type Baseline,
  differences,
  type RunSeedOptions,
  SeedRunner,
} from './campaign/run-seed.ts';
export type { Problem, SeedOutcome, StoryLine } from './campaign/seed-outcome.ts';
export { virtualTransactionalSink } from './servers/transactional-sink.ts';
export { VirtualBroker } from './servers/virtual-broker.ts';
export { type ShrunkPlan, shrinkPlan } from './campaign/shrink-plan.ts';
export { storyText } from './campaign/story-text.ts';
export { planOfText, planText, type Replay, replaySeed } from './campaign/replay-seed.ts';
export { campaignJobOf, rehearse, type SimulatedJobOptions } from './user/simulated-job.ts';
