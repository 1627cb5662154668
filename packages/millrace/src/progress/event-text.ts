import type { JobEvent, OperatorMetrics, StateChange } from '@millrace/core';
import { changeText } from '@millrace/core/checkpoint';
import { formatDuration } from '../command/duration.ts';
import { errorData } from '../command/error-report.ts';
import { operatorReports } from '../control/control-protocol.ts';
import { type FailureRun, failureRunText, onFailureOf } from './failure-run.ts';
import { formatBytes } from './figures.ts';

/**
 * An event as one line for a log, without time and line end.
 *
 * @param failures the run of failures that a `failure` belongs to
 */
export function eventText(event: JobEvent, failures: FailureRun | null = null): string {
  switch (event.kind) {
    case 'status':
      return event.status;
    case 'claimed':
      return `claimed as generation ${event.generation}${leftBehindText(event.leftBehind)}`;
    case 'standingBy':
      return `standing by: generation ${event.ownerGeneration} of the job is running`;
    case 'restored': {
      const { checkpointId, from, hadFinished } = event;
      // The job's own checkpoint needs no path: its number names it.
      const place = from.startsWith(`chk-${checkpointId}/`) ? '' : ` from ${from}`;
      const took = formatDuration(event.durationMs);
      const changes = stateText(event.changes);
      const text = `restored checkpoint ${checkpointId}${place} in ${took}${changes}`;
      return hadFinished ? `${text}; ${finishedText(checkpointId)}` : text;
    }
    case 'checkpointCompleted': {
      const { kind, checkpointId, durationMs, writtenBytes, path } = event.checkpoint;
      const size = formatBytes(writtenBytes);
      const place = kind === 'savepoint' ? ` in ${path}` : '';
      return `${kind} ${checkpointId} complete in ${formatDuration(durationMs)}, ${size}${place}`;
    }
    case 'snapshotReleased':
      return `everything of ${event.directory} is copied: it is not needed any more`;
    case 'checkpointAborted':
      return `checkpoint ${event.checkpointId} aborted: ${event.reason}`;
    case 'failure': {
      const then =
        event.restartInMs === null
          ? 'the job fails'
          : `restart in ${formatDuration(event.restartInMs)}`;
      const more = failureRunText(failures ?? onFailureOf(null, event.error));
      return `failure: ${errorData(event.error).message}${more}; ${then}`;
    }
  }
}

/** The most states that a line names. */
const STATES_MAX = 5;

function stateText(changes: readonly StateChange[]): string {
  if (changes.length === 0) return '';
  const named = changes.slice(0, STATES_MAX).map(changeText);
  const more = changes.length - named.length;
  if (more > 0) named.push(`and ${more} more (millrace plan --from shows all)`);
  return `; ${named.join('; ')}`;
}

function leftBehindText(checkpointId: number | null): string {
  if (checkpointId === null) return '';
  return `; output up to checkpoint ${checkpointId} is already out and stays there`;
}

function finishedText(checkpointId: number): string {
  return (
    `this job had finished at checkpoint ${checkpointId}: input that came since is not read. ` +
    '--from none starts afresh; a file source with discoverEveryMs keeps looking for new files'
  );
}

/** An event as data: one JSON object, without line end. `atMs` is the wall clock. */
export function eventJson(event: JobEvent, job: string, atMs: number): string {
  const { kind, ...rest } = event;
  const facts = 'error' in rest ? { ...rest, error: errorData(rest.error) } : rest;
  return JSON.stringify({ atMs, job, event: kind, ...facts });
}

/** Figures as data: one JSON object, without line end. */
export function metricsJson(
  metrics: readonly OperatorMetrics[],
  job: string,
  atMs: number,
): string {
  return JSON.stringify({ atMs, job, event: 'metrics', operators: operatorReports(metrics) });
}
