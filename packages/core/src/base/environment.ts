import type { FileSystem } from './file-system.ts';

/**
 * The boundary of determinism: everything that the engine may not reach for by itself.
 *
 * The embedded host gives the real things, the simulator virtual ones. All code below the hosts
 * takes time, order and chance from here and from nowhere else (checked by tools/tidy.test.ts).
 */
export interface Environment {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly executor: BackgroundExecutor;
  readonly fileSystem: FileSystem;
}

/** Time. Both methods are cheap (under 100 ns) and may be called once per batch, not per record. */
export interface Clock {
  /** Wall clock, milliseconds since 1970-01-01 UTC. May jump. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start; never goes back. For durations. */
  monotonicMs(): number;
}

/** Takes a scheduled call back; harmless when it has run. */
export type Cancel = () => void;

/** Order of turns. A callback that throws is a bug of the caller: it must catch its own errors. */
export interface Scheduler {
  /** Runs `run` after the current turn, after I/O had its chance. Order among callers is free. */
  defer(run: () => void): void;
  /** Runs `run` once, not before `delayMs` (>= 0) have passed. */
  after(delayMs: number, run: () => void): Cancel;
}

/** Chance. Not for secrets. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** `bytes` random bytes as lower-case hexadecimal text. */
  hex(bytes: number): string;
}

/** `debug` is for whoever works on Millrace; `warn` and `error` want a human to look. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where the engine's own messages go. Never throws, never blocks. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/**
 * A pure function that may run in another thread: it sees nothing but its input, which is posted
 * by structured clone, so neither input nor output may hold functions or class instances.
 */
export interface BackgroundJob<Input, Output> {
  /** Unique in the process; used in messages. */
  readonly name: string;
  /** `import.meta.url` of the module that exports the job under `exportName`. */
  readonly module: string;
  readonly exportName: string;
  run(input: Input): Output;
  /** Buffers that move to the other thread instead of being copied; unusable afterwards. */
  transferInput?(input: Input): ArrayBuffer[];
  transferOutput?(output: Output): ArrayBuffer[];
}

/** Runs CPU-heavy pure work off the data path. */
export interface BackgroundExecutor {
  /**
   * @param lane work of one lane runs in order; lanes do not wait for each other
   * @returns rejects with what `job.run` threw
   */
  run<Input, Output>(
    job: BackgroundJob<Input, Output>,
    input: Input,
    lane: 'persist' | 'compaction',
  ): Promise<Output>;
  /** Ends the threads; running work is abandoned. */
  close(): Promise<void>;
}
