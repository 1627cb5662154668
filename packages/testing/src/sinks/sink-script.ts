/** What happens to the checkpoint at the end of an epoch. */
export type EpochEnd =
  /** Made durable, committed, confirmed. */
  | 'completes'
  /** Persisted everywhere, then given up: its data belongs to the next one that completes. */
  | 'aborted'
  /** The next one begins before it is durable; it completes first. */
  | 'overtaken by the next barrier';

/** Records between two checkpoints. */
export interface Epoch {
  /** Index of the first record. */
  readonly first: number;
  readonly count: number;
  readonly end: EpochEnd;
  /** The input ends after these records, before the checkpoint. */
  readonly isLast: boolean;
}

const PLAN: readonly (readonly [count: number, end: EpochEnd])[] = [
  [4, 'completes'],
  [3, 'aborted'],
  [4, 'completes'],
  [3, 'overtaken by the next barrier'],
  [4, 'completes'],
  [0, 'completes'],
  [3, 'completes'],
];

/** What every scenario writes, unless a crash comes between. */
export const SINK_SCRIPT: readonly Epoch[] = PLAN.map(([count, end], index) => ({
  first: PLAN.slice(0, index).reduce((sum, [before]) => sum + before, 0),
  count,
  end,
  isLast: index === PLAN.length - 1,
}));

/** Records of the whole script. */
export const SCRIPT_RECORDS: number = PLAN.reduce((sum, [count]) => sum + count, 0);
