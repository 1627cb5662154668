import type { CompletedCheckpoint, JobEvent, JobStatus, OperatorMetrics } from '@millrace/core';

/** Records per second of one operator, over the time between two looks. */
export interface OperatorRate {
  readonly metrics: OperatorMetrics;
  readonly inPerSecond: number;
  readonly outPerSecond: number;
}

/** What a progress display knows. Changed only by the functions of this file, which are pure. */
export interface ProgressState {
  readonly jobName: string;
  readonly status: JobStatus;
  readonly startedAtMs: number;
  readonly operators: readonly OperatorRate[];
  /** When the operators were last looked at; null: not yet. */
  readonly lookedAtMs: number | null;
  readonly checkpointsCompleted: number;
  readonly checkpointsAborted: number;
  readonly lastCheckpoint: CompletedCheckpoint | null;
  readonly lastCheckpointAtMs: number;
  readonly restarts: number;
  /** The last failure, one line; null: none so far. */
  readonly failure: string | null;
}

/** @returns the state before anything has happened */
export function initialProgress(jobName: string, startedAtMs: number): ProgressState {
  return {
    jobName,
    status: 'starting',
    startedAtMs,
    operators: [],
    lookedAtMs: null,
    checkpointsCompleted: 0,
    checkpointsAborted: 0,
    lastCheckpoint: null,
    lastCheckpointAtMs: 0,
    restarts: 0,
    failure: null,
  };
}

/** Takes in an event. O(1). */
export function onJobEvent(state: ProgressState, event: JobEvent, nowMs: number): ProgressState {
  switch (event.kind) {
    case 'status':
      return { ...state, status: event.status };
    case 'checkpointCompleted':
      return {
        ...state,
        checkpointsCompleted: state.checkpointsCompleted + 1,
        lastCheckpoint: event.checkpoint,
        lastCheckpointAtMs: nowMs,
      };
    case 'checkpointAborted':
      return { ...state, checkpointsAborted: state.checkpointsAborted + 1 };
    case 'failure': {
      const failure = event.error instanceof Error ? event.error.message : String(event.error);
      return {
        ...state,
        failure: failure.split('\n')[0]!,
        restarts: state.restarts + (event.restartInMs === null ? 0 : 1),
      };
    }
    case 'snapshotReleased':
    case 'claimed':
    case 'standingBy':
    case 'restored':
      return state;
  }
}

/**
 * Takes in the operators' figures. A count that went back (a restart begins again at nothing) makes
 * a rate of 0, never a negative one.
 *
 * Cost: O(operators).
 */
export function onMetrics(
  state: ProgressState,
  metrics: readonly OperatorMetrics[],
  nowMs: number,
): ProgressState {
  const seconds = state.lookedAtMs === null ? 0 : (nowMs - state.lookedAtMs) / 1_000;
  const before = new Map(state.operators.map((one) => [one.metrics.uid, one.metrics]));
  const rate = (now: number, then: number | undefined): number =>
    seconds > 0 && then !== undefined ? Math.max(0, (now - then) / seconds) : 0;
  const operators = metrics.map((one) => ({
    metrics: one,
    inPerSecond: rate(one.recordsIn, before.get(one.uid)?.recordsIn),
    outPerSecond: rate(one.recordsOut, before.get(one.uid)?.recordsOut),
  }));
  return { ...state, operators, lookedAtMs: nowMs };
}
