import { randomBytes } from 'node:crypto';
import type { Cancel, Clock, Environment, Logger, Random, Scheduler } from '../base/environment.ts';
import { nodeFileSystem } from '../storage/node-file-system.ts';
import { ThreadExecutor } from './thread-executor.ts';

const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

// A longer one is taken for 1 ms: a timer of next month would wake the process all the time.
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

const scheduler: Scheduler = {
  // Not MessageChannel: it starves timers (a 10 ms timer came 95 ms late).
  defer: (run) => void setImmediate(run),
  after: (delayMs, run): Cancel => {
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      const nextMs = Math.min(leftMs, TIMEOUT_MS_MAX);
      timer = setTimeout(() => (leftMs > nextMs ? wait(leftMs - nextMs) : run()), nextMs);
    };
    wait(delayMs);
    return () => clearTimeout(timer);
  },
};

const random: Random = {
  next: () => Math.random(),
  hex: (bytes) => randomBytes(bytes).toString('hex'),
};

/** Writes warnings and errors to standard error, one line each. */
export const CONSOLE_LOGGER: Logger = {
  log(level, message, fields) {
    if (level !== 'warn' && level !== 'error') return;
    const more = fields === undefined ? '' : ` ${JSON.stringify(fields)}`;
    process.stderr.write(`millrace ${level}: ${message}${more}\n`);
  },
};

/**
 * The real world: clock, event loop, disk and threads of this process. The executor's threads are
 * started when they are needed; close it when the job has ended.
 */
export function nodeEnvironment(logger: Logger = CONSOLE_LOGGER): Environment {
  return {
    clock,
    scheduler,
    random,
    logger,
    executor: new ThreadExecutor(),
    fileSystem: nodeFileSystem(),
  };
}
