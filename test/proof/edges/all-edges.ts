import { EDGES as ALIGNER } from './aligner-edges.ts';
import { EDGES as COMMITTER } from './committer-edges.ts';
import { EDGES as CHECKPOINT } from './coordinator-edges.ts';
import { EDGES as RESTART } from './restart-edges.ts';
import { EDGES as JOB } from './runner-edges.ts';
import { EDGES as SEGMENT } from './segment-edges.ts';
import { EDGES as SLOTS } from './slot-edges.ts';

/** Every edge that a campaign should take. */
export const ALL_EDGES: readonly string[] = [
  ...JOB,
  ...CHECKPOINT,
  ...ALIGNER,
  ...SLOTS,
  ...COMMITTER,
  ...SEGMENT,
  ...RESTART,
];
