// The sub-path `@millrace/core/plan`: what a job would run as, for the command, dashboards and
// other tools that look at jobs without running them.
export type { JobDefinition, JobParameters } from './graph/job-definition.ts';
export type { JobPlan, PlanChain, PlanEdge, PlanOperator } from './graph/plan.ts';
export { planOf } from './graph/plan.ts';
export { planText } from './graph/plan-text.ts';
export { planJob, type PlanSizes } from './graph/planner.ts';
