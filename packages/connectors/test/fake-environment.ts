import {
  type Cancel,
  type Environment,
  type FileSystem,
  MetricGroup,
  type SinkContext,
} from '@millrace/core/connector';

/** An environment whose clock moves only by `advance`. */
export interface FakeEnvironment extends Environment {
  /** Moves the clock and runs what is due, in the order of time. */
  advance(byMs: number): void;
  /** What was logged. */
  readonly messages: string[];
}

/** Virtual clock and scheduler over a given file system. */
export function fakeEnvironment(fileSystem: FileSystem): FakeEnvironment {
  let nowMs = 0;
  let timers: { readonly dueMs: number; readonly run: () => void }[] = [];
  const messages: string[] = [];
  return {
    messages,
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
    scheduler: {
      defer: (run) => void setImmediate(run),
      after(delayMs, run): Cancel {
        const timer = { dueMs: nowMs + delayMs, run };
        timers.push(timer);
        return () => {
          timers = timers.filter((one) => one !== timer);
        };
      },
    },
    random: { next: () => 0.5, hex: (bytes) => '0'.repeat(bytes * 2) },
    logger: { log: (level, message) => void messages.push(`${level}: ${message}`) },
    executor: {
      run: () => Promise.reject(new Error('connectors run nothing in the background')),
      close: async () => {},
    },
    fileSystem,
    advance(byMs) {
      const untilMs = nowMs + byMs;
      for (;;) {
        const next = timers
          .filter((timer) => timer.dueMs <= untilMs)
          .sort((a, b) => a.dueMs - b.dueMs)[0];
        if (next === undefined) break;
        timers = timers.filter((one) => one !== next);
        nowMs = Math.max(nowMs, next.dueMs);
        next.run();
      }
      nowMs = untilMs;
    },
  };
}

/** A sink's context for subtask 0 of one; fields can be replaced. */
export function sinkContext(
  environment: Environment,
  over: Partial<SinkContext> = {},
): SinkContext {
  return {
    environment,
    jobName: 'job',
    instanceId: 'abc',
    generation: 1,
    attempt: 1,
    operatorUid: 'out',
    subtaskIndex: 0,
    parallelism: 1,
    metrics: new MetricGroup(),
    ...over,
  };
}
