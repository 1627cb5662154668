import type { JobExecution, JobResult } from '@millrace/core';
import { openControlServer } from '../control/control-server.ts';
import { prepareDirectory, registerJob, socketPath } from '../control/job-registry.ts';
import {
  jsonDisplay,
  lineDisplay,
  liveDisplay,
  type ProgressDisplay,
} from '../progress/progress-display.ts';
import { totalsLines } from '../progress/totals.ts';
import type { CommandContext, StopSignal } from './command-context.ts';
import { errorData, errorReport } from './error-report.ts';
import { exitCode, exitCodeOf, type ExitCode } from './exit-code.ts';
import { loadJob, shownPath } from './job-file.ts';
import { restoreAdvice } from './restore-advice.ts';
import {
  readRunArguments,
  resumeCommand,
  shellQuoted,
  type RunArguments,
} from './run-arguments.ts';

/** How often a terminal is redrawn, and how often `--json` reports metrics. */
const liveLookMs = 500;
const jsonLookMs = 10_000;

/**
 * A terminal sends Ctrl-C to npm and to us alike, and npm passes it on: two signals, one key. What
 * comes so soon after the first is the same one.
 */
const sameSignalMs = 500;

// The life of `millrace run`:
//
//   load job -> run() -> control socket, registry -> [signal: stop] -> done -> sockets away -> exit
//                 |                                       |
//                 +-- signal before it resolves           +-- second signal: exit at once
//
// C1. The control socket and the registry are conveniences: without them the job still runs.
// C2. A first signal loses nothing: the job stops with a last checkpoint. A second ends at once.
// C3. The exit code says whether a supervisor should start the job again (exit-code.ts).

/**
 * Runs a job until it ends.
 *
 * @throws UsageError, JobModuleError, and what `run` rejects with
 */
export async function runCommand(
  context: CommandContext,
  args: readonly string[],
): Promise<ExitCode> {
  const given = readRunArguments(args, context.workingDirectory);
  const job = await loadJob(given.file);
  const display = displayFor(context, given, job.name);
  if (given.isDefaultDirectory) {
    const shown = shownPath(given.checkpointDirectory, context.workingDirectory);
    display.say(`checkpoints go to ${shown} (--checkpoint-dir puts them elsewhere)`);
  }
  if (given.options.from === 'none') display.say('starting afresh: older checkpoints are not used');

  const signals = new SignalDesk(context, display);
  try {
    const started = context.run(job, {
      ...given.options,
      onEvent: (event) => display.onEvent(event, context.nowMs()),
    });
    const execution = await Promise.race([started, signals.atOnce]);
    if (typeof execution === 'number') return execution;
    return await follow(context, given, display, signals, execution, args);
  } catch (error) {
    display.end();
    const reported = report(context, given, job.name, error, args).then(() => exitCodeOf(error));
    return await Promise.race([reported, signals.atOnce]); // it looks at a disk, which may hang
  } finally {
    display.end();
    signals.close();
  }
}

async function follow(
  context: CommandContext,
  given: RunArguments,
  display: ProgressDisplay,
  signals: SignalDesk,
  execution: JobExecution,
  args: readonly string[],
): Promise<ExitCode> {
  const closeControl = await openControl(context, given, display, execution);
  const look = (): void => display.onMetrics(execution.metrics(), context.nowMs());
  const stopLooking = context.every(given.display === 'json' ? jsonLookMs : liveLookMs, look);
  signals.attach(execution);
  try {
    const result = await Promise.race([execution.done, signals.atOnce]);
    if (typeof result === 'number') return result;
    look();
    display.end();
    const totals = totalsLines(execution.metrics(), result.status !== 'cancelled');
    if (result.attempts > 1 && totals.length > 0) display.say('since the last restart:');
    for (const line of totals) display.say(`  ${line}`);
    display.say(farewell(execution.jobName, result, args));
    return exitCode.ok;
  } finally {
    stopLooking();
    if (!signals.isAtOnce) await closeControl();
  }
}

/** What is said at the end: how it ended, and how to go on. Pure. */
export function farewell(jobName: string, result: JobResult, args: readonly string[]): string {
  const last = result.lastCheckpoint;
  const restarts = result.attempts > 1 ? ` after ${result.attempts - 1} restarts` : '';
  if (result.status === 'finished') return `${jobName} finished${restarts}`;
  if (last === null) return `${jobName} ${result.status}${restarts}; there is no checkpoint`;
  const from = last.kind === 'savepoint' ? ` --from ${shellQuoted(last.path)}` : '';
  const ended = `${jobName} ${result.status}${restarts} at ${last.kind} ${last.checkpointId}`;
  if (result.drained) return `${ended}; it was drained, so there is nothing to go on with`;
  return `${ended}\ngo on with: ${resumeCommand(args)}${from}`;
}

function displayFor(
  context: CommandContext,
  given: RunArguments,
  jobName: string,
): ProgressDisplay {
  const { terminal } = context;
  if (given.display === 'json') return jsonDisplay(terminal, jobName);
  if (given.display === 'live' && terminal.isInteractive) {
    return liveDisplay(terminal, jobName, context.nowMs());
  }
  return lineDisplay(terminal, jobName, { quiet: given.display === 'quiet' });
}

async function openControl(
  context: CommandContext,
  given: RunArguments,
  display: ProgressDisplay,
  execution: JobExecution,
): Promise<() => Promise<void>> {
  const { pid, runtimeDirectory } = context;
  const startedAtMs = context.nowMs();
  const path = socketPath(runtimeDirectory, execution.jobName, pid);
  try {
    prepareDirectory(runtimeDirectory);
    const server = await openControlServer(execution, { socketPath: path, pid, startedAtMs });
    const unregister = registerJob(runtimeDirectory, {
      version: 1,
      job: execution.jobName,
      pid,
      startedAtMs,
      socketPath: path,
      file: given.file,
      checkpointDirectory: given.checkpointDirectory,
    });
    return async () => {
      unregister();
      await server.close();
    };
  } catch (error) {
    const { message } = errorData(error); // C1
    display.say(`no control socket (${message}): stop, savepoint and list cannot see this job`);
    return async () => {};
  }
}

async function report(
  context: CommandContext,
  given: RunArguments,
  job: string,
  error: unknown,
  args: readonly string[],
): Promise<void> {
  if (given.display === 'json') {
    const data = { atMs: context.nowMs(), job, event: 'failed', error: errorData(error) };
    context.terminal.out(`${JSON.stringify(data)}\n`);
    return;
  }
  context.terminal.error(errorReport(error));
  const { checkpointDirectory } = given;
  const advice = await restoreAdvice({ error, jobName: job, checkpointDirectory, args });
  for (const line of advice) context.terminal.error(`  ${line}\n`);
}

/** Turns signals into a stop, and a second one into an end at once (C2). */
class SignalDesk {
  /** Resolves with the exit code when the process must end at once. */
  readonly atOnce: Promise<ExitCode>;
  readonly #context: CommandContext;
  readonly #display: ProgressDisplay;
  readonly #forget: () => void;
  #endAtOnce: (code: ExitCode) => void = () => {};
  #execution: JobExecution | null = null;
  #stoppedAtMs: number | null = null;
  #isAtOnce = false;

  constructor(context: CommandContext, display: ProgressDisplay) {
    this.#context = context;
    this.#display = display;
    this.atOnce = new Promise((resolve) => {
      this.#endAtOnce = resolve;
    });
    this.#forget = context.onSignal((signal) => this.#onSignal(signal));
  }

  get isAtOnce(): boolean {
    return this.#isAtOnce;
  }

  /** From here on a first signal stops the job; before, there is nothing to lose. */
  attach(execution: JobExecution): void {
    this.#execution = execution;
  }

  close(): void {
    this.#forget();
  }

  #onSignal(signal: StopSignal): void {
    const nowMs = this.#context.nowMs();
    if (this.#stoppedAtMs !== null && nowMs - this.#stoppedAtMs < sameSignalMs) return;
    if (this.#execution === null || this.#stoppedAtMs !== null) {
      this.#isAtOnce = true;
      if (this.#execution === null) this.#display.say('ended: the job had not begun to run');
      this.#endAtOnce(signal === 'SIGINT' ? exitCode.interrupted : exitCode.terminated);
      return;
    }
    this.#stoppedAtMs = nowMs;
    const again = signal === 'SIGINT' ? 'Ctrl-C again' : 'another SIGTERM';
    this.#display.say(`stopping with a last checkpoint (${again}: end at once)`);
    const execution = this.#execution;
    execution.stop().catch((error: unknown) => this.#onStopRefused(execution, error));
  }

  /**
   * Between two attempts, or when the attempt has failed while it stopped, there is nothing to take
   * a checkpoint of: the last one holds it all.
   */
  #onStopRefused(execution: JobExecution, error: unknown): void {
    if (execution.status() === 'failed') return; // how it ends is what `done` says
    this.#display.say(`${errorData(error).message}: ending without another checkpoint`);
    execution.cancel().catch(() => {});
  }
}
