import type { JobEvent, OperatorMetrics } from '@millrace/core';
import type { Terminal } from '../command/command-context.ts';
import { eventJson, eventText, metricsJson } from './event-text.ts';
import { type FailureRun, onFailureOf } from './failure-run.ts';
import { initialProgress, onJobEvent, onMetrics } from './progress-state.ts';
import { progressLines } from './progress-view.ts';

/** Shows how a job is doing. */
export interface ProgressDisplay {
  onEvent(event: JobEvent, nowMs: number): void;
  onMetrics(metrics: readonly OperatorMetrics[], nowMs: number): void;
  /** A sentence of the command itself, for people; `--json` leaves it out. */
  say(text: string): void;
  /** Takes the live part away: what is written next stands below. */
  end(): void;
}

/** One JSON object per line on standard output; metrics as they come. */
export function jsonDisplay(terminal: Terminal, jobName: string): ProgressDisplay {
  return {
    onEvent: (event, nowMs) => terminal.out(`${eventJson(event, jobName, nowMs)}\n`),
    onMetrics: (metrics, nowMs) => terminal.out(`${metricsJson(metrics, jobName, nowMs)}\n`),
    say: () => {},
    end: () => {},
  };
}

/** A line per event with the time in UTC; for logs and `--quiet` (failures and sayings only). */
export function lineDisplay(
  terminal: Terminal,
  jobName: string,
  options: { readonly quiet: boolean },
): ProgressDisplay {
  let failures: FailureRun | null = null;
  return {
    onEvent(event, nowMs) {
      if (event.kind === 'failure') failures = onFailureOf(failures, event.error);
      else if (options.quiet) return;
      const time = new Date(nowMs).toISOString();
      terminal.error(`${time} ${jobName}: ${eventText(event, failures)}\n`);
    },
    onMetrics: () => {},
    say: (text) => terminal.error(`${text}\n`),
    end: () => {},
  };
}

function isWorthKeeping(event: JobEvent): boolean {
  if (event.kind === 'claimed') return event.leftBehind !== null;
  return ['failure', 'restored', 'standingBy', 'snapshotReleased'].includes(event.kind);
}

/** Drawn in place on a terminal. Failures and sayings stay above the drawing. */
export function liveDisplay(
  terminal: Terminal,
  jobName: string,
  startedAtMs: number,
): ProgressDisplay {
  let state = initialProgress(jobName, startedAtMs);
  let failures: FailureRun | null = null;
  let drawn = 0;
  const erase = (): void => {
    // Up to the first line of the drawing, then everything below is cleared.
    if (drawn > 0) terminal.error(`\r\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  // What the job prints would land in the drawing: it comes back with the next event or look.
  const forget = terminal.onOutput(erase);
  const draw = (nowMs: number): void => {
    const lines = progressLines(state, nowMs, Math.max(1, terminal.columns - 1));
    erase();
    terminal.error(lines.map((line) => `${line}\n`).join(''));
    drawn = lines.length;
  };
  return {
    onEvent(event, nowMs) {
      state = onJobEvent(state, event, nowMs);
      if (event.kind === 'failure') failures = onFailureOf(failures, event.error);
      if (isWorthKeeping(event)) {
        erase();
        terminal.error(`${eventText(event, failures)}\n`);
      }
      draw(nowMs);
    },
    onMetrics(metrics, nowMs) {
      state = onMetrics(state, metrics, nowMs);
      draw(nowMs);
    },
    say(text) {
      erase();
      terminal.error(`${text}\n`);
    },
    end() {
      forget();
      drawn = 0;
    },
  };
}
